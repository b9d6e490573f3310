"""One stream to several readers."""

from __future__ import annotations

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .cost import NOTHING


class Fork(Component):
    """Gives each beat to every output once, when that output is ready; the beat is taken when the last one has it.

    An output that is ahead waits for the others (an eager fork): readers that must drift apart need queues behind it.
    ``valid`` of an output depends on no ``ready``, so readers that join again cannot deadlock within a beat.

    One beat per cycle, latency 0. Cost: one flip-flop for each output, which is not estimated.

    Args:
        shape: of the payload.
        outputs: number of readers.

    Members:
        i: ``In(stream.Signature(shape))`` o0, o1, …: ``Out(stream.Signature(shape))``

    Raises:
        ValueError: no output.
    """

    latency = 0
    multipliers = 0
    memory_bits = 0
    own_cost = NOTHING

    def __init__(self, shape: ShapeLike, outputs: int):
        if outputs < 1:
            raise ValueError(f"a fork has at least one output, not {outputs}")
        self.shape, self.outputs = shape, outputs
        super().__init__({"i": In(Signature(shape))} | {f"o{index}": Out(Signature(shape)) for index in range(outputs)})

    def elaborate(self, platform) -> Module:
        m = Module()
        done = Signal(self.outputs)  # outputs that have the present beat already
        now = Signal(self.outputs)
        for index in range(self.outputs):
            o = getattr(self, f"o{index}")
            m.d.comb += [
                o.payload.eq(self.i.payload),
                o.valid.eq(self.i.valid & ~done[index]),
                now[index].eq(done[index] | o.ready),
            ]
        m.d.comb += self.i.ready.eq(now.all())
        with m.If(self.i.valid):
            for index in range(self.outputs):
                m.d.sync += done[index].eq(now[index] & ~self.i.ready)
        return m
