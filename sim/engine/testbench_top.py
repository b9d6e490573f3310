"""The engine as it is simulated: programs and frames come in one stream, in their order."""

from __future__ import annotations

from pathlib import Path

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from mbconv.generators.engine.memory_timing import MemoryTiming
from mbconv.hdl.engine.edges import RESULT_BYTE
from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.weight_port import weight_port
from mbconv.hdl.separate import separate


def offered_layout(parameters: EngineParameters) -> StructLayout:
    """A beat of a frame, or a byte of a program."""
    return StructLayout({"data": unsigned(8 * parameters.input_elements), "last": unsigned(1), "program": unsigned(1)})


MEMORY = Path(__file__).with_name("mbconv_weight_memory.v")
"""The module of the memory outside."""

FILL_BEATS = 16
"""Of the memory's port, in a beat that fills it."""


def fill_layout(port_bytes: int) -> StructLayout:
    """A beat that fills the memory: words from its first on; of the first beat the lowest 16 bits are a seed instead,
    of the pauses that the memory makes, 0: none."""
    return StructLayout({"words": unsigned(8 * port_bytes * FILL_BEATS), "last": unsigned(1)})


class TimedMemory(Component):
    """A memory of weights as :class:`~mbconv.generators.engine.memory_timing.MemoryTiming` describes it, filled before
    a program is uploaded.

    Members: fill: ``In(stream.Signature(fill_layout))``; room: ``In(1)``, nothing reads; filled: ``Out(1)``, until
    ``empty``: ``In(1)``; port: ``In`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`, as a controller sees it.
    """

    def __init__(self, parameters: EngineParameters, timing: MemoryTiming, rows: int):
        self.parameters, self.rows = parameters, rows
        self.period, self.latency = timing.period(parameters.port_bytes), timing.latency
        super().__init__(
            {
                "fill": In(Signature(fill_layout(parameters.port_bytes))),
                "room": In(1),
                "filled": Out(1),
                "empty": In(1),
                "port": In(weight_port(parameters.port_bytes, places=bool(parameters.overlaps))),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        beat, restart = self.port.words, self.port.restart
        width = 8 * self.parameters.port_bytes
        address = range(self.rows)
        row, row_read = Signal(address), Signal(address)
        words = Signal(width * FILL_BEATS)
        headed = Signal()
        at = Signal(range(self.rows * FILL_BEATS))
        noise = Signal(16)
        taken = self.fill.valid & self.fill.ready
        m.d.comb += [
            self.fill.ready.eq(self.room & ~self.filled),
            row_read.eq(at >> (FILL_BEATS - 1).bit_length()),
        ]
        m.submodules.memory = Instance(
            MEMORY.stem,
            ("p", "WIDTH", len(words)), ("p", "DEPTH", self.rows), ("p", "ADDRESS_WIDTH", len(row)),
            ("i", "clk", ClockSignal()), ("i", "w_en", taken & headed), ("i", "w_addr", row),
            ("i", "w_data", self.fill.payload.words), ("i", "r_addr", row_read), ("o", "r_data", words),
        )  # fmt: skip
        m.d.sync += noise.eq(Cat(noise[1:], noise[0] ^ noise[2] ^ noise[3] ^ noise[5]))
        with m.If(taken):
            m.d.sync += [headed.eq(~self.fill.payload.last), row.eq(Mux(headed, row + 1, 0))]
            m.d.sync += self.filled.eq(self.fill.payload.last)
            with m.If(~headed):
                m.d.sync += noise.eq(self.fill.payload.words)
        with m.If(self.empty):
            m.d.sync += self.filled.eq(0)

        number, parts = self.period.numerator, self.period.denominator
        wait = Signal(range(max(self.latency, number // parts + 1) + 16))
        rest = Signal(range(parts))
        reading = Signal()
        m.d.comb += [
            beat.valid.eq(reading & (wait == 0)),
            beat.payload.eq(words.word_select(at[: (FILL_BEATS - 1).bit_length()], width)),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.If(beat.valid & beat.ready):
            following = rest + number
            pause = Mux(noise[:2] == 3, noise[4:8], 0)
            m.d.sync += [wait.eq(following // parts - 1 + pause), rest.eq(following % parts), at.eq(at + 1)]
        with m.If(restart):
            place = self.port.place if self.parameters.overlaps else Const(0)
            m.d.sync += [wait.eq(self.latency), rest.eq(0), reading.eq(1)]
            m.d.sync += at.eq(place * (4 // self.parameters.port_bytes))
        return m


class EngineTestbench(Component):
    """An engine between one source and one sink; ``program`` says where a byte belongs. Weights from outside have a
    source of their own, which fills a memory of so many ``rows`` before each program.

    Members: i: ``In(stream.Signature(offered_layout))``; memory: ``In``, of :func:`fill_layout`; o:
    ``Out(stream.Signature(RESULT_BYTE))``; loaded, failed: ``Out(1)``
    """

    multipliers = 0

    def __init__(self, engine: Engine, timing: MemoryTiming | None = None, rows: int = 0):
        self.engine, self.timed = engine, None
        members = {
            "i": In(Signature(offered_layout(engine.parameters))),
            "o": Out(Signature(RESULT_BYTE)),
            "loaded": Out(1),
            "failed": Out(1),
        }
        if engine.parameters.port_bytes:
            assert timing is not None
            self.timed = TimedMemory(engine.parameters, timing, rows)
            members["memory"] = In(Signature(fill_layout(engine.parameters.port_bytes)))
        super().__init__(members)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = separate(self.engine, "engine")
        if self.timed is not None:
            m.submodules.timed = timed = self.timed
            connect(m, engine.memory, timed.port)
            connect(m, flipped(self.memory), timed.fill)
        program = self.i.payload.program
        waits: Value = Const(0)  # a program, until the memory is filled
        if self.timed is not None:
            waits = program & ~self.timed.filled
            m.d.comb += [
                self.timed.room.eq(self.i.valid & program & engine.program.ready),
                self.timed.empty.eq(engine.program.valid & engine.program.ready & self.i.payload.last),
            ]
        for port, chosen in ((engine.program, program), (engine.i, ~program)):
            m.d.comb += [
                port.valid.eq(self.i.valid & chosen & ~waits),
                port.payload.data.eq(self.i.payload.data[: len(port.payload.data)]),
                port.payload.last.eq(self.i.payload.last),
            ]
        m.d.comb += [
            self.i.ready.eq((program & engine.program.ready & ~waits) | (~program & engine.i.ready)),
            self.o.valid.eq(engine.o.valid),
            self.o.payload.eq(engine.o.payload),
            engine.o.ready.eq(self.o.ready),
            engine.written.ready.eq(1),
            engine.retired.ready.eq(1),
            self.loaded.eq(engine.loaded),
            self.failed.eq(engine.failed),
        ]
        return m
