"""The engine as it is simulated: programs and frames come in one stream, in their order."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, unsigned
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


class TimedMemory(Component):
    """A memory of weights as :class:`~mbconv.generators.engine.memory_timing.MemoryTiming` describes it; its beats come
    from a source, those of a frame after those of another.

    Members: source: ``In``, beats; port: ``In`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`, as a controller
    sees it.
    """

    def __init__(self, port_bytes: int, timing: MemoryTiming):
        self.period, self.latency = timing.period(port_bytes), timing.latency
        super().__init__({"source": In(Signature(unsigned(8 * port_bytes))), "port": In(weight_port(port_bytes))})

    def elaborate(self, platform) -> Module:
        m = Module()
        number, parts = self.period.numerator, self.period.denominator
        wait = Signal(range(max(self.latency, number // parts + 1) + 1))
        rest = Signal(range(parts))
        beat = self.port.words
        m.d.comb += [
            beat.valid.eq(self.source.valid & (wait == 0)),
            beat.payload.eq(self.source.payload),
            self.source.ready.eq(beat.ready & (wait == 0)),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.If(beat.valid & beat.ready):
            following = rest + number
            m.d.sync += [wait.eq(following // parts - 1), rest.eq(following % parts)]
        with m.If(self.port.restart):
            m.d.sync += [wait.eq(self.latency), rest.eq(0)]
        return m


class EngineBench(Component):
    """An engine between one source and one sink; ``program`` says where a byte belongs. Weights from outside have a
    source of their own, behind a memory's timing.

    Members: i: ``In(stream.Signature(offered_layout))``; memory: ``In``, beats; o:
    ``Out(stream.Signature(RESULT_BYTE))``; loaded, failed: ``Out(1)``
    """

    multipliers = 0

    def __init__(self, engine: Engine, timing: MemoryTiming | None = None):
        self.engine, self.timed = engine, None
        members = {
            "i": In(Signature(offered_layout(engine.parameters))),
            "o": Out(Signature(RESULT_BYTE)),
            "loaded": Out(1),
            "failed": Out(1),
        }
        if engine.parameters.port_bytes:
            assert timing is not None
            self.timed = TimedMemory(engine.parameters.port_bytes, timing)
            members["memory"] = In(Signature(unsigned(8 * engine.parameters.port_bytes)))
        super().__init__(members)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = separate(self.engine, "engine")
        if self.timed is not None:
            m.submodules.timed = timed = self.timed
            connect(m, engine.memory, timed.port)
            connect(m, flipped(self.memory), timed.source)
        program = self.i.payload.program
        for port, chosen in ((engine.program, program), (engine.i, ~program)):
            m.d.comb += [
                port.valid.eq(self.i.valid & chosen),
                port.payload.data.eq(self.i.payload.data[: len(port.payload.data)]),
                port.payload.last.eq(self.i.payload.last),
            ]
        m.d.comb += [
            self.i.ready.eq((program & engine.program.ready) | (~program & engine.i.ready)),
            self.o.valid.eq(engine.o.valid),
            self.o.payload.eq(engine.o.payload),
            engine.o.ready.eq(self.o.ready),
            engine.written.ready.eq(1),
            engine.retired.ready.eq(1),
            self.loaded.eq(engine.loaded),
            self.failed.eq(engine.failed),
        ]
        return m
