"""The engine as it is simulated: programs and frames come in one stream, in their order."""

from __future__ import annotations

from amaranth.hdl import Module, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from mbconv.hdl.engine.edges import RESULT_BYTE
from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.separate import separate

OFFERED = StructLayout({"data": unsigned(8), "last": unsigned(1), "program": unsigned(1)})
"""A byte of a frame, or of a program."""


class EngineBench(Component):
    """An engine between one source and one sink; ``program`` says where a byte belongs.

    Members: i: ``In(stream.Signature(OFFERED))``; o: ``Out(stream.Signature(RESULT_BYTE))``; loaded, failed: ``Out(1)``
    """

    multipliers = 0

    def __init__(self, engine: Engine):
        self.engine = engine
        super().__init__(
            {"i": In(Signature(OFFERED)), "o": Out(Signature(RESULT_BYTE)), "loaded": Out(1), "failed": Out(1)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = separate(self.engine, "engine")
        program = self.i.payload.program
        for port, chosen in ((engine.program, program), (engine.i, ~program)):
            m.d.comb += [
                port.valid.eq(self.i.valid & chosen),
                port.payload.data.eq(self.i.payload.data),
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
