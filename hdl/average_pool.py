"""The mean over a whole map, channel by channel."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost, MemoryCost
from .counting import advance, delayed
from .credit_queue import CreditQueue, least_depth
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .primitives import Ram
from .requantize import Requantize, RequantizeFormat, RequantizeParameters, RequantizeWords
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
    sum, from block RAM with the memory's latency before it, the requantisation's, and the queue's.

    Cycles per frame: pixels · ⌈channels/lanes⌉. Cost: no multiplier; ``memory_bits``: the sums and the queue; a
    requantisation for ``lanes`` results. The sums of a few groups of lanes are registers that move on with each beat;
    those of more are distributed RAM, where LUTs can be that, up to the family's limit, or block RAM.

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
        self.format, self.words, self.family = format, words, family
        self.groups = -(-channels // lanes)
        self.requantize = Requantize(RequantizeParameters(format, lanes))
        self.queue_depth = least_depth(self._pipeline, family) if queue_depth is None else queue_depth
        self.queue = CreditQueue(ArrayLayout(format.output, lanes), self.queue_depth, family=family)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(self.shape, lanes))),
                "o": Out(Signature(ArrayLayout(format.output, lanes))),
            }
        )

    @property
    def in_registers(self) -> bool:
        """A sum that comes again sooner than it can be written to block RAM and read is in registers."""
        return self.groups <= max(self.family.largest_register_queue, self.family.memory_latency + 1)

    @property
    def in_block_ram(self) -> bool:
        return not self.in_registers and self.family.queue_in_block_ram(self.groups)

    @property
    def _pipeline(self) -> int:
        """Cycles from taking a last pixel's beat to pushing its result into the queue."""
        return (self.family.memory_latency if self.in_block_ram else 0) + 1 + self.requantize.latency

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

    @property
    def own_cost(self) -> Cost:
        """The sums, wherever they are kept, a sum and a selection for each lane, and control."""
        width = self.format.accumulator_bits * self.lanes
        at_once = not (self.in_registers or self.in_block_ram)
        sums = MemoryCost(width, self.groups, read_at_once=at_once, in_registers=self.in_registers)
        return Cost(2 * width + 40, (sums,))

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
        if self.in_registers:
            self._sum_in_registers(m, first, last, take)
        elif self.in_block_ram:
            self._sum_in_block_ram(m, group, first, last, take)
        else:
            self._sum_in_distributed_ram(m, group, first, last, take)
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

    def _sum_in_registers(self, m: Module, first: Value, last: Value, take: Value) -> None:
        """The sums go round: the oldest is added to and becomes the newest."""
        shape = self.requantize.accumulators.shape()
        ring = [Signal(shape, name=f"sums_{age}", reset_less=True) for age in range(self.groups)]
        sums = self._accumulate(m, ring[-1], self.i.payload, first)
        with m.If(take):
            m.d.sync += [later.eq(earlier) for later, earlier in zip(ring, [sums, *ring], strict=False)]
        m.d.sync += self.requantize.valid.eq(take & last)
        m.d.comb += self.requantize.accumulators.eq(ring[0])

    def _sum_in_distributed_ram(self, m: Module, group: Signal, first: Value, last: Value, take: Value) -> None:
        """Read, add and write in the cycle in which a beat is taken."""
        shape = self.requantize.accumulators.shape()
        m.submodules.sums = memory = Memory(shape=shape, depth=self.groups, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        sums, made = self._accumulate(m, read.data, self.i.payload, first), Signal(shape, reset_less=True)
        m.d.comb += [
            write.addr.eq(group),
            read.addr.eq(group),
            write.data.eq(sums),
            write.en.eq(take),
            self.requantize.accumulators.eq(made),
        ]
        m.d.sync += [self.requantize.valid.eq(take & last), made.eq(sums)]

    def _sum_in_block_ram(self, m: Module, group: Signal, first: Value, last: Value, take: Value) -> None:
        """Read when a beat is taken, write a cycle after its sum: groups that come again too soon are in registers."""
        shape = self.requantize.accumulators.shape()
        m.submodules.sums = memory = Ram(shape, self.groups, family=self.family)
        cycles = memory.latency
        taken = delayed(m, take, cycles, "take", reset=True)
        first, last = delayed(m, first, cycles, "first"), delayed(m, last, cycles, "last")
        x = Signal(self.i.payload.shape())
        sums, made = self._accumulate(m, memory.r_data, x, first), Signal(shape, reset_less=True)
        m.d.comb += [
            memory.r_addr.eq(group),
            x.as_value().eq(delayed(m, self.i.payload.as_value(), cycles, "x")),
            memory.w_addr.eq(delayed(m, group, cycles + 1, "group")),
            memory.w_data.eq(made),
            self.requantize.accumulators.eq(made),
        ]
        m.d.sync += [
            memory.w_en.eq(taken),
            made.eq(sums),
            self.requantize.valid.eq(taken & last),
        ]


def sum_bits(shape: Shape, pixels: int) -> int:
    """Bits of a signed accumulator that holds every sum of ``pixels`` elements."""
    low, high = value_range(shape)
    return signed_bits(low * pixels, high * pixels)
