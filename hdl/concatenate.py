"""Tensors one behind the other: beats of several streams in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Shape, ShapeLike, Signal, Value

from .cost import Cost
from .elementwise import Elementwise
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .primitives import Rom
from .turn_operand import TurnOperand


class Concatenate(Elementwise):
    """Some beats of the first stream, then some of the second and so on, and over again.

    ::

        i0 ─►┌──────┐   ┌────────┐
        i1 ─►│ turn ├──►│ tables ├──►│ queue ├──► o
        i2 ─►└──────┘   └────────┘

    By channels a turn is the stream's beats of a pixel, by columns those of a row, by rows those of a frame. Where some
    stream is rescaled, elements are replaced by their entries in its table. Latency: 1, the tables' memory's, and the
    queue's. Cycles per frame: its beats, those of all streams together. Cost: no multiplier; a selection among the
    streams; ``memory_bits`` of the queue, and for each lane of all tables.

    Args:
        shape: of an element.
        lanes: of all streams.
        turns: beats of each stream's turn.
        tables: integers ``[streams][2^bits]``, in ascending order of an element's values; None: elements stay.
        name: of the tables' memory file.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        i0, i1, …: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: a turn of no beat, no lane, or tables of another size.
    """

    def __init__(
        self,
        shape: ShapeLike,
        lanes: int,
        turns: Sequence[int],
        *,
        tables: np.ndarray | None = None,
        name: str = "concatenate",
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        if lanes < 1 or not turns or min(turns) < 1:
            raise ValueError(f"a turn has at least one beat of one lane, not {list(turns)} of {lanes}")
        self.turns = tuple(int(beats) for beats in turns)
        self.places = [TurnOperand(shape, lanes) for _ in self.turns]
        operands = {f"i{place}": operand for place, operand in enumerate(self.places)}
        self.roms = [] if tables is None else [self._rom(shape, tables, name, family) for _ in range(lanes)]
        latency = 1 + (family.memory_latency if self.roms else 0)
        super().__init__(operands, shape, lanes, latency, queue_depth=queue_depth, family=family)

    def _rom(self, shape: ShapeLike, tables: np.ndarray, name: str, family: Family) -> Rom:
        """All streams' tables one after another, each addressed by an element's bits."""
        element = Shape.cast(shape)
        if np.shape(tables) != (len(self.turns), 1 << element.width):
            raise ValueError(f"tables [{len(self.turns)}][{1 << element.width}] are needed, not {np.shape(tables)}")
        by_bits = np.roll(tables, -(1 << element.width - 1), axis=1) if element.signed else np.asarray(tables)
        words = [int(word) for word in by_bits.ravel() & ((1 << element.width) - 1)]
        return Rom(words, element.width, name, family=family)

    @property
    def memory_bits(self) -> int:
        return sum(rom.memory_bits for rom in self.roms) + super().memory_bits

    @property
    def own_cost(self) -> Cost:
        """A selection of two for each bit and each stream but one, and a counter of a turn's beats."""
        return Cost((len(self.turns) - 1) * self.lanes * self.shape.width + 3 * max(self.turns).bit_length())

    def positions(self, rounds: int) -> tuple[np.ndarray, ...]:
        """For each stream the beats of a frame that are its own, int64, a frame having so many rounds of turns."""
        ends = np.cumsum(self.turns)
        return tuple(
            (np.arange(rounds)[:, None] * ends[-1] + np.arange(end - beats, end)).ravel()
            for beats, end in zip(self.turns, ends, strict=True)
        )

    def datapath(self, m: Module, taken: Value, *streams: Value) -> Sequence[Value]:
        turn = Signal(len(self.turns), init=1)  # one bit for each stream
        count = Signal(range(max(self.turns)))
        last = Cat(turn[place] & (count == beats - 1) for place, beats in enumerate(self.turns)).any()
        with m.If(taken[0]):
            m.d.sync += [count.eq(Mux(last, 0, count + 1)), turn.eq(Mux(last, turn.rotate_left(1), turn))]
        m.d.comb += [operand.turn.eq(turn[place]) for place, operand in enumerate(self.places)]
        chosen = Signal(ArrayLayout(self.shape, self.lanes), reset_less=True)
        table = Signal(range(len(streams)), reset_less=True)
        for place, stream in enumerate(streams):
            with m.If(turn[place]):
                m.d.sync += [chosen.eq(stream), table.eq(place)]
        for lane, rom in enumerate(self.roms):
            m.submodules[f"rom_{lane}"] = rom
            m.d.comb += [rom.en.eq(1), rom.addr.eq(Cat(chosen[lane], table))]
        return [rom.data for rom in self.roms] or [chosen[lane] for lane in range(self.lanes)]
