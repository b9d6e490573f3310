"""The top of a board: a design behind a UART."""

from __future__ import annotations

from amaranth.hdl import ClockDomain, DomainRenamer, Module, ResetInserter, Signal
from amaranth.lib.wiring import Component, In, Out, connect

from ..axi_stream_top import AxiStreamTop
from ..cost import Cost, cost
from ..family import GENERIC, Family
from ..fifo import Fifo
from .baud import BITS_PER_BYTE, BitLength
from .byte_frame import ByteFrame
from .cobs_encoder import PACKET
from .frame_bytes import FrameBytes
from .identity import Identity
from .measurement import Measurement
from .packet_line import PacketLine
from .server import LinkServer

_QUIET_BYTES = 2  # how long the line is quiet before a failure is reported


class BoardTop(Component):
    """A design of one input and one output that answers requests over a UART.

    ::

        rx, tx ◄──► PacketLine ◄──► LinkServer (ROM: identity)
                                 bytes │        ▲ bytes
                                  Fifo ▼        │ Fifo of 2
                                 ByteFrame   FrameBytes
                                       └─┐    ┌─┘
                     Measurement ──► s_axis  m_axis ──► Measurement
                                     AxiStreamTop

    What is outside the network may lie anywhere beside it: between the two, in either direction, is a register, so that
    no path leads from one through the other.

    **How a board uses it.** ``clk`` and ``rst`` come from outside, a pin or a PLL, whose frequency must be the clock of
    ``bit``. ``rst`` is synchronous and active high, one cycle is enough; it may be tied to 0, since every register has
    its value after configuration; with a PLL it is the inverse of the lock signal behind two registers. ``rx`` may come
    straight from its pin, with a pull-up where nothing may be plugged in. ``tx`` comes from a register. Clock and rate
    are in ``bit`` alone, and the identity must state the same.

    Cost: that of the parts, see ``docs/circuits/link.md``.

    Args:
        core: a design with one input and one output.
        identity: what the board says of itself.
        bit: the length of a bit, from the clock and the rate.
        buffered: the queue before the network holds a whole frame, instead of two bytes. Needed where the network may
            not take bytes as fast as they come, or where its first results leave before the frame's end.
        measures: serves the request to measure.
        name: of the identity's memory file.
        family: of FPGAs.

    Members:
        clk, rst: ``In(1)``
        rx: ``In(1)``, tx: ``Out(1)``, both high when idle
        active: ``Out(1)``, a byte waits, or an answer is owed or being sent: for a light

    Raises:
        ValueError: several inputs or outputs, or an identity of another clock, rate or frame.
    """

    def __init__(
        self,
        core: AxiStreamTop,
        identity: Identity,
        bit: BitLength,
        *,
        buffered: bool = False,
        measures: bool = True,
        name: str = "identity",
        family: Family = GENERIC,
    ):
        if len(core.inputs) != 1 or len(core.outputs) != 1:
            raise ValueError(
                f"a board's link carries one input and one output, not {len(core.inputs)} and {len(core.outputs)}"
            )
        self.core, self.identity, self.bit, self.buffered = core, identity, bit, buffered
        (self.source,), (self.result,) = core.inputs.values(), core.outputs.values()
        stated = (identity.clock, identity.baud, identity.source.frame_bytes, identity.result.frame_bytes)
        frames = [edge.frame.elements * edge.frame.element_bytes for edge in (self.source, self.result)]
        if stated != (round(bit.clock), round(bit.baud), *frames):
            raise ValueError(
                f"the identity states clock, rate and frame bytes {stated}, the board has "
                f"{(round(bit.clock), round(bit.baud), *frames)}"
            )
        self.line = PacketLine(bit, family=family)
        quiet = round(_QUIET_BYTES * BITS_PER_BYTE * float(bit.ratio))
        self.server = LinkServer(identity.encode(), frames[0], quiet, measures, name, family=family)
        self.queue = Fifo(PACKET, max(2, frames[0]) if buffered else 2, family=family)
        self.answer = Fifo(PACKET, 2, family=family)
        self.byte_frame, self.frame_bytes = ByteFrame(self.source.data_bytes), FrameBytes(self.result.data_bytes)
        # Behind a frame's end its mark may wait in the input's queue, in the fork, and in the outputs' queues.
        self.measurement = Measurement(self.source.frame, self.result.frame, core.mark_depth + 4) if measures else None
        super().__init__({"clk": In(1), "rst": In(1), "rx": In(1), "tx": Out(1, init=1), "active": Out(1)})

    own_cost = Cost(12)  # the network's reset, who feeds it

    @property
    def link_cost(self) -> Cost:
        """What all takes but the design."""
        parts = (self.line, self.server, self.queue, self.answer, self.byte_frame, self.frame_bytes, self.measurement)
        return self.own_cost + cost(*parts)

    @property
    def multipliers(self) -> int:
        return self.core.multipliers

    @property
    def memory_bits(self) -> int:
        parts = (self.core, self.server, self.line, self.answer, self.queue)
        return sum(part.memory_bits for part in parts)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        domain.clk, domain.rst = self.clk, self.rst
        m.submodules.line, m.submodules.server = line, server = self.line, self.server
        m.submodules.edges = DomainRenamer("network")(self.core)

        # What surrounds the network is empty a cycle before the network is reset, in which that gives nothing.
        restarting, network_rst = Signal(), Signal(reset_less=True)
        connect(m, line.o, server.i)
        connect(m, server.o, line.i)
        m.d.comb += [
            line.rx.eq(self.rx),
            self.tx.eq(line.tx),
            server.damaged.eq(line.damaged),
            self.active.eq(server.active | line.busy),
            self.core.aclk.eq(self.clk),
            self.core.aresetn.eq(~network_rst),
        ]
        m.d.sync += [restarting.eq(server.restart), network_rst.eq(self.rst | restarting)]
        restarted = ResetInserter(restarting)
        m.submodules.byte_frame = restarted(self.byte_frame)
        m.submodules.frame_bytes = restarted(self.frame_bytes)
        m.submodules.queue = restarted(self.queue)
        connect(m, server.frame, self.queue.i)
        connect(m, self.queue.o, self.byte_frame.i)
        m.submodules.answer = restarted(self.answer)
        connect(m, self.frame_bytes.o, self.answer.i)
        connect(m, self.answer.o, server.result)
        self._edges(m)
        return m

    def _edges(self, m: Module) -> None:
        """The network's ports: to the link, or to the measurement while it runs."""

        def port(edge, field: str) -> Signal:
            return getattr(self.core, f"{edge.name}_t{field}")

        measuring = Signal()
        sources, sinks = [self.byte_frame.o], [self.frame_bytes.i]
        if self.measurement is not None:
            m.submodules.measurement = measurement = self.measurement
            sources.append(measurement.o)
            sinks.append(measurement.i)
            m.d.sync += measuring.eq(self.server.run)
            m.d.comb += [
                measurement.load.eq(self.server.load),
                measurement.byte.eq(self.server.byte),
                measurement.start.eq(self.server.start),
                measurement.run.eq(self.server.run),
                self.server.done.eq(measurement.done),
                *(
                    word.eq(value)
                    for word, value in zip(
                        self.server.words,
                        (measurement.cycles, measurement.interval, measurement.total),
                        strict=True,
                    )
                ),
            ]
        for chosen, (source, sink) in enumerate(zip(sources, sinks, strict=True)):
            with m.If(measuring == chosen):
                m.d.comb += [
                    port(self.source, "valid").eq(source.valid),
                    source.ready.eq(port(self.source, "ready")),
                    *(port(self.source, field).eq(source.p[field]) for field in ("data", "keep", "last")),
                    sink.valid.eq(port(self.result, "valid")),
                    port(self.result, "ready").eq(sink.ready),
                ]
            m.d.comb += [sink.p[field].eq(port(self.result, field)) for field in ("data", "keep", "last", "user")]
