"""A register between two streams."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..cost import Cost


class StreamRegister(Component):
    """Holds one payload: no path leads from one stream to the other, in either direction.

    A payload every second cycle, which is enough for the bytes of a line; ``latency`` 1. Cost: a register of the
    payload and one bit.

    Members:
        i: ``In(stream.Signature(shape))``, o: ``Out(stream.Signature(shape))``
    """

    latency = 1
    cycles_per_beat = 2

    def __init__(self, shape: ShapeLike):
        self.shape = shape
        super().__init__({"i": In(Signature(shape)), "o": Out(Signature(shape))})

    @property
    def own_cost(self) -> Cost:
        return Cost(Shape.cast(self.shape).width + 1)

    def elaborate(self, platform) -> Module:
        m = Module()
        held = Signal(self.shape, reset_less=True)
        full = Signal()
        m.d.comb += [self.i.ready.eq(~full), self.o.valid.eq(full), self.o.p.eq(held)]
        with m.If(~full):
            m.d.sync += [held.eq(self.i.p), full.eq(self.i.valid)]
        with m.Elif(self.o.ready):
            m.d.sync += full.eq(0)
        return m
