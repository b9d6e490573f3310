"""A map enlarged in both directions: its pixels repeated, or others made between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Const, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost, MemoryCost
from .counting import advance, delayed
from .elementwise import Elementwise
from .family import GENERIC, Family
from .interpolate import Interpolate
from .layouts import ArrayLayout
from .primitives import Ram, address_width
from .round_memory import RoundMemory
from .turn_operand import TurnOperand


@dataclass(frozen=True)
class EnlargedAxis:
    """What each place of an axis of the output is made of.

    Args:
        newest: the last element of the input that a place needs; it begins with 0 and goes on by at most one.
        weights: of the element before it, in parts of ``1 << bits``; the newest has the rest.
        bits: of the weights.

    Raises:
        ValueError: elements that are skipped, or weights that the bits do not hold.
    """

    newest: tuple[int, ...]
    weights: tuple[int, ...]
    bits: int

    def __post_init__(self) -> None:
        steps = np.diff(self.newest)
        if not self.newest or self.newest[0] or (steps.size and not 0 <= steps.min() <= steps.max() <= 1):
            raise ValueError(f"an enlarged axis passes every element in turn, not {self.newest[:8]}")
        if len(self.weights) != len(self.newest) or not 0 <= min(self.weights) <= max(self.weights) < 1 << self.bits:
            raise ValueError(f"weights of {self.bits} bits for {len(self.newest)} places are not {self.weights[:8]}")

    @property
    def size(self) -> int:
        """Elements of the input."""
        return self.newest[-1] + 1

    @property
    def places(self) -> int:
        """Elements of the output."""
        return len(self.newest)

    @property
    def repeats(self) -> bool:
        """Whether any element is used again."""
        return self.places > self.size

    @property
    def fresh(self) -> tuple[bool, ...]:
        """Whether a place is the first that needs its newest element."""
        return (True, *(np.diff(self.newest) > 0).tolist())


class EnlargedSequence(Component):
    """Walks over the places of an axis, again and again; counts one place ahead, so that every output is a register.

    A place each cycle at most. Cost: a counter, and a table of the axis' places for ``fresh`` and ``weight``.

    Args:
        axis: of the resized map.

    Members:
        advance: ``In(1)``, go to the next place at the end of this cycle
        fresh, last: ``Out(1)``, the place takes another element than the one before, is the axis' last; weight:
            ``Out(bits)``, of the element before, in parts of 2^bits
        fresh_next: ``Out(1)``, of the next place
    """

    multipliers = 0
    memory_bits = 0
    cycles_per_beat = 1

    def __init__(self, axis: EnlargedAxis):
        self.axis = axis
        super().__init__(
            {
                "advance": In(1),
                "fresh": Out(1, init=1),
                "last": Out(1, init=axis.places == 1),
                "weight": Out(axis.bits, init=axis.weights[0]),
                "fresh_next": Out(1),
            }
        )

    @property
    def own_cost(self) -> Cost:
        """A table of all places, and a counter."""
        width = self.axis.bits + int(self.axis.repeats)
        table = MemoryCost(width, self.axis.places, constant=True, read_at_once=True)
        return Cost(2 * address_width(self.axis.places), (table,) if width else ())

    def elaborate(self, platform) -> Module:
        m = Module()
        axis = self.axis
        ahead = Signal(range(axis.places), init=1 % axis.places)
        weight_next = Signal(axis.bits)
        kinds = sorted(set(zip(axis.fresh, axis.weights, strict=True)))
        with m.Switch(ahead):
            for fresh, weight in kinds:
                alike = [
                    place for place in range(axis.places) if (axis.fresh[place], axis.weights[place]) == (fresh, weight)
                ]
                with m.Case(*alike):
                    m.d.comb += [self.fresh_next.eq(fresh), weight_next.eq(weight)]
        with m.If(self.advance):
            advance(m, ahead, axis.places)
            m.d.sync += [
                self.fresh.eq(self.fresh_next),
                self.weight.eq(weight_next),
                self.last.eq(ahead == axis.places - 1),
            ]
        return m


class Resize(Elementwise):
    """Every place of the output between two rows and two columns of the map, or on them.

    ::

        i ─►┌──────────┐ newest ┌─────────┐   ┌─────────────┐ newest ┌─────────┐   ┌───────┐   ┌───────┐
            │ two rows ├───────►│ between │   │ of a pixel, │───────►│ between │   │       │   │       │
            │ of beats ├───────►│ rows    ├──►│ two columns │───────►│ columns ├──►│ round ├──►│ queue ├──► o
            └──────────┘ before └─────────┘   └─────────────┘ before └─────────┘   └───────┘   └───────┘

    A beat of the map is taken with the first place that needs it and kept until the last that does: in the row that it
    replaces. Sums are exact, with all bits of both weights, and rounded once, halves away from zero. What has one
    weight alone (nearest neighbours, whole places) is repeated: one row, no sums.

    Latency: the memory's where anything is repeated, :class:`~mbconv.hdl.interpolate.Interpolate`'s of rows and of
    columns, 1 between them, 1 and the queue's. Cycles per frame: the beats of its output. Cost: no multiplier of a
    plan; products in rows of adders; ``memory_bits`` of one row or two (of a pixel where no row is repeated), of a
    pixel between rows for two columns, and of the queue.

    Args:
        shape: of an element.
        lanes: of both streams.
        beats: of a pixel.
        rows, columns: see :class:`EnlargedAxis`.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        i: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: no lane, or no beat.
    """

    def __init__(
        self,
        shape: ShapeLike,
        lanes: int,
        beats: int,
        rows: EnlargedAxis,
        columns: EnlargedAxis,
        *,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        if min(lanes, beats) < 1:
            raise ValueError(f"{beats} beats of {lanes} lanes are no pixel")
        self.beats, self.rows, self.columns = beats, rows, columns
        self.kept = beats * (columns.size if rows.repeats else 1)
        beat = ArrayLayout(shape, lanes)
        count = (2 if rows.bits else 1) if rows.repeats or columns.repeats else 0
        self.memories = [Ram(beat, self.kept, family=family) for _ in range(count)]
        self.memory_latency = self.memories[0].latency if self.memories else 0
        self.between_rows = Interpolate(shape, lanes, rows.bits, family=family)
        self.between_columns = Interpolate(self.between_rows.between, lanes, columns.bits, family=family)
        self.passed = None
        if columns.bits:
            of_pixel = ArrayLayout(ArrayLayout(self.between_rows.between, lanes), 2)
            self.passed = RoundMemory(of_pixel, beats, family=family)
        self.sequences = EnlargedSequence(rows), EnlargedSequence(columns)
        self.inside = TurnOperand(shape, lanes)
        latency = self._columns_at + self.between_columns.latency + 1
        super().__init__({"i": self.inside}, shape, lanes, latency, queue_depth=queue_depth, family=family)

    @property
    def positions(self) -> np.ndarray:
        """The beats of an output frame with which the map's are taken, int64 in rising order."""
        shape = self.rows.places, self.columns.places, self.beats
        beats = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        return beats[np.array(self.rows.fresh)][:, np.array(self.columns.fresh)].ravel()

    @property
    def _rows_done(self) -> int:
        """Cycles from taking a beat to what lies between its rows."""
        return self.memory_latency + self.between_rows.latency

    @property
    def _columns_at(self) -> int:
        """Cycles from taking a beat to its two columns."""
        return self._rows_done + int(self.passed is not None)

    @property
    def memory_bits(self) -> int:
        passed = self.passed.memory_bits if self.passed is not None else 0
        return sum(memory.memory_bits for memory in self.memories) + passed + self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """Places in the memory, selections of a row and of a column, a sum that rounds."""
        rounding = self.lanes * self.between_columns.between.width if self.rows.bits + self.columns.bits else 0
        selections = self.lanes * self.shape.width * 3 if self.memories else 0
        columns = self.lanes * self.between_rows.between.width if self.passed is not None else 0
        return Cost(rounding + selections + columns + 3 * address_width(self.kept) + address_width(self.beats))

    def datapath(self, m: Module, taken: Value, x: Value) -> Sequence[Value]:
        rows, columns = self.sequences
        m.submodules.rows, m.submodules.columns = rows, columns
        m.submodules.between_rows, m.submodules.between_columns = self.between_rows, self.between_columns
        beat, last_beat, fresh = Signal(range(self.beats)), Signal(), Signal()
        with m.If(taken[0]):
            advance(m, beat, self.beats)
        m.d.comb += [
            last_beat.eq(beat == self.beats - 1),
            columns.advance.eq(taken[0] & last_beat),
            rows.advance.eq(columns.advance & columns.last),
            fresh.eq(rows.fresh & columns.fresh),
            self.inside.turn.eq(fresh),
        ]
        newest, before = self._two_rows(m, taken[0], x.as_value(), fresh, last_beat)
        m.d.comb += [
            self.between_rows.newest.as_value().eq(newest),
            self.between_rows.before.as_value().eq(before),
            self.between_rows.weight.eq(delayed(m, rows.weight, self.memory_latency, "row_weight")),
        ]
        newest, before = self._two_columns(m, taken, self.between_rows.o.as_value(), beat)
        m.d.comb += [
            self.between_columns.newest.as_value().eq(newest),
            self.between_columns.before.as_value().eq(before),
            self.between_columns.weight.eq(delayed(m, columns.weight, self._columns_at, "column_weight")),
        ]
        return [self._rounded(m, self.between_columns.o[lane], lane) for lane in range(self.lanes)]

    def _two_rows(self, m: Module, take: Value, x: Value, fresh: Value, last_beat: Value) -> tuple[Value, Value]:
        """A beat of the newest row and of the row before it."""
        if not self.memories:
            return x, Const(0)
        rows, _ = self.sequences
        place = Signal(range(self.kept))
        if self.rows.repeats:
            self._step_place(m, place, take, last_beat)
        else:
            with m.If(take):
                advance(m, place, self.kept)
        odd = Signal()  # the memory that the newest row is in
        if len(self.memories) == 2:
            with m.If(rows.advance):
                m.d.sync += odd.eq(odd ^ rows.fresh_next)
        read = []
        for number, memory in enumerate(self.memories):
            m.submodules[f"row_{number}"] = memory
            m.d.comb += [
                memory.w_en.eq(take & fresh & (odd == number)),
                memory.w_addr.eq(place),
                Value.cast(memory.w_data).eq(x),
                memory.r_addr.eq(place),
            ]
            read.append(Value.cast(memory.r_data))
        cycles = self.memory_latency
        own, mine = delayed(m, x, cycles, "own"), delayed(m, fresh, cycles, "fresh")
        late_odd = delayed(m, odd, cycles, "odd")
        kept, before = (Mux(late_odd, *read[::-1]), Mux(late_odd, *read)) if len(read) == 2 else (read[0], Const(0))
        return Mux(mine, own, kept), before

    def _step_place(self, m: Module, place: Signal, take: Value, last_beat: Value) -> None:
        """The place of a beat in its row: a pixel's is passed again as long as its column is the newest."""
        _, columns = self.sequences
        with m.If(take):
            m.d.sync += place.eq(place + 1)
            with m.If(last_beat & ~columns.fresh_next):
                m.d.sync += place.eq(place - (self.beats - 1))
            with m.If(last_beat & columns.last):
                m.d.sync += place.eq(0)

    def _two_columns(self, m: Module, taken: Value, made: Value, beat: Value) -> tuple[Value, Value]:
        """What lies between two rows, of the newest column and of the one before it."""
        if self.passed is None:
            return made, Const(0)
        m.submodules.passed = passed = self.passed
        width = len(made)
        last, before = Value.cast(passed.old)[:width], Value.cast(passed.old)[width:]
        _, columns = self.sequences
        fresh = delayed(m, columns.fresh, self._rows_done, "fresh_column")
        chosen = Mux(fresh, last, before)
        left = Value.cast(passed.newest)
        m.d.comb += [
            passed.place.eq(delayed(m, beat, self._rows_done - passed.latency, "passed")),
            passed.valid.eq(taken[self._rows_done]),
            Value.cast(passed.new)[:width].eq(made),
            Value.cast(passed.new)[width:].eq(chosen),
        ]
        return left[:width], left[width:]

    def _rounded(self, m: Module, total: Value, lane: int) -> Value:
        """The nearest whole number, halves away from zero."""
        bits = self.rows.bits + self.columns.bits
        rounded = Signal(self.shape, name=f"rounded_{lane}", reset_less=True)
        if not bits:
            m.d.sync += rounded.eq(total)
            return rounded
        negative = total[-1] if total.shape().signed else Const(0)
        m.d.sync += rounded.eq((total + (1 << bits - 1) - negative) >> bits)
        return rounded
