"""From an AXI4-Stream of packets, right or wrong, to a tensor stream of whole frames."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .axi_stream import AxiFrame, axi_payload
from .cost import Cost
from .counting import advance
from .family import GENERIC, Family
from .fifo import Fifo
from .gearbox import Gearbox
from .layouts import ArrayLayout
from .primitives import address_width

COUNTER_BITS = 16


class AxiStreamInput(Component):
    """Makes every packet exactly one frame.

    ::

                 ┌──────┐   ┌────────────────────┐   ┌─────────┐
        i (AXI)─►│ Fifo ├──►│ complete, cut,     ├──►│ Gearbox ├──► o
                 │ of 2 │   │ or pass            │   └─────────┘
                 └──────┘   └────────┬───────────┘
                                     └──► marks, short_frames, long_frames

    A packet is judged beat by beat; an element is there if TKEEP is high for all its bytes.

    - *Long*: the beat that holds the frame's last element has no TLAST, or keeps bytes beyond that element. Everything
      up to TLAST is dropped.
    - *Short*: an element is missing, because the packet ends early or because its TKEEP is low in the midst of a
      packet (a null byte keeps its place). ``fill`` takes its place. A packet of one beat with TLAST and without any
      TKEEP is an empty frame.
    - A beat that keeps nothing and has no TLAST carries nothing: it is skipped.

    Both kinds are bad; a packet that is both counts as long. The next packet starts the next frame.

    A beat is taken in each cycle that the tensor's beats allow, and frames follow without a gap; a completed frame
    takes as many cycles as a whole one, a cut one as many as the beats that came. ``latency`` is the number of cycles
    from the acceptance of the AXI beat that completes a tensor beat to that beat being valid. TREADY comes from a
    register.

    Cycles per frame: the greater of the beats at both sides. Cost: two AXI beats of ``memory_bits`` in distributed
    RAM, the gearbox's registers.

    Args:
        shape: of an element, at most 16 bits; one byte, or two (little endian) above 8 bits. Bits of those bytes
            beyond the element are ignored.
        channels: of a pixel.
        pixels: of a frame.
        lanes: of the tensor stream.
        data_bytes: of TDATA, a power of two.
        fill: the element that completes short frames.

    Members:
        i: ``In(stream.Signature(axi_payload(data_bytes)))``, fields ``data``, ``keep``, ``last``
        o: ``Out(stream.Signature(ArrayLayout(shape, lanes)))``
        marks: ``Out(stream.Signature(1))``, a beat a frame, 1 for a bad one, pushed with the frame's last element;
            where two of them wait a third frame does not end
        short_frames, long_frames: ``Out(16)``, since reset, wrapping

    Raises:
        ValueError: what :class:`~mbconv.hdl.axi_stream.AxiFrame` refuses, a number of lanes below 1, or a ``fill`` that
            is no element.
    """

    multipliers = 0

    def __init__(
        self,
        shape: ShapeLike,
        channels: int,
        pixels: int,
        lanes: int,
        data_bytes: int,
        fill: int = 0,
        *,
        family: Family = GENERIC,
    ):
        self.frame = AxiFrame(shape, channels, pixels, data_bytes)
        self.fill, self.lanes = fill, lanes
        if Const(fill, Shape.cast(shape)).value != fill:
            raise ValueError(f"a frame cannot be filled with {fill}, which is no {Shape.cast(shape)!r}")
        self.gearbox = Gearbox(shape, channels, self.frame.elements_per_beat, lanes, pixels=pixels, contiguous_in=True)
        self.queue = Fifo(axi_payload(data_bytes), 2, family=family)
        self.mark_queue = Fifo(1, 2, family=family)
        super().__init__(
            {
                "i": In(Signature(axi_payload(data_bytes))),
                "o": Out(Signature(ArrayLayout(shape, lanes))),
                "marks": Out(Signature(1)),
                "short_frames": Out(COUNTER_BITS),
                "long_frames": Out(COUNTER_BITS),
            }
        )

    @property
    def latency(self) -> int:
        return self.queue.latency + self.gearbox.latency

    @property
    def cycles_per_frame(self) -> int:
        return self.gearbox.cycles_per_frame

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits + self.mark_queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """Counters of frames and of beats, a selection between element and fill for each bit, and control."""
        frame = self.frame
        elements = frame.elements_per_beat * (8 * frame.element_bytes + 2)
        return Cost(2 * COUNTER_BITS + 2 * address_width(frame.beats) + elements + 10)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue, m.submodules.gearbox, m.submodules.mark_queue = self.queue, self.gearbox, self.mark_queue
        connect(m, flipped(self.i), self.queue.i)
        connect(m, self.gearbox.o, flipped(self.o))
        connect(m, self.mark_queue.o, flipped(self.marks))

        packet, contiguous, mark = self.queue.o, self.gearbox.i, self.mark_queue.i
        filling = Signal()  # the packet has ended, its frame has not
        dropping = Signal()  # the frame has ended, its packet has not
        incomplete = Signal()  # an element of this frame was missing
        index = Signal(range(self.frame.beats))
        last, kept = Signal(), Signal(self.frame.elements_per_beat)
        missing, surplus = self._judge(m, last, kept)

        skipped = dropping | (~packet.p.keep.any() & ~packet.p.last)
        room = ~last | mark.ready
        m.d.comb += [
            last.eq(index == self.frame.beats - 1),
            contiguous.valid.eq((filling | (packet.valid & ~skipped)) & room),
            packet.ready.eq(~filling & (skipped | (contiguous.ready & room))),
        ]
        with m.If(dropping & packet.valid & packet.p.last):
            m.d.sync += dropping.eq(0)
        short, long = Signal(), Signal()
        m.d.comb += [
            long.eq(~filling & last & (surplus | ~packet.p.last)),
            short.eq(~long & (incomplete | filling | missing)),
        ]
        with m.If(contiguous.valid & contiguous.ready):
            advance(m, index, self.frame.beats)
            with m.If(last):
                m.d.comb += [mark.valid.eq(1), mark.payload.eq(short | long)]
                m.d.sync += [
                    filling.eq(0),
                    incomplete.eq(0),
                    dropping.eq(~filling & ~packet.p.last),
                    self.short_frames.eq(self.short_frames + short),
                    self.long_frames.eq(self.long_frames + long),
                ]
            with m.Elif(~filling):
                m.d.sync += [filling.eq(packet.p.last), incomplete.eq(incomplete | missing)]
        self._fill(m, filling, kept)
        return m

    def _judge(self, m: Module, last: Signal, kept: Signal) -> tuple[Signal, Signal]:
        """Whether an element of the packet's present beat is missing, and whether bytes are kept beyond the frame."""
        size, tail = self.frame.element_bytes, self.frame.last_elements
        keep = self.queue.o.p.keep
        missing, surplus = Signal(), Signal()
        for element in range(self.frame.elements_per_beat):
            m.d.comb += kept[element].eq(keep[element * size : (element + 1) * size].all())
        m.d.comb += [
            missing.eq(Mux(last, ~kept[:tail].all(), ~kept.all())),
            surplus.eq(last & keep[tail * size :].any()),
        ]
        return missing, surplus

    def _fill(self, m: Module, filling: Signal, kept: Signal) -> None:
        """The elements of the present beat, those that are missing replaced."""
        width, bits = Shape.cast(self.frame.shape).width, 8 * self.frame.element_bytes
        for element in range(self.frame.elements_per_beat):
            given = self.queue.o.p.data[element * bits : element * bits + width]
            fill = Const(self.fill, Shape.cast(self.frame.shape))
            m.d.comb += self.gearbox.i.payload[element].eq(Mux(filling | ~kept[element], fill.as_unsigned(), given))
