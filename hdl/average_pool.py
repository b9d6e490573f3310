"""The mean over a whole map, channel by channel."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .fifo import LARGEST_DISTRIBUTED, CreditQueue, advance
from .primitives import Ram
from .requantize import Requantize, RequantizeFormat, RequantizeWords
from .requantize_format import signed_bits
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
    sum (3 from block RAM), the requantisation's, and the queue's.

    Cycles per frame: pixels · ⌈channels/lanes⌉. Cost: no multiplier; ``memory_bits``: the sums (distributed RAM for up
    to 32 groups of lanes, block RAM beyond) and the queue; a requantisation for ``lanes`` results.

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
        self.requantize = Requantize(format, lanes)
        if queue_depth is None:
            queue_depth = self._pipeline + 2
            queue_depth += 3 if queue_depth > LARGEST_DISTRIBUTED else 0  # a queue in block RAM answers later
        self.queue_depth = queue_depth
        self.queue = CreditQueue(ArrayLayout(format.output, lanes), queue_depth)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(self.shape, lanes))),
                "o": Out(Signature(ArrayLayout(format.output, lanes))),
            }
        )

    @property
    def in_block_ram(self) -> bool:
        return self.groups > LARGEST_DISTRIBUTED

    @property
    def _pipeline(self) -> int:
        """Cycles from taking a last pixel's beat to pushing its result into the queue."""
        return (Ram.LATENCY if self.in_block_ram else 0) + 1 + self.requantize.latency

    @property
    def latency(self) -> int:
        """Cycles from taking a last pixel's beat to its result at ``o``, when the queue is empty."""
        return self._pipeline + self.queue.latency

    @property
    def cycles_per_frame(self) -> int:
        return self.pixels * self.groups

    @property
    def memory_bits(self) -> int:
        return self.format.accumulator_bits * self.lanes * self.groups + self.queue.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize, m.submodules.queue = self.requantize, self.queue
        pixel, group = Signal(range(max(2, self.pixels))), Signal(range(max(2, self.groups)))
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
        if self.in_block_ram:
            self._sum_in_block_ram(m, group, first, last, take)
        else:
            self._sum_in_registers(m, group, first, last, take)
        word = Const(self.format.pack(self.words)[0], self.format.word_bits)
        for lane in range(self.lanes):
            m.d.comb += self.requantize.words[lane].as_value().eq(word)
        m.d.comb += [self.queue.push.eq(self.requantize.o_valid), self.queue.payload.eq(self.requantize.o)]
        connect(m, self.queue.o, flipped(self.o))
        return m

    def _accumulate(self, m: Module, old, x, first: Value) -> Signal:
        sums = Signal(self.requantize.accumulators.shape())
        for lane in range(self.lanes):
            m.d.comb += sums[lane].eq(Mux(first, 0, old[lane]) + x[lane])
        return sums

    def _sum_in_registers(self, m: Module, group: Signal, first: Value, last: Value, take: Value) -> None:
        """Read, add and write in the cycle in which a beat is taken."""
        m.submodules.sums = memory = Memory(shape=self.requantize.accumulators.shape(), depth=self.groups, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        sums = self._accumulate(m, read.data, self.i.payload, first)
        if self.groups > 1:
            m.d.comb += [write.addr.eq(group), read.addr.eq(group)]
        m.d.comb += [write.data.eq(sums), write.en.eq(take)]
        m.d.sync += [self.requantize.valid.eq(take & last), self.requantize.accumulators.eq(sums)]

    def _sum_in_block_ram(self, m: Module, group: Signal, first: Value, last: Value, take: Value) -> None:
        """Read two cycles ahead, write one after the sum: a group comes again after 33 cycles at the earliest."""
        m.submodules.sums = memory = Ram(self.requantize.accumulators.shape(), self.groups)
        m.d.comb += memory.r_addr.eq(group)
        state = [take, first, last, group, self.i.payload]
        for age in range(Ram.LATENCY):
            held = [Signal.like(value, name=f"state_{index}_{age}") for index, value in enumerate(state)]
            m.d.sync += [new.eq(old) for new, old in zip(held, state, strict=True)]
            state = held
        taken, first, last, group, x = state
        sums = self._accumulate(m, memory.r_data, x, first)
        m.d.sync += [
            memory.w_en.eq(taken),
            memory.w_addr.eq(group),
            memory.w_data.eq(sums),
            self.requantize.valid.eq(taken & last),
            self.requantize.accumulators.eq(sums),
        ]


def sum_bits(shape: Shape, pixels: int) -> int:
    """Bits of a signed accumulator that holds every sum of ``pixels`` elements."""
    low, high = value_range(shape)
    return signed_bits(low * pixels, high * pixels)
