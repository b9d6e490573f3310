"""An operand that is not always asked: of which a beat is taken in its turns alone."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, ShapeLike
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .cost import NOTHING
from .layouts import ArrayLayout


class TurnOperand(Component):
    """A stream of which a beat is taken in its turns alone.

    A beat in each cycle of a turn at most. Latency 0. Cost: nothing but the gates of the handshake.

    Args:
        shape: of an element.
        lanes: of them in a beat.

    Members: as of :class:`~mbconv.hdl.operand.Operand`, and
        turn: ``In(1)``, a beat is asked for; outside its turns ``available`` is high and nothing is taken
    """

    multipliers = 0
    memory_bits = 0
    latency = 0
    cycles_per_beat = 1
    own_cost = NOTHING

    def __init__(self, shape: ShapeLike, lanes: int):
        self.shape, self.lanes = Shape.cast(shape), lanes
        self.beat = ArrayLayout(self.shape, lanes)
        members = {"available": Out(1), "claim": In(1), "turn": In(1), "value": Out(self.beat)}
        super().__init__({"i": In(Signature(self.beat)), **members})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += [
            self.available.eq(self.i.valid | ~self.turn),
            self.i.ready.eq(self.claim & self.turn),
            self.value.eq(self.i.payload),
        ]
        return m
