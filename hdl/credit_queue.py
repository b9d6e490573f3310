"""A queue whose space is reserved before its beats are made."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .family import GENERIC, Family
from .fifo import Fifo
from .primitives import address_width


def least_depth(pipeline: int, family: Family, interval: int = 1) -> int:
    """The least depth that sustains a beat every ``interval`` cycles, reserved ``pipeline`` cycles before it is pushed
    and taken as soon as it is there."""
    depth = 1
    # A place is taken from its reservation until the cycle after its beat leaves; a deeper queue may be slower.
    while (needed := -(-(pipeline + family.queue_latency(depth) + 1) // interval)) > depth:
        depth = needed
    return depth


class CreditQueue(Component):
    """The queue at the end of a pipeline without enables: space is reserved where work is issued, so a push never
    fails.

    ``room`` says that ``step`` beats are unreserved; in a cycle with ``room``, ``reserve`` takes ``reserve_count`` of
    them. A beat taken from ``o`` gives one back, visible in the next cycle. ``o.valid`` rises ``latency`` cycles after
    ``push``. ``room`` is the sign of a counter.

    Cost: that of :class:`~mbconv.hdl.fifo.Fifo`, and the counter.

    Members:
        room: ``Out(1)``
        reserve: ``In(1)``, only where ``room``
        reserve_count: ``In(range(step + 1))``, ``step`` unless driven
        push: ``In(1)``, payload: ``In(shape)``
        o: ``Out(stream.Signature(shape))``

    Raises:
        ValueError: a depth below ``step``, or a step below 1.
    """

    multipliers = 0

    def __init__(self, shape: ShapeLike, depth: int, step: int = 1, *, family: Family = GENERIC):
        if step < 1:
            raise ValueError(f"at least one beat is reserved at a time, not {step}")
        if depth < step:
            raise ValueError(f"a queue of {depth} beats cannot hold the {step} beats reserved at a time")
        self.depth, self.step = depth, step
        self.fifo = Fifo(shape, depth, family=family)
        super().__init__(
            {
                "room": Out(1),
                "reserve": In(1),
                "reserve_count": In(range(step + 1), init=step),
                "push": In(1),
                "payload": In(shape),
                "o": Out(Signature(shape)),
            }
        )

    @property
    def cycles_per_beat(self) -> int:
        return self.fifo.cycles_per_beat

    @property
    def latency(self) -> int:
        return self.fifo.latency

    @property
    def memory_bits(self) -> int:
        return self.fifo.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A counter."""
        return Cost(2 * address_width(self.depth) + 5)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fifo = self.fifo
        # Unreserved beats, less those that one reservation takes: its sign says that there is no room.
        free = Signal(range(-self.step, self.depth - self.step + 1), init=self.depth - self.step)
        given = self.o.valid & self.o.ready
        m.d.comb += [
            self.room.eq(~free[-1]),
            self.fifo.i.valid.eq(self.push),
            self.fifo.i.payload.eq(self.payload),
        ]
        m.d.sync += free.eq(free + given - Mux(self.reserve, self.reserve_count, 0))
        connect(m, self.fifo.o, flipped(self.o))
        return m
