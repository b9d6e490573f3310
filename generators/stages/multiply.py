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

    def constants(self, site: Site) -> Requantization:
        graph, longest = site.network.graph, _longest_interval(site)
        return product_requantization(site.node.operator, graph, lanes=site.lanes_out, interval=longest)

    def build(self, site: Site) -> Stage:
        found: Requantization = site.constants
        tensors = [site.network.graph.tensors[tensor] for tensor in site.node.operator.inputs]
        multiply = Multiply(
            *self.operands(site),
            (tensors[0].zero_point, tensors[1].zero_point),
            found.format,
            found.words,
            interval=_cheapest_interval(found, site.lanes_out, _longest_interval(site)),
            family=site.family,
        )
        return self.stage(site, multiply, requantization=found)


def _longest_interval(site: Site) -> int:
    """The cycles that the plan leaves for a beat, as far as they are of use."""
    return min(site.pace // site.output_shape.beats(site.lanes_out), LONGEST_INTERVAL)


def _cheapest_interval(found: Requantization, lanes: int, longest: int) -> int:
    """The shortest interval up to the longest with the fewest tables."""
    costs = {k: RequantizeParameters(found.format, lanes, k).cost.luts for k in range(1, longest + 1)}
    return min(costs, key=lambda interval: (costs[interval], interval))


CIRCUIT = MultiplyCircuit()
