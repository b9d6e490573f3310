"""From a tensor stream to an AXI4-Stream of one packet a frame."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .axi_stream import AxiFrame, axi_payload
from .cost import Cost
from .counting import advance
from .family import GENERIC, Family
from .fifo import Fifo
from .gearbox import Gearbox
from .layouts import ArrayLayout, StructLayout
from .primitives import address_width

LEAST_QUEUE = 2
"""AXI beats with which a beat leaves each cycle."""


class AxiStreamOutput(Component):
    """Packs the elements of a frame without padding into one packet.

    ::

              ┌─────────┐   ┌────────────────────┐   ┌────────────┐   ┌───────┐
        i ───►│ Gearbox ├──►│ TLAST, TUSER at    ├──►│ Fifo of    ├──►│ TKEEP ├──► o (AXI)
              └─────────┘   │ the last beat,     │   │ queue_depth│   └───────┘
                   marks ──►│ which waits        │   └────────────┘
                            └────────────────────┘

    TKEEP is partial, TLAST high and TUSER the frame's mark on a packet's last beat only; null bytes are 0. That beat
    waits for the mark.

    ``latency`` is the number of cycles from the acceptance of the tensor beat that completes an AXI beat to that beat
    being valid. Cycles per frame: the greater of the beats at both sides. Cost: the queue's beats as ``memory_bits``
    (TDATA, TLAST, TUSER), the gearbox's registers.

    Args:
        shape: of an element, at most 16 bits; one byte, or two (little endian) above 8 bits, extended by its sign, or
            by zeros if it is unsigned.
        channels: of a pixel.
        pixels: of a frame.
        lanes: of the tensor stream.
        data_bytes: of TDATA, a power of two.
        queue_depth: AXI beats that can wait, 2 or more: what comes while a host drains other outputs.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes)))``
        marks: ``In(stream.Signature(1))``, a beat a frame, 1 for a bad one
        o: ``Out(stream.Signature(axi_payload(data_bytes, user=True)))``, fields ``data``, ``keep``, ``last``, ``user``

    Raises:
        ValueError: what :class:`~mbconv.hdl.axi_stream.AxiFrame` refuses, a number of lanes below 1, or a queue of
            fewer than 2 beats.
    """

    multipliers = 0

    def __init__(
        self,
        shape: ShapeLike,
        channels: int,
        pixels: int,
        lanes: int,
        data_bytes: int,
        queue_depth: int = LEAST_QUEUE,
        *,
        family: Family = GENERIC,
    ):
        if queue_depth < LEAST_QUEUE:
            raise ValueError(f"a queue of AXI beats holds at least {LEAST_QUEUE}, not {queue_depth}")
        self.frame = AxiFrame(shape, channels, pixels, data_bytes)
        self.lanes = lanes
        self.gearbox = Gearbox(shape, channels, lanes, self.frame.elements_per_beat, pixels=pixels, contiguous_out=True)
        payload = StructLayout({"data": 8 * data_bytes, "last": 1, "user": 1})
        self.queue = Fifo(payload, queue_depth, family=family)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(shape, lanes))),
                "marks": In(Signature(1)),
                "o": Out(Signature(axi_payload(data_bytes, user=True))),
            }
        )

    @property
    def latency(self) -> int:
        return self.gearbox.latency + self.queue.latency

    @property
    def cycles_per_frame(self) -> int:
        return self.gearbox.cycles_per_frame

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A counter of beats, and control."""
        return Cost(address_width(self.frame.beats) + 5)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.gearbox, m.submodules.queue = self.gearbox, self.queue
        connect(m, flipped(self.i), self.gearbox.i)
        waiting = self.queue.o
        size, tail = self.frame.element_bytes, self.frame.last_elements
        whole = (1 << self.frame.data_bytes) - 1
        m.d.comb += [
            self.o.valid.eq(waiting.valid),
            waiting.ready.eq(self.o.ready),
            *(self.o.p[field].eq(waiting.p[field]) for field in ("data", "last", "user")),
            self.o.p.keep.eq(Mux(waiting.p.last, (1 << tail * size) - 1, whole)),
        ]

        contiguous, packet = self.gearbox.o, self.queue.i
        index = Signal(range(self.frame.beats))
        last = Signal()
        may_go = ~last | self.marks.valid
        m.d.comb += [
            last.eq(index == self.frame.beats - 1),
            packet.valid.eq(contiguous.valid & may_go),
            contiguous.ready.eq(packet.ready & may_go),
            self.marks.ready.eq(contiguous.valid & packet.ready & last),
            packet.p.last.eq(last),
            packet.p.user.eq(last & self.marks.payload),
        ]
        with m.If(packet.valid & packet.ready):
            advance(m, index, self.frame.beats)

        for element in range(self.frame.elements_per_beat):
            value = Signal(Shape(8 * size, Shape.cast(self.frame.shape).signed), name=f"element_{element}")
            m.d.comb += packet.p.data.word_select(element, 8 * size).eq(value)
            if element < tail:
                m.d.comb += value.eq(contiguous.payload[element])
            else:
                m.d.comb += value.eq(Mux(last, 0, contiguous.payload[element]))
        return m
