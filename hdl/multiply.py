"""The product of two tensors, element by element, of which one may be repeated: squeeze-excite's scaling."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Shape, Signal, Value

from .cost import Cost
from .elementwise import Elementwise
from .family import GENERIC, Family
from .operand import Operand
from .primitives import Multipliers
from .requantize import Requantize, RequantizeFormat, RequantizeParameters, RequantizeWords
from .requantize_format import signed_bits
from .value_tables import value_range


class Multiply(Elementwise):
    """Each lane's product (first − its zero point) · (second − its zero point), requantised.

    ::

        first  ─►│ − zero point ├──►┌───┐   ┌────────────┐   ┌───────┐
                                    │ · ├──►│ requantise ├──►│ queue ├──► o
        second ─►│ − zero point ├──►└───┘   └────────────┘   └───────┘

    Latency: the operands' (:class:`~mbconv.hdl.elementwise.Elementwise`), 1 for the zero points, the product's, the
    requantisation's and the queue's. Cycles per frame: its beats times ``interval``; the longer that is, the smaller
    the requantisation. Cost: no multiplier, since a lane or two keep up with stages that take many: products in rows of
    adders, a requantisation, ``memory_bits`` of operands and queue.

    Args:
        first, second: operands of equal lanes.
        zero_points: of the two.
        format: the requantisation.
        words: its one word, which serves all channels.
        interval: cycles from one beat to the next, at least.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        first, second: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: accumulators that a product overflows, or more than one word.
    """

    def __init__(
        self,
        first: Operand,
        second: Operand,
        zero_points: tuple[int, int],
        format: RequantizeFormat,
        words: RequantizeWords,
        *,
        interval: int = 1,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        if len(words) != 1:
            raise ValueError(f"one requantisation word serves all channels, not {len(words)}")
        needed = product_bits((first.shape, second.shape), zero_points)
        if format.accumulator_bits < needed:
            raise ValueError(f"products need {needed} bits, not {format.accumulator_bits}")
        self.zero_points, self.format, self.words = zero_points, format, words
        factors = [_factor(operand.shape, zero) for operand, zero in zip((first, second), zero_points, strict=True)]
        self.products = Multipliers(first.lanes, *factors, dsp_count=0, of_array=False, family=family)
        self.requantize = Requantize(RequantizeParameters(format, first.lanes, interval))
        super().__init__(
            {"first": first, "second": second},
            format.output,
            first.lanes,
            1 + self.products.latency + self.requantize.latency,
            interval=interval,
            queue_depth=queue_depth,
            family=family,
        )

    @property
    def own_cost(self) -> Cost:
        """What takes the zero points away."""
        return Cost(sum(self.lanes * (operand.shape.width + 1) for operand in self.operands.values()))

    def datapath(self, m: Module, taken: Value, first: Value, second: Value) -> Sequence[Value]:
        m.submodules.products, m.submodules.requantize = products, requantize = self.products, self.requantize
        word = Const(self.format.pack(self.words)[0], self.format.word_bits)
        for lane in range(self.lanes):
            factors = (products.a, first, self.zero_points[0]), (products.b, second, self.zero_points[1])
            for place, (factor, operand, zero_point) in enumerate(factors):
                centred = Signal(factor[lane].shape(), name=f"centred_{place}_{lane}", reset_less=True)
                m.d.sync += centred.eq(operand[lane] - zero_point)
                m.d.comb += factor[lane].eq(centred)
            m.d.comb += [
                requantize.accumulators[lane].eq(products.p[lane]),
                requantize.words[lane].as_value().eq(word),
            ]
        m.d.comb += requantize.valid.eq(taken[self.operand_latency + 1 + products.latency])
        return [requantize.o[lane] for lane in range(self.lanes)]


def factor_range(shape: Shape, zero_point: int) -> tuple[int, int]:
    """The least and greatest element less its zero point."""
    low, high = value_range(shape)
    return low - zero_point, high - zero_point


def product_range(shapes: tuple[Shape, Shape], zero_points: tuple[int, int]) -> tuple[int, int]:
    """The least and greatest product."""
    first, second = (factor_range(shape, zero) for shape, zero in zip(shapes, zero_points, strict=True))
    products = [a * b for a in first for b in second]
    return min(products), max(products)


def product_bits(shapes: tuple[Shape, Shape], zero_points: tuple[int, int]) -> int:
    """Bits of a signed number that holds every product."""
    return signed_bits(*product_range(shapes, zero_points))


def _factor(shape: Shape, zero_point: int) -> Shape:
    low, high = factor_range(shape, zero_point)
    return Shape.cast(range(low, high + 1))
