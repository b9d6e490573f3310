"""The circuit of a product of two tensors: of a map and a vector of each frame, or element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mbconv.hdl.multiply import Multiply
from mbconv.hdl.requantize_parameters import RequantizeParameters

from ..constants.product_constants import product_requantization
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage

if TYPE_CHECKING:
    from ..constants.requantization import Requantization

LONGEST_INTERVAL = 24
"""Cycles from beat to beat beyond which no requantisation is smaller: about one for each bit of its multiplier."""


class MultiplyCircuit(ElementwiseCircuit):
    """A product for each lane; a beat of them as often as the plan's interval asks for, at most every cycle."""

    KIND: ClassVar[str] = "multiply"
    FOR_INTERVAL: ClassVar[bool] = True
    REASON: ClassVar[str] = "waits for the other factor: a map for the vector that is made of all of it"

    def build(self, site: Site) -> Stage:
        node, graph, lanes = site.node, site.network.graph, site.lanes_out
        longest = min(site.plan.interval // site.output_shape.beats(lanes), LONGEST_INTERVAL)
        found = product_requantization(node.operator, graph, lanes=lanes, interval=longest)
        multiply = Multiply(
            *self.operands(site),
            tuple(graph.tensors[tensor].zero_point for tensor in node.operator.inputs),
            found.format,
            found.words,
            interval=_cheapest_interval(found, lanes, longest),
            family=site.family,
        )
        return self.stage(site, multiply, requantization=found)


def _cheapest_interval(found: Requantization, lanes: int, longest: int) -> int:
    """The shortest interval up to the longest with the fewest tables."""
    costs = {k: RequantizeParameters(found.format, lanes, k).cost.luts for k in range(1, longest + 1)}
    return min(costs, key=lambda interval: (costs[interval], interval))


CIRCUIT = MultiplyCircuit()
