"""The multiply-accumulate array: products, adder trees, accumulators."""

from __future__ import annotations

from itertools import pairwise

from amaranth.hdl import Module, Shape, ShapeLike, Signal, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from .primitives import Multipliers


def tree_levels(terms: int) -> int:
    """Levels of a binary adder tree over ``terms`` products."""
    return (terms - 1).bit_length()


class AccumulateArray(Component):
    """``outputs`` dot products of ``terms`` products a cycle, accumulated over the steps of a block.

    A step with ``first`` starts a sum, one with ``last`` ends it: ``done`` is then high for one cycle with the sums in
    ``sums``, which hold until the next valid step's sum. With ``pixels`` = Q > 1 the steps of Q pixels alternate
    (``first`` and ``last`` each last Q valid steps) and so do their sums.

    ``latency`` is the number of cycles from a step's operands to its ``done``: 3 for the multipliers, ⌈log₂ terms⌉ for
    the tree, 1 for the accumulator. Cost: ``outputs`` × ``terms`` multipliers.

    Members:
        valid, first, last: ``In(1)``, with the operands of a step
        data: ``In(ArrayLayout(data_shape, terms))`` shared by all outputs, or ``outputs × terms`` when not ``shared``
            (output-major)
        weights: ``In(ArrayLayout(ArrayLayout(weight_shape, terms), outputs))``
        sums: ``Out(ArrayLayout(signed(accumulator_bits), outputs))``
        done: ``Out(1)``
    """

    def __init__(
        self,
        outputs: int,
        terms: int,
        data_shape: ShapeLike,
        weight_shape: ShapeLike,
        accumulator_bits: int,
        *,
        shared: bool,
        pixels: int = 1,
    ):
        if accumulator_bits < 2:
            raise ValueError(f"an accumulator has at least 2 bits, not {accumulator_bits}")
        if pixels < 1:
            raise ValueError(f"at least one pixel shares a weight, not {pixels}")
        self.outputs, self.terms, self.pixels = outputs, terms, pixels
        self.accumulator_bits = accumulator_bits
        self.multiply = Multipliers(
            outputs * terms, data_shape, weight_shape, a_count=terms if shared else outputs * terms
        )
        super().__init__(
            {
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "data": In(ArrayLayout(data_shape, terms if shared else outputs * terms)),
                "weights": In(ArrayLayout(ArrayLayout(weight_shape, terms), outputs)),
                "sums": Out(ArrayLayout(signed(accumulator_bits), outputs)),
                "done": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        return Multipliers.LATENCY + tree_levels(self.terms) + 1

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.multiply = self.multiply
        m.d.comb += [
            self.multiply.a.as_value().eq(self.data.as_value()),
            self.multiply.b.as_value().eq(self.weights.as_value()),
        ]
        depth = self.latency - 1
        valid, first, last = (Signal(depth, name=f"{name}_at") for name in ("valid", "first", "last"))
        m.d.sync += [
            valid.eq((valid << 1) | self.valid),
            first.eq((first << 1) | self.first),
            last.eq((last << 1) | self.last),
            self.done.eq(valid[-1] & last[-1]),
        ]
        for output in range(self.outputs):
            terms = [self.multiply.p[output * self.terms + term] for term in range(self.terms)]
            total = self._tree(m, terms, output)
            ring = [Signal(signed(self.accumulator_bits), name=f"sum_{output}_{age}") for age in range(self.pixels)]
            with m.If(valid[-1]):
                with m.If(first[-1]):
                    m.d.sync += ring[0].eq(total)
                with m.Else():
                    m.d.sync += ring[0].eq(ring[-1] + total)
                m.d.sync += [older.eq(newer) for newer, older in pairwise(ring)]
            m.d.comb += self.sums[output].eq(ring[0])
        return m

    def _tree(self, m: Module, values: list, output: int):
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
                register = Signal(Shape(width, shape.signed), name=f"tree_{output}_{level}_{position}")
                m.d.sync += register.eq(total)
                values.append(register)
        return values[0]
