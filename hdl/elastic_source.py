"""A stream that may pause, made into one that never does for those who ask first."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .family import GENERIC, Family
from .fifo import Fifo
from .primitives import address_width


class ElasticSource(Component):
    """The opposite of a :class:`~mbconv.hdl.credit_queue.CreditQueue`: beats are claimed where work is issued, so that
    a take never fails.

    A pipeline without enables takes its weights from a source that never starves. A memory is one by itself
    (:class:`~mbconv.hdl.rom_source.RomSource`); anything that may pause, such as flash, stands behind this queue.

    ``at_hand`` says that ``step`` beats have arrived and are unclaimed; in a cycle with it ``claim`` claims
    ``claim_count`` of them, to be taken ``latency`` cycles later at the earliest. Cost: that of the queue, and a
    counter.

    Args:
        shape: of a beat's payload.
        depth: beats that are here at once: those claimed and not taken, and at least ``step`` more.
        step: the most beats claimed at a time.

    Members:
        i: ``In(stream.Signature(shape))``
        at_hand: ``Out(1)``
        claim: ``In(1)``, only where ``at_hand``; claim_count: ``In(range(step + 1))``, ``step`` unless driven
        o: ``Out(stream.Signature(shape, always_valid=True))``

    Raises:
        ValueError: a depth below ``step``, or a step below 1.
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(self, shape: ShapeLike, depth: int, step: int = 1, *, family: Family = GENERIC):
        if not 1 <= step <= depth:
            raise ValueError(f"{step} beats cannot be claimed at a time of a queue of {depth}")
        self.depth, self.step = depth, step
        self.fifo = Fifo(shape, depth, family=family)
        super().__init__(
            {
                "i": In(Signature(shape)),
                "at_hand": Out(1),
                "claim": In(1),
                "claim_count": In(range(step + 1), init=step),
                "o": Out(Signature(shape, always_valid=True)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a beat's claim to the first in which it may be taken."""
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
        connect(m, flipped(self.i), self.fifo.i)
        # Beats that have arrived and are unclaimed, less a step: its sign says that they are too few.
        spare = Signal(range(-self.step, self.depth - self.step + 1), init=-self.step)
        arrived = self.i.valid & self.i.ready
        m.d.sync += spare.eq(spare + arrived - Mux(self.claim, self.claim_count, 0))
        m.d.comb += [
            self.at_hand.eq(~spare[-1]),
            self.o.payload.eq(self.fifo.o.payload),
            self.fifo.o.ready.eq(self.o.ready),
        ]
        return m
