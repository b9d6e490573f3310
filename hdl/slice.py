"""Some elements of a stream: rows, columns and beats of a pixel at even distances."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .counting import advance
from .family import GENERIC, Family
from .fifo import Fifo
from .layouts import ArrayLayout
from .primitives import address_width

Kept = tuple[int, int, int]
"""Of an axis the first that is kept, the step from one to the next, and how many are kept."""


class Slice(Component):
    """Keeps rows, columns and beats of a pixel; all others are taken and dropped.

    ::

              ┌────────┐ kept ┌───────┐
        i ───►│ choose ├─────►│ queue ├──► o
              └────────┘      └───────┘

    A beat is taken each cycle; one that is kept needs room in the queue of two, and is valid a cycle later.

    Cycles per frame: its input's beats. Cost: no multiplier; ``memory_bits`` of the queue; a counter and the next one
    that is kept, of each axis that is cut.

    Args:
        shape: of an element.
        lanes: of both streams.
        raster: rows, columns and beats of a pixel of the input.
        kept: of each of them.

    Members:
        i, o: ``stream.Signature(ArrayLayout(shape, lanes))``, in and out

    Raises:
        ValueError: a number of lanes below 1, or what is kept lies beyond the axis or goes backwards.
    """

    multipliers = 0

    def __init__(
        self,
        shape: ShapeLike,
        lanes: int,
        raster: tuple[int, int, int],
        kept: tuple[Kept, Kept, Kept],
        *,
        family: Family = GENERIC,
    ):
        if lanes < 1:
            raise ValueError(f"a stream has at least one lane, not {lanes}")
        for size, (first, step, count) in zip(raster, kept, strict=True):
            if count < 1 or step < 1 or first < 0 or first + (count - 1) * step >= size:
                raise ValueError(f"{count} from {first} on by {step} do not lie within {size}, in their order")
        self.lanes, self.raster, self.kept = lanes, raster, kept
        beat = ArrayLayout(shape, lanes)
        self.queue = Fifo(beat, 2, family=family)
        super().__init__({"i": In(Signature(beat)), "o": Out(Signature(beat))})

    @property
    def latency(self) -> int:
        """Cycles from taking a beat that is kept to its being valid at ``o``, when the queue is empty."""
        return self.queue.latency

    @property
    def queue_depth(self) -> int:
        return self.queue.depth

    @property
    def cycles_per_frame(self) -> int:
        rows, columns, beats = self.raster
        return rows * columns * beats

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A counter of each axis; of those that are cut the next that is kept, and comparisons with it."""
        cut = [size for size, kept in zip(self.raster, self.kept, strict=True) if kept != (0, 1, size)]
        return Cost(3 * sum(map(address_width, self.raster)) + 4 * sum(map(address_width, cut)) + 4)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = self.queue
        chosen, take = Signal(), Signal()
        m.d.comb += [
            self.queue.i.payload.eq(self.i.payload),
            self.queue.i.valid.eq(self.i.valid & chosen),
            self.i.ready.eq(~chosen | self.queue.i.ready),
            take.eq(self.i.valid & self.i.ready),
        ]
        connect(m, self.queue.o, flipped(self.o))
        moves: Value = take
        wanted = []
        for name, size, kept in reversed(list(zip(("row", "column", "beat"), self.raster, self.kept, strict=True))):
            place = Signal(range(size), name=name)
            last = Signal(name=f"last_{name}")
            m.d.comb += last.eq(place == size - 1)
            with m.If(moves):
                advance(m, place, size)
            if kept != (0, 1, size):
                wanted.append(self._wanted(m, name, place, moves, last, kept))
            moves = moves & last
        m.d.comb += chosen.eq(Cat(wanted).all() if wanted else 1)
        return m

    @staticmethod
    def _wanted(m: Module, name: str, place: Signal, moves: Value, last: Signal, kept: Kept) -> Value:
        """Whether a place of an axis is kept."""
        first, step, count = kept
        end = first + (count - 1) * step
        if step == 1:
            return (place >= first) & (place <= end)
        following = Signal(range(end + 1), init=first, name=f"kept_{name}")
        with m.If(moves):
            with m.If(last):
                m.d.sync += following.eq(first)
            with m.Elif(place == following):
                m.d.sync += following.eq(Mux(following == end, following, following + step))
        return place == following
