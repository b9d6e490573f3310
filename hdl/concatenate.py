"""Tensors one behind the other: beats of several streams in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Mux, ShapeLike, Signal, Value

from .cost import Cost
from .elementwise import Elementwise
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .turn_operand import TurnOperand


class Concatenate(Elementwise):
    """Some beats of the first stream, then some of the second and so on, and over again.

    ::

        i0 ─►┌──────┐
        i1 ─►│ turn ├──►│ queue ├──► o
        i2 ─►└──────┘

    By channels a turn is the stream's beats of a pixel, by columns those of a row, by rows those of a frame. Latency: 1
    and the queue's. Cycles per frame: its beats, those of all streams together. Cost: no multiplier; a selection among
    the streams; ``memory_bits`` of the queue.

    Args:
        shape: of an element.
        lanes: of all streams.
        turns: beats of each stream's turn.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        i0, i1, …: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: a turn of no beat, or no lane.
    """

    def __init__(
        self,
        shape: ShapeLike,
        lanes: int,
        turns: Sequence[int],
        *,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        if lanes < 1 or not turns or min(turns) < 1:
            raise ValueError(f"a turn has at least one beat of one lane, not {list(turns)} of {lanes}")
        self.turns = tuple(int(beats) for beats in turns)
        self.places = [TurnOperand(shape, lanes) for _ in self.turns]
        operands = {f"i{place}": operand for place, operand in enumerate(self.places)}
        super().__init__(operands, shape, lanes, 1, queue_depth=queue_depth, family=family)

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
        for place, stream in enumerate(streams):
            with m.If(turn[place]):
                m.d.sync += chosen.eq(stream)
        return [chosen[lane] for lane in range(self.lanes)]
