"""The mean of a sliding window's elements, channel by channel; at the border of those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed

from .cost import Cost
from .counting import advance
from .requantize import Requantize, RequantizeFormat, RequantizeParameters, RequantizeWords
from .requantize_format import signed_bits
from .value_tables import value_range
from .window_geometry import WindowGeometry
from .window_pool import WindowPool, WindowPoolParameters


def elements_counted(geometry: WindowGeometry) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many rows of each output row's window lie in the map, and how many columns of each output column's."""

    def inside(first: Sequence[int], taps: int, size: int) -> tuple[int, ...]:
        return tuple(min(int(start) + taps, size) - max(int(start), 0) for start in first)

    return (
        inside(geometry.first_rows, geometry.kernel[0], geometry.height),
        inside(geometry.first_columns, geometry.kernel[1], geometry.width),
    )


def counts_of(geometry: WindowGeometry) -> tuple[int, ...]:
    """The numbers of elements that windows have within the map, each once, ascending."""
    rows, columns = elements_counted(geometry)
    return tuple(sorted({row * column for row in set(rows) for column in set(columns)}))


@dataclass(frozen=True)
class WindowAverageParameters(WindowPoolParameters):
    """Parameters of a :class:`WindowAverage`.

    Args:
        window: of L lanes, whose ``pad_value`` is 0.
        format: the requantisation, the division included.
        words: one for each of :func:`counts_of` the window's geometry, in that order.
        queue_depth: see :class:`~mbconv.hdl.window_pool.WindowPoolParameters`.

    Raises:
        ValueError: another padding, another number of words, or accumulators that a window's sum overflows.
    """

    format: RequantizeFormat
    words: RequantizeWords

    def __post_init__(self) -> None:
        if self.window.pad_value:
            raise ValueError(f"padding of {self.window.pad_value} would count; it must hold 0")
        if len(self.words) != len(self.counts):
            raise ValueError(f"windows of {len(self.counts)} sizes need as many words, not {len(self.words)}")
        if self.format.accumulator_bits < self.sum_bits:
            raise ValueError(
                f"sums of {max(self.counts)} elements of {self.window.shape} need {self.sum_bits} bits, not "
                f"{self.format.accumulator_bits}"
            )
        super().__post_init__()

    @property
    def counts(self) -> tuple[int, ...]:
        return counts_of(self.window.geometry)

    @property
    def sum_bits(self) -> int:
        """Bits of a signed number that holds every sum of a window."""
        low, high = value_range(self.window.shape)
        most = max(self.counts)
        return signed_bits(low * most, high * most)

    @property
    def requantize(self) -> RequantizeParameters:
        return RequantizeParameters(self.format, self.window.lanes, family=self.window.family)

    @property
    def finish_latency(self) -> int:
        return self.requantize.latency


class WindowAverage(WindowPool):
    """Every channel of an output pixel is the mean of its window's elements within the map.

    ::

              ┌──────────────┐  taps  ┌─────────┐   ┌───────────┐   ┌────────────┐   ┌───────┐
        i ───►│ Window       ├───────►│ tree of ├──►│ sum of    ├──►│ requantise ├──►│ queue ├──► o
              │ ring of rows │ [L][K] │ adders  │   │ all steps │   └─────▲──────┘   └───────┘
              └──────────────┘        └─────────┘   └───────────┘         │ word of so many elements
                                                    row, column ──────────┘

    Padding holds 0, so that it adds nothing; what a sum is divided by depends on where the window lies. An output
    pixel's group of L channels begins when its pixels are there and the queue has room for its one beat, which is valid
    at ``o`` ``steps - 1 + latency_of_group`` cycles later.

    Cycles per frame: output pixels · ⌈C/L⌉ · ⌈taps of the kernel/K⌉. Cost: no multiplier of a plan; ``memory_bits``,
    the window's ring and the queue; ``combinations`` adders, a requantisation for L results.

    Args:
        parameters: a :class:`WindowAverageParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes)))``
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    def __init__(self, parameters: WindowAverageParameters):
        self.requantize = Requantize(parameters.requantize)
        super().__init__(parameters, parameters.format.output, signed(parameters.sum_bits))

    @property
    def own_cost(self) -> Cost:
        """An adder for each combination, and where the window lies."""
        p = self.parameters
        place = 3 * (p.window.geometry.output_pixels.bit_length() + p.format.word_bits) if len(p.counts) > 1 else 0
        return super().own_cost + Cost(p.combinations * p.sum_bits + place)

    def combine(self, a: Value, b: Value) -> Value:
        return a + b

    def accumulate(self, first: Value, value: Value, so_far: Value) -> Value:
        return Mux(first, 0, so_far) + value

    def finish(self, m: Module, values: Sequence[Value], valid: Value) -> tuple[Value, Value]:
        m.submodules.requantize = requantize = self.requantize
        word = self._word(m, valid)
        m.d.comb += requantize.valid.eq(valid)
        for lane, value in enumerate(values):
            m.d.comb += [requantize.accumulators[lane].eq(value), requantize.words[lane].as_value().eq(word)]
        return requantize.o_valid, requantize.o.as_value()

    def _word(self, m: Module, valid: Value) -> Value:
        """The word of the window whose sum comes."""
        p = self.parameters
        packed = dict(zip(p.counts, p.format.pack(p.words), strict=True))
        if len(packed) == 1:
            return Const(next(iter(packed.values())), p.format.word_bits)
        geometry, groups = p.window.geometry, p.window.groups
        group, x, y = (Signal(range(size)) for size in (groups, geometry.output_width, geometry.output_height))
        with m.If(valid):
            advance(m, group, groups)
            with m.If(group == groups - 1):
                advance(m, x, geometry.output_width)
                with m.If(x == geometry.output_width - 1):
                    advance(m, y, geometry.output_height)
        rows, columns = elements_counted(geometry)
        row, column = _looked_up(m, y, rows, "row"), _looked_up(m, x, columns, "column")
        word = Signal(p.format.word_bits)
        for a in sorted(set(rows)):
            for b in sorted(set(columns)):
                with m.If((row == a) & (column == b)):
                    m.d.comb += word.eq(packed[a * b])
        return word


def _looked_up(m: Module, place: Signal, values: Sequence[int], name: str) -> Signal:
    """The value at a place, of which most are the same."""
    usual = max(set(values), key=values.count)
    found = Signal(range(max(values) + 1), name=f"{name}_elements")
    m.d.comb += found.eq(usual)
    others: Mapping[int, list[int]] = {
        value: [at for at, other in enumerate(values) if other == value] for value in set(values) - {usual}
    }
    for value, places in others.items():
        with m.If(place.matches(*places)):
            m.d.comb += found.eq(value)
    return found
