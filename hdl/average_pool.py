"""The mean over a whole map, channel by channel."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .counting import advance, delayed
from .credit_queue import CreditQueue, least_depth
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .requantize import Requantize, RequantizeFormat, RequantizeParameters, RequantizeWords
from .requantize_format import signed_bits
from .round_memory import RoundMemory
from .value_tables import value_range


class AveragePool(Component):
    """Sums each channel over the pixels of a frame and requantises the sums.

    ::

              ┌───┐     ┌─────────────┐ last pixel ┌────────────┐   ┌───────┐
        i ───►│ + ├────►│ sums of all ├───────────►│ requantise ├──►│ queue ├──► o
              └─▲─┘     │ channels    │            └────────────┘   └───────┘
                └───────┴─────────────┘

    The first pixel of a frame overwrites the sums, so frames follow each other without a gap. A beat is taken in each
    cycle; one of the last pixel needs room in the queue, and its result is valid ``latency`` cycles later: 1 for the
    sum, from block RAM with the memory's latency before it, the requantisation's, and the queue's.

    Cycles per frame: pixels · ⌈channels/lanes⌉. Cost: no multiplier; ``memory_bits``: the sums and the queue; a
    requantisation for ``lanes`` results. The sums of the groups of lanes come round with each pixel
    (:class:`~mbconv.hdl.round_memory.RoundMemory`).

    Args:
        shape: of an input element.
        channels, lanes: of both streams.
        pixels: of a frame.
        format: the requantisation, the division by ``pixels`` included.
        words: its one word, which serves all channels.
        queue_depth: beats of the output queue; by default the least that sustains one beat a cycle.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes)))``
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``, ⌈channels/lanes⌉ beats a frame

    Raises:
        ValueError: a count below 1, accumulators that a frame's sums overflow, or more than one word.
    """

    multipliers = 0

    def __init__(
        self,
        shape: ShapeLike,
        channels: int,
        lanes: int,
        pixels: int,
        format: RequantizeFormat,
        words: RequantizeWords,
        *,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        for name, value in (("channels", channels), ("lanes", lanes), ("pixels", pixels)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if len(words) != 1:
            raise ValueError(f"one requantisation word serves all channels, not {len(words)}")
        self.shape, self.channels, self.lanes, self.pixels = Shape.cast(shape), channels, lanes, pixels
        needed = sum_bits(self.shape, pixels)
        if format.accumulator_bits < needed:
            raise ValueError(
                f"sums of {pixels} elements of {self.shape} need {needed} bits, not {format.accumulator_bits}"
            )
        self.format, self.words = format, words
        self.groups = -(-channels // lanes)
        self.requantize = Requantize(RequantizeParameters(format, lanes))
        self.sums = RoundMemory(self.requantize.accumulators.shape(), self.groups, family=family)
        self.queue_depth = least_depth(self._pipeline, family) if queue_depth is None else queue_depth
        self.queue = CreditQueue(ArrayLayout(format.output, lanes), self.queue_depth, family=family)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(self.shape, lanes))),
                "o": Out(Signature(ArrayLayout(format.output, lanes))),
            }
        )

    @property
    def _pipeline(self) -> int:
        """Cycles from taking a last pixel's beat to pushing its result into the queue."""
        return self.sums.latency + 1 + self.requantize.latency

    @property
    def latency(self) -> int:
        """Cycles from taking a last pixel's beat to its result at ``o``, when the queue is empty."""
        return self._pipeline + self.queue.latency

    @property
    def cycles_per_frame(self) -> int:
        return self.pixels * self.groups

    @property
    def memory_bits(self) -> int:
        return self.sums.memory_bits + self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A sum and a selection for each lane, and control."""
        return Cost(2 * self.format.accumulator_bits * self.lanes + 40)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize, m.submodules.queue = self.requantize, self.queue
        pixel, group = Signal(range(self.pixels)), Signal(range(self.groups))
        first, last, take = Signal(), Signal(), Signal()
        m.d.comb += [
            first.eq(pixel == 0),
            last.eq(pixel == self.pixels - 1),
            self.i.ready.eq(~last | self.queue.room),
            take.eq(self.i.valid & self.i.ready),
            self.queue.reserve.eq(take & last),
        ]
        with m.If(take):
            advance(m, group, self.groups)
            with m.If(group == self.groups - 1):
                advance(m, pixel, self.pixels)
        self._sum(m, group, first, last, take)
        word = Const(self.format.pack(self.words)[0], self.format.word_bits)
        for lane in range(self.lanes):
            m.d.comb += self.requantize.words[lane].as_value().eq(word)
        m.d.comb += [self.queue.push.eq(self.requantize.o_valid), self.queue.payload.eq(self.requantize.o)]
        connect(m, self.queue.o, flipped(self.o))
        return m

    def _sum(self, m: Module, group: Signal, first: Value, last: Value, take: Value) -> None:
        """Add a beat to its group's sums, once they are read."""
        m.submodules.sums = sums = self.sums
        x = Signal(self.i.payload.shape())
        passed, begins, ends = (
            delayed(m, flag, sums.latency, name, reset=name == "take")
            for name, flag in (("take", take), ("first", first), ("last", last))
        )
        m.d.comb += [
            sums.place.eq(group),
            sums.valid.eq(passed),
            x.as_value().eq(delayed(m, self.i.payload.as_value(), sums.latency, "x")),
            *(sums.new[lane].eq(Mux(begins, 0, sums.old[lane]) + x[lane]) for lane in range(self.lanes)),
            self.requantize.accumulators.eq(sums.newest),
        ]
        m.d.sync += self.requantize.valid.eq(passed & ends)


def sum_bits(shape: Shape, pixels: int) -> int:
    """Bits of a signed accumulator that holds every sum of ``pixels`` elements."""
    low, high = value_range(shape)
    return signed_bits(low * pixels, high * pixels)
