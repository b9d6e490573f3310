"""The depthwise circuit: a window and one kernel for each channel.

With C channels, M outputs of each, L_in and L_out lanes: L_out divides P; where M is 1, L_in too, so that a word of the
window is what a cycle takes; P < C·M + what it is a multiple of; K is 1, a kernel row or all taps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mbconv.hdl.depthwise import Depthwise, DepthwiseParameters

from ..planning.folding import Folding, ceil_div
from ..timing.stage_timing import blocks_of, packing_of, window_of
from .folded import FoldedCircuit
from .protocol import Site
from .windowed import WINDOW_REASON, WindowBlocksTiming, window_arguments, window_capacity, window_taps

if TYPE_CHECKING:
    from .network import Network, Node


def depthwise_timing(stage: DepthwiseParameters, capacity: int | None = None) -> WindowBlocksTiming:
    """The event model of a depthwise circuit whose window holds ``capacity`` pixels; None: without limit."""
    packing = packing_of(stage.channels, stage.input_lanes, stage.window_lanes)
    return WindowBlocksTiming(window_of(stage.window, packing, capacity), blocks_of(stage.mac))


class DepthwiseCircuit(FoldedCircuit):
    """K taps of P outputs a cycle: Ho·Wo·⌈C·M/P⌉·⌈k²/K⌉ cycles."""

    KIND: ClassVar[str] = "depthwise"
    component = Depthwise
    REASON: ClassVar[str] = WINDOW_REASON
    FEWEST_INPUTS: ClassVar[bool] = True  # fewer taps a cycle need fewer banks

    def cycles(self, network: Network, node: Node, folding: Folding, lanes: Mapping[int, int]) -> int:
        shape = network.shapes[node.output]
        return shape.pixels * ceil_div(shape.channels, folding.outputs) * self.steps(node, folding)

    def alike(self, network: Network, node: Node) -> tuple[object, ...]:
        return *super().alike(network, node), node.operator.depth_multiplier

    def output_unit(self, node: Node, lanes_in: int, lanes_out: Any) -> Any:
        if node.operator.depth_multiplier > 1:
            return lanes_out
        return lcm(lanes_in, lanes_out) if isinstance(lanes_out, int) else np.lcm(lanes_in, lanes_out)

    def output_rule(self, node: Node, lanes_in: int, lanes_out: int) -> str:
        if node.operator.depth_multiplier > 1:
            return super().output_rule(node, lanes_in, lanes_out)
        return f"the {lanes_in} lanes of tensor {node.inputs[0]} and {super().output_rule(node, lanes_in, lanes_out)}"

    def allowed_inputs(self, network: Network, node: Node, lanes_in: int) -> Sequence[int]:
        return window_taps(node)

    def useful_inputs(self, network: Network, node: Node, per_pixel: int, lanes_in: int) -> np.ndarray:
        return np.array(window_taps(node), np.int64)

    def input_rule(self, network: Network, node: Node, lanes_in: int) -> str:
        return "is neither 1, nor a kernel row, nor the whole kernel"

    def parameters(self, site: Site, common: dict[str, Any], capacity: int | None) -> DepthwiseParameters:
        return DepthwiseParameters(
            channels=site.input_shape.channels,
            multiplier=site.node.operator.depth_multiplier,
            channel_folding=site.folding.outputs,
            **window_arguments(site, capacity, site.folding.inputs),
            **common,
        )

    def timing(self, site: Site, parameters: DepthwiseParameters) -> WindowBlocksTiming:
        return depthwise_timing(parameters)

    def capacity(self, parameters: DepthwiseParameters, pixels: int) -> int:
        return window_capacity(parameters.geometry, parameters.taps, pixels)


CIRCUIT = DepthwiseCircuit()
