"""The multiply-accumulate array: products, adder trees, accumulators."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from .counting import delayed
from .family import GENERIC, Family
from .primitives import Multipliers


def tree_levels(terms: int) -> int:
    """Levels of a binary adder tree over ``terms`` products."""
    return (terms - 1).bit_length()


class AccumulateArray(Component):
    """``outputs`` dot products of ``terms`` products a cycle, accumulated over the steps of a block.

    A step with ``last`` ends a sum, and the next one begins another from ``bias``: ``ends`` is high in the cycle before
    the sums are in ``sums``, which hold until the next valid step's sum. ``bias`` is read with the first step of a sum,
    at the earliest in the cycle after ``ends``.

    ``latency`` is the number of cycles from a step's operands to the sums that hold it: the multipliers', ⌈log₂ terms⌉
    for the tree, 1 for the accumulator. Cost: ``outputs`` × ``terms`` multipliers; for each output an adder and a
    two-way selection.

    Args:
        accumulator_bits: of a sum, modulo which it is exact.
        bias_bits: of what a sum begins with; 0: nothing.
        shared: all outputs multiply the same data.

    Members:
        valid, last: ``In(1)``, with the operands of a step
        data: ``In(ArrayLayout(data_shape, terms))`` shared by all outputs, or ``outputs × terms`` when not ``shared``
            (output-major)
        weights: ``In(ArrayLayout(ArrayLayout(weight_shape, terms), outputs))``
        bias: ``In(ArrayLayout(signed(bias_bits), outputs))``
        sums: ``Out(ArrayLayout(signed(accumulator_bits), outputs))``
        ends: ``Out(1)``
    """

    memory_bits = 0
    cycles_per_beat = 1

    def __init__(
        self,
        outputs: int,
        terms: int,
        data_shape: ShapeLike,
        weight_shape: ShapeLike,
        accumulator_bits: int,
        *,
        shared: bool,
        bias_bits: int = 0,
        family: Family = GENERIC,
    ):
        if accumulator_bits < 2:
            raise ValueError(f"an accumulator has at least 2 bits, not {accumulator_bits}")
        self.outputs, self.terms, self.family = outputs, terms, family
        self.accumulator_bits = accumulator_bits
        self.multiply = Multipliers(
            outputs * terms, data_shape, weight_shape, a_count=terms if shared else outputs * terms, family=family
        )
        super().__init__(
            {
                "valid": In(1),
                "last": In(1),
                "data": In(ArrayLayout(data_shape, terms if shared else outputs * terms)),
                "weights": In(ArrayLayout(ArrayLayout(weight_shape, terms), outputs)),
                "bias": In(ArrayLayout(Shape(bias_bits, bias_bits > 0), outputs)),
                "sums": Out(ArrayLayout(signed(accumulator_bits), outputs)),
                "ends": Out(1),
            }
        )

    @property
    def multipliers(self) -> int:
        return self.outputs * self.terms

    @staticmethod
    def latency_of(terms: int, family: Family) -> int:
        """The latency of an array of so many terms."""
        return family.multiplier_latency + tree_levels(terms) + 1

    @property
    def latency(self) -> int:
        return self.latency_of(self.terms, self.family)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.multiply = self.multiply
        m.d.comb += [
            self.multiply.a.as_value().eq(self.data.as_value()),
            self.multiply.b.as_value().eq(self.weights.as_value()),
        ]
        valid = delayed(m, self.valid, self.latency - 1, "valid", reset=True)
        last = delayed(m, self.last, self.latency - 1, "last")
        begins = Signal(init=1)  # the next sum is a block's first
        m.d.comb += self.ends.eq(valid & last)
        with m.If(valid):
            m.d.sync += begins.eq(last)
        for output in range(self.outputs):
            terms = [self.multiply.p[output * self.terms + term] for term in range(self.terms)]
            total = self._tree(m, terms, output)
            accumulator = Signal(signed(self.accumulator_bits), name=f"sum_{output}", reset_less=True)
            with m.If(valid):
                m.d.sync += accumulator.eq(Mux(begins, self.bias[output], accumulator) + total)
            m.d.comb += self.sums[output].eq(accumulator)
        return m

    def _tree(self, m: Module, values: list, output: int) -> Value:
        """A binary tree of adders, registered at each level."""
        level = 0
        while len(values) > 1:
            level += 1
            pairs = [(values[i], values[i + 1] if i + 1 < len(values) else None) for i in range(0, len(values), 2)]
            values = []
            for position, (left, right) in enumerate(pairs):
                total = left if right is None else left + right
                shape = Shape.cast(total.shape())
                width = min(shape.width, self.accumulator_bits)
                register = Signal(Shape(width, shape.signed), name=f"tree_{output}_{level}_{position}", reset_less=True)
                m.d.sync += register.eq(total)
                values.append(register)
        return values[0]
