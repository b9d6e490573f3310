"""The top of a board: an engine behind a UART."""

from __future__ import annotations

from fractions import Fraction

from amaranth.hdl import Cat, ClockDomain, DomainRenamer, Module, ResetInserter, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect

from ..counting import delayed
from ..engine.engine import Engine
from ..engine.flash_reader import FLASH_LINES, FlashReader
from ..engine.latencies import Latencies
from ..engine.memory_fill import MemoryFill
from ..engine.parameters import EngineParameters
from ..engine.sdram import SdramReader, sdram_lines
from ..family import GENERIC, Family
from ..fifo import RegisterQueue
from ..global_buffer import GlobalBuffer
from .baud import BITS_PER_BYTE, BitLength
from .engine_server import EngineServer
from .identity import Identity
from .packet_line import PacketLine

_QUIET_BYTES = 2  # how long the line is quiet before a failure is reported
_MARKED_BYTE = StructLayout({"data": unsigned(8), "last": unsigned(1), "marks": unsigned(2)})
"""A byte of a result; what is wrong with the result: its frame, the weights."""

_BETWEEN = 6  # cycles from a byte on the line to its being offered, and back


def least_bit_cycles(parameters: EngineParameters, family: Family = GENERIC) -> int:
    """Cycles of a bit on the line: in one the instruction that takes a frame's first byte is fetched, as the next byte
    may begin then."""
    return Latencies(parameters, family).control + _BETWEEN


def memory_text(memory: FlashReader | SdramReader | None) -> str:
    """How fast a memory outside is, behind an engine's parameters."""
    if memory is None:
        return ""
    rate = memory.rate if isinstance(memory, SdramReader) else Fraction(1, 2)
    return f",memory_bytes={rate},memory_latency={memory.latency}"


class EngineTop(Component):
    """An engine that is given networks and frames over a UART.

    ::

        rx, tx ◄──► PacketLine ◄──► EngineServer (ROM: identity)
                           programs, frames │    ▲ results
                                            ▼    │
                                            Engine ◄── FlashReader ◄── flash_…

    An SDRAM, ``sdram_…``, forgets what it holds without power: FILL brings it over the link, and takes the place of the
    flash's programmer. Its controller goes on when a failure resets the engine.

    ``clk``, ``rst``, ``rx``, ``tx`` and ``active`` are those of :class:`.board_top.BoardTop`.

    Cost: that of the parts.

    Args:
        engine: of frames of one element a beat.
        flash: that reads the weights for an engine with a port of a byte; its lines are ports of the top.
        sdram: that does so for one with a port of two or four, likewise.
        identity: what the board says of itself, the engine's parameters among it.
        bit: the length of a bit, from the clock and the rate.
        name: of the identity's memory file.
        family: of FPGAs.

    Raises:
        ValueError: an engine with a port and no flash, or the other way round, or with wider beats, a bit that is too
            short for it, or an identity of another engine, clock or rate.
    """

    def __init__(
        self,
        engine: Engine,
        identity: Identity,
        bit: BitLength,
        *,
        flash: FlashReader | None = None,
        sdram: SdramReader | None = None,
        name: str = "identity",
        family: Family = GENERIC,
    ):
        given = "no memory outside" if flash is None else "a flash, which gives one byte after another"
        beat = 0 if flash is None else 1
        if sdram is not None:
            beat = sdram.timing.data_bits // 8
            given = f"an SDRAM, which gives {beat} at once"
        if engine.parameters.port_bytes != beat:
            raise ValueError(f"the engine has port_bytes = {engine.parameters.port_bytes}, and there is {given}")
        if float(bit.ratio) < (least := least_bit_cycles(engine.parameters, family)):
            raise ValueError(
                f"at {bit.baud:,.0f} baud a bit has {float(bit.ratio):.1f} cycles, in which the engine does not begin "
                f"a frame: at least {least} are needed"
            )
        if engine.parameters.input_elements != 1:
            raise ValueError(
                f"a board's link brings a byte at a time: input_elements is 1, not {engine.parameters.input_elements}"
            )
        stated = (identity.clock, identity.baud, identity.engine)
        there = (round(bit.clock), round(bit.baud), engine.parameters.text + memory_text(flash or sdram))
        if stated != there:
            raise ValueError(f"the identity states clock, rate and engine {stated}, the board has {there}")
        self.engine, self.identity, self.bit, self.flash, self.sdram = engine, identity, bit, flash, sdram
        self.line = PacketLine(bit, family=family)
        quiet = round(_QUIET_BYTES * BITS_PER_BYTE * float(bit.ratio))
        self.server = EngineServer(identity.encode(), quiet, name, fills=sdram is not None, family=family)
        self.lines = {} if flash is None else {f"flash_{name}": flow for name, flow in FLASH_LINES.items()}
        if sdram is not None:
            self.lines = {f"sdram_{name}": flow for name, flow in sdram_lines(sdram.timing.data_bits).items()}
        super().__init__(
            {
                "clk": In(1),
                "rst": In(1),
                "rx": In(1),
                "tx": Out(1, init=1),
                "active": Out(1),
                **self.lines,
            }
        )

    @property
    def multipliers(self) -> int:
        return self.engine.multipliers

    @property
    def memory_bits(self) -> int:
        return self.engine.memory_bits + self.server.memory_bits + self.line.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        domain.clk, domain.rst = self.clk, self.rst
        m.submodules.line, m.submodules.server = line, server = self.line, self.server
        engine, reset = self.engine, self.rst | server.restart
        m.submodules.engine = DomainRenamer("engine")(engine)
        m.domains.engine = engine_domain = ClockDomain()
        if engine.parameters.further_spares:  # it reaches all of a large chip
            m.submodules.reset = buffer = GlobalBuffer()
            m.d.comb += buffer.i.eq(delayed(m, reset, 1, "engine_reset"))
            reset = buffer.o
        m.d.comb += [engine_domain.clk.eq(self.clk), engine_domain.rst.eq(reset)]
        connect(m, line.o, server.i)
        connect(m, server.o, line.i)
        frame, result, marks = server.frame, engine.o, Cat(engine.bad, engine.damaged)
        if engine.parameters.further_spares:  # what the engine does with a byte is not on the server's path
            m.submodules.arriving = arriving = DomainRenamer("engine")(RegisterQueue(frame.payload.shape(), 2))
            m.submodules.leaving = leaving = DomainRenamer("engine")(RegisterQueue(_MARKED_BYTE, 2))
            connect(m, frame, arriving.i)
            m.d.comb += [
                leaving.i.valid.eq(result.valid),
                leaving.i.payload.data.eq(result.payload.data),
                leaving.i.payload.last.eq(result.payload.last),
                leaving.i.payload.marks.eq(marks),
                result.ready.eq(leaving.i.ready),
            ]
            frame, result, marks = arriving.o, leaving.o, leaving.o.payload.marks
        for source, sink in ((server.program, engine.program), (frame, engine.i), (result, server.result)):
            m.d.comb += [
                sink.valid.eq(source.valid),
                source.ready.eq(sink.ready),
                sink.payload.data.eq(source.payload.data),
                sink.payload.last.eq(source.payload.last),
            ]
        m.d.comb += [
            line.rx.eq(self.rx),
            self.tx.eq(line.tx),
            server.damaged.eq(line.damaged),
            self.active.eq(server.active | line.busy),
            server.loaded.eq(engine.loaded),
            server.refused.eq(engine.failed),
            server.number.eq(engine.number),
            Cat(server.wrong, server.foreign).eq(marks),
            engine.written.ready.eq(1),
            engine.retired.ready.eq(1),
        ]
        if self.flash is not None:
            m.submodules.flash = flash = self.flash
            connect(m, engine.memory, flash.port)
        if self.sdram is not None:
            m.submodules.sdram = sdram = self.sdram
            m.submodules.fill = fill = ResetInserter(server.restart)(MemoryFill(sdram.timing.data_bits))
            connect(m, engine.memory, sdram.port)
            connect(m, fill.words, sdram.fill)
            m.d.comb += [
                fill.i.valid.eq(server.memory.valid),
                server.memory.ready.eq(fill.i.ready),
                fill.i.payload.data.eq(server.memory.payload.data),
                fill.i.payload.last.eq(server.memory.payload.last),
                sdram.fill_restart.eq(fill.restart),
                sdram.fill_place.eq(fill.place),
            ]
        for name, flow in self.lines.items():
            line, pad = getattr(self.flash or self.sdram, name.partition("_")[2]), getattr(self, name)
            m.d.comb += line.eq(pad) if flow.flow == In else pad.eq(line)
        return m
