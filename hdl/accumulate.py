"""The multiply-accumulate array: products, adder trees, accumulators."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .counting import delayed
from .layouts import ArrayLayout
from .mac_parameters import MacParameters, tree_levels
from .primitives import Multipliers


class AccumulateArray(Component):
    """``outputs`` dot products of ``terms`` products a cycle, accumulated over the steps of a block.

    A step with ``last`` ends a sum, and the next one begins another from ``bias``: ``ends`` is high in the cycle before
    the sums are in ``sums``, which hold until the next valid step's sum. ``bias`` is read with the first step of a sum,
    at the earliest in the cycle after ``ends``.

    ``latency`` is the number of cycles from a step's operands to the sums that hold it: the multipliers', ⌈log₂ terms⌉
    for the tree, 1 for the accumulator. Cost: ``outputs`` × ``terms`` multipliers; for each output an adder and a
    two-way selection.

    Args:
        parameters: a :class:`~mbconv.hdl.mac_parameters.MacParameters`.

    Members:
        valid, last: ``In(1)``, with the operands of a step
        data: ``In(ArrayLayout(data_shape, terms))`` shared by all outputs, or ``outputs × terms`` when not ``shared``
            (output-major)
        weights: ``In(ArrayLayout(ArrayLayout(weight_shape, terms), outputs))``
        bias: ``In(ArrayLayout(signed(bias_bits), outputs))``
        sums: ``Out(ArrayLayout(signed(sum_bits), outputs))``
        ends: ``Out(1)``
    """

    memory_bits = 0
    cycles_per_beat = 1

    def __init__(self, parameters: MacParameters):
        self.parameters = p = parameters
        operands = p.terms if p.shared else p.multipliers
        self.multiply = Multipliers(
            p.multipliers, p.data_shape, p.weight_shape, a_count=operands, dsp_count=p.dsp.products, family=p.family
        )
        super().__init__(
            {
                "valid": In(1),
                "last": In(1),
                "data": In(ArrayLayout(p.data_shape, operands)),
                "weights": In(ArrayLayout(ArrayLayout(p.weight_shape, p.terms), p.outputs)),
                "bias": In(ArrayLayout(Shape(p.bias_bits, p.bias_bits > 0), p.outputs)),
                "sums": Out(ArrayLayout(signed(p.sum_bits), p.outputs)),
                "ends": Out(1),
            }
        )

    @property
    def multipliers(self) -> int:
        return self.parameters.multipliers

    @property
    def latency(self) -> int:
        return self.parameters.array_latency

    @property
    def own_cost(self) -> Cost:
        """The adder trees; for each output an accumulator, and a selection where a sum begins."""
        p = self.parameters
        product = Shape.cast(self.multiply.p.shape()).width // p.multipliers
        tree = (p.terms - 1) * (product + tree_levels(p.terms) // 2)
        return Cost(p.outputs * (tree + 2 * p.sum_bits), multipliers=p.multipliers)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.multiply = self.multiply
        m.d.comb += [
            self.multiply.a.as_value().eq(self.data.as_value()),
            self.multiply.b.as_value().eq(self.weights.as_value()),
        ]
        ahead = delayed(m, self.valid, self.latency - 2, "valid", reset=True)
        last_ahead = delayed(m, self.last, self.latency - 2, "last")
        valid, last, ends = Signal(), Signal(reset_less=True), Signal()
        # Decided a cycle ahead: what reads `ends` (words of the requantisation, enables) may lie far away.
        m.d.sync += [valid.eq(ahead), last.eq(last_ahead), ends.eq(ahead & last_ahead)]
        m.d.comb += self.ends.eq(ends)
        begins = Signal(init=1)  # the next sum is a block's first
        with m.If(valid):
            m.d.sync += begins.eq(last)
        terms = self.parameters.terms
        for output in range(self.parameters.outputs):
            products = [self.multiply.p[output * terms + term] for term in range(terms)]
            total = self._tree(m, products, output)
            accumulator = Signal(signed(self.parameters.sum_bits), name=f"sum_{output}", reset_less=True)
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
                width = min(shape.width, self.parameters.sum_bits)
                register = Signal(Shape(width, shape.signed), name=f"tree_{output}_{level}_{position}", reset_less=True)
                m.d.sync += register.eq(total)
                values.append(register)
        return values[0]
