"""The rests of several pixels, which come first, in front of the other beats of the pixels that they begin."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .counting import advance
from .family import GENERIC, Family
from .fifo import Fifo


class RestQueue(Component):
    """Puts beats in the order of pixels: ``pixels`` times ``rest`` beats come first, then ``pixels`` times ``own``;
    ``rest`` beats of the one and ``own`` of the other leave in turn.

    ::

                 rests  ┌──────────────────────┐
             ┌─────────►│ queue of all of them ├──┐
        i ───┤          └──────────────────────┘  ├──► o
             └────────────────────────────────────┘
                 the other beats: wires

    It takes each rest at once: the last of a period's rests has left before its last other beats pass. A rest is at
    ``o`` ``latency`` cycles after it was taken, if its turn has come; the other beats pass in the cycle in which they
    are there and theirs has.

    Cycles per period, where nothing else waits: those of its beats, and those in which nothing is taken since the rests
    of all but the first pixel leave, or the first rest comes through the queue:
    pixels · (rest + own) + max((pixels − 1) · rest, latency). Cost: the queue, a selection of each bit, counters.

    Args:
        shape: of a beat.
        rest, own: beats of a pixel that come first, and its others; at least one of each.
        pixels: whose rests come together.

    Members:
        i: ``In(stream.Signature(shape))``
        o: ``Out(stream.Signature(shape))``

    Raises:
        ValueError: a count below 1.
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(self, shape: ShapeLike, rest: int, own: int, pixels: int, *, family: Family = GENERIC):
        for name, value in (("rest", rest), ("own", own), ("pixels", pixels)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        self.shape, self.rest, self.own, self.pixels = shape, rest, own, pixels
        self.queue = Fifo(shape, pixels * rest, family=family)
        super().__init__({"i": In(Signature(shape)), "o": Out(Signature(shape))})

    @property
    def latency(self) -> int:
        """Cycles from taking a rest to its beat at ``o``."""
        return self.queue.latency

    @property
    def cycles_per_period(self) -> int:
        behind = (self.pixels - 1) * self.rest
        return self.pixels * (self.rest + self.own) + max(behind, self.latency)

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A selection and counters."""
        return Cost(Shape.cast(self.shape).width + 3 * (self.pixels * (self.rest + self.own)).bit_length())

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = self.queue
        resting = Signal(init=1)  # beats that come are rests
        coming = Signal(range(self.pixels * max(self.rest, self.own)))  # of the rests, or of the others
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += coming.eq(coming + 1)
            with m.If(Mux(resting, coming == self.pixels * self.rest - 1, coming == self.pixels * self.own - 1)):
                m.d.sync += [coming.eq(0), resting.eq(~resting)]

        place = Signal(range(self.rest + self.own))  # of a pixel's beats, the one that leaves next
        turn = place < self.rest
        with m.If(self.o.valid & self.o.ready):
            advance(m, place, self.rest + self.own)
        m.d.comb += [
            self.queue.i.valid.eq(self.i.valid & resting),
            self.queue.i.payload.eq(self.i.payload),
            self.queue.o.ready.eq(self.o.ready & turn),
            self.i.ready.eq(Mux(resting, self.queue.i.ready, self.o.ready & ~turn)),
            self.o.valid.eq(Mux(turn, self.queue.o.valid, self.i.valid & ~resting)),
            Value.cast(self.o.payload).eq(Mux(turn, Value.cast(self.queue.o.payload), Value.cast(self.i.payload))),
        ]
        return m
