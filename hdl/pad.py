"""Constant elements around a map, in rows, columns and channels, and between its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Const, Module, Mux, Shape, ShapeLike, Signal, Value

from .cost import Cost
from .counting import advance
from .elementwise import Elementwise
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .turn_operand import TurnOperand
from .value_tables import value_range


@dataclass(frozen=True)
class PaddedRaster:
    """Rows, columns and beats of a pixel of a map, how many are added before and behind them, and how far apart they
    lie: 1 where nothing is put between them.

    Raises:
        ValueError: an extent or a distance below 1, or fewer than none added.
    """

    raster: tuple[int, int, int]
    before: tuple[int, int, int]
    behind: tuple[int, int, int]
    distance: tuple[int, int, int] = (1, 1, 1)

    def __post_init__(self) -> None:
        if min(*self.raster, *self.distance) < 1 or min(*self.before, *self.behind) < 0:
            raise ValueError(
                f"{self.before} and {self.behind} are not added to a raster of {self.raster}, {self.distance} apart"
            )

    @property
    def ends(self) -> tuple[int, ...]:
        """Where the map ends in the output, along each axis."""
        axes = zip(self.before, self.raster, self.distance, strict=True)
        return tuple(first + (count - 1) * distance + 1 for first, count, distance in axes)

    @property
    def padded(self) -> tuple[int, ...]:
        """Rows, columns and beats of a pixel of the output."""
        return tuple(map(sum, zip(self.ends, self.behind, strict=True)))

    @property
    def positions(self) -> np.ndarray:
        """The beats of an output frame with which the map's are taken, int64 in rising order: its own, but the first
        with the frame's first."""
        beats = np.arange(int(np.prod(self.padded)), dtype=np.int64).reshape(self.padded)
        own = beats[tuple(map(slice, self.before, self.ends, self.distance))].ravel()
        own[0] = 0
        return own


class Pad(Elementwise):
    """The map's beats where they are, a constant elsewhere: around them, and between them.

    ::

        i ─►┌───────────┐   ┌───────┐
            │ position  ├──►│ queue ├──► o
        c ─►└───────────┘   └───────┘

    A frame begins with its map's first beat, which is kept until its place: what is before it is not given before the
    map comes. Latency: 1 and the queue's. Cycles per frame: its beats, the added ones included. Cost: no multiplier;
    counters of the output's raster, a selection, that beat; ``memory_bits`` of the queue.

    Args:
        shape: of an element.
        lanes: of both streams.
        raster: of the map and what is added.
        value: of the added elements.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        i: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: a value that the shape does not hold, or no lane.
    """

    def __init__(
        self,
        shape: ShapeLike,
        lanes: int,
        raster: PaddedRaster,
        value: int,
        *,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        low, high = value_range(Shape.cast(shape))
        if lanes < 1 or not low <= value <= high:
            raise ValueError(f"{lanes} lanes of {value} are not added to elements of {low} to {high}")
        self.raster, self.value = raster, value
        self.inside = TurnOperand(shape, lanes)
        super().__init__({"i": self.inside}, shape, lanes, 1, queue_depth=queue_depth, family=family)

    @property
    def own_cost(self) -> Cost:
        """A counter for each axis and what is compared with it, one between elements, a selection for each bit."""
        counters = sum((extent - 1).bit_length() for extent in (*self.raster.padded, *self.raster.distance))
        return Cost(self.lanes * self.shape.width + 3 * counters)

    def datapath(self, m: Module, taken: Value, x: Value) -> Sequence[Value]:
        step, turn = taken[0], Const(1)
        for axis in (2, 1, 0):
            inside, step = self._axis(m, axis, step)
            turn = turn & inside
        take: Value = turn
        if any(self.raster.before):
            x, take = self._kept(m, taken[0], turn, x, step)
        m.d.comb += self.inside.turn.eq(take)
        chosen = Signal(ArrayLayout(self.shape, self.lanes), reset_less=True)
        for lane in range(self.lanes):
            m.d.sync += chosen[lane].eq(Mux(turn, x[lane], self.value))
        return [chosen[lane] for lane in range(self.lanes)]

    def _kept(self, m: Module, step: Value, turn: Value, x: Value, ends: Value) -> tuple[Value, Value]:
        """The beat that is due, the first one kept from the frame's beginning, and whether one is to be taken."""
        begins, waits = Signal(init=1), Signal()
        first = Signal(ArrayLayout(self.shape, self.lanes), reset_less=True)
        with m.If(step):
            m.d.sync += [begins.eq(ends), waits.eq(begins | (waits & ~turn))]
            with m.If(begins):
                m.d.sync += first.eq(x)
        due = Signal(ArrayLayout(self.shape, self.lanes))
        m.d.comb += due.eq(Mux(waits, first.as_value(), x.as_value()))
        return due, begins | (turn & ~waits)

    def _axis(self, m: Module, axis: int, step: Value) -> tuple[Value, Value]:
        """Whether the next beat is one of the map's along an axis, and the step of the axis around it."""
        extent, first, behind = self.raster.padded[axis], self.raster.before[axis], self.raster.ends[axis]
        count = Signal(range(extent), name=f"count_{axis}")
        last = count == extent - 1
        with m.If(step):
            advance(m, count, extent)
        turn = self._between(m, axis, step, last)
        if extent == behind - first:
            return turn, step & last
        inside = Signal(name=f"inside_{axis}", init=first == 0)
        following = Mux(count == behind - 1, 0, inside)
        if first:
            following = Mux(count == first - 1, 1, following)
        with m.If(step):
            m.d.sync += inside.eq(Mux(last, first == 0, following))
        return inside & turn, step & last

    def _between(self, m: Module, axis: int, step: Value, last: Value) -> Value:
        """Whether the next beat is where one of the map's would be if it had no ends along an axis."""
        distance = self.raster.distance[axis]
        if distance == 1:
            return Const(1)
        first = self.raster.before[axis] % distance
        left = Signal(range(distance), name=f"left_{axis}", init=first)
        with m.If(step):
            m.d.sync += left.eq(Mux(last, first, Mux(left == 0, distance - 1, left - 1)))
        return left == 0
