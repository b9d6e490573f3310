"""The pointwise circuit: 1×1 convolutions and fully connected operators.

With Ci inputs, Co outputs, L_in and L_out lanes: L_in divides Pi, Pi < Ci + L_in; L_out divides Po, Po < Co + L_out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mbconv.hdl.pointwise import Pointwise, PointwiseParameters

from ..planning.folding import Folding, ceil_div, round_up
from ..timing.event_graph import EventGraph
from ..timing.stage_timing import blocks_of, packing_of
from ..timing.timing import Blocks, Packing, Ports
from .folded import FoldedCircuit
from .protocol import Site

if TYPE_CHECKING:
    from .network import Network, Node


@dataclass(frozen=True)
class PointwiseTiming:
    """Event model of :class:`mbconv.hdl.pointwise.Pointwise`."""

    packing: Packing
    blocks: Blocks
    slots: int
    available_delay: int
    release_delay: int
    pixels: int  # of a frame

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        pixels = frames * self.pixels
        accepted = self.packing.accept(graph, name, pixels)
        issued = self.blocks.issue(graph, name, pixels)
        first, last = self.blocks.first_blocks(pixels), self.blocks.last_blocks(pixels)
        beats = range(self.packing.beats - 1, accepted.count, self.packing.beats)
        issued.after_some(accepted, self.packing.delay + self.available_delay, first, beats)
        release = self.blocks.steps - 1 + self.release_delay
        freeing = last[: max(pixels - self.slots, 0)]
        self.packing.wait(accepted, range(self.slots, pixels), issued, freeing, release)
        issued.after_some(issued, release + self.available_delay, first[self.slots :], freeing)
        valid = self.blocks.outputs(graph, name, issued)
        return Ports([accepted], valid, lambda taken: self.blocks.hold(issued, taken))


def pointwise_timing(stage: PointwiseParameters, pixels: int) -> PointwiseTiming:
    """The event model of a pointwise circuit, for frames of so many pixels."""
    return PointwiseTiming(
        packing_of(stage.inputs, stage.input_lanes, stage.input_folding),
        blocks_of(stage.mac),
        stage.slots,
        stage.available_delay,
        stage.release_delay,
        pixels,
    )


class PointwiseCircuit(FoldedCircuit):
    """A matrix by the vector of each pixel, or by one vector of all pixels: H·W·⌈Ci/Pi⌉·⌈Co/Po⌉ cycles."""

    KIND: ClassVar[str] = "pointwise"
    component = Pointwise

    def cycles(self, network: Network, node: Node, folding: Folding, lanes: Mapping[int, int]) -> int:
        shape = network.shapes[node.output]
        return shape.pixels * self.steps(node, folding) * ceil_div(shape.channels, folding.outputs)

    def allowed_inputs(self, network: Network, node: Node, lanes_in: int) -> Sequence[int]:
        return range(lanes_in, node.reduction + lanes_in, lanes_in)

    def useful_inputs(self, network: Network, node: Node, per_pixel: int, lanes_in: int) -> np.ndarray:
        steps = np.arange(1, min(node.reduction, per_pixel) + 1)
        return np.unique(round_up(np.unique(ceil_div(node.reduction, steps)), lanes_in))

    def input_rule(self, network: Network, node: Node, lanes_in: int) -> str:
        return f"is no multiple of the {lanes_in} lanes of tensor {node.inputs[0]} that suits {node.reduction} channels"

    def parameters(self, site: Site, common: dict[str, Any], capacity: None) -> PointwiseParameters:
        return PointwiseParameters(
            inputs=site.node.reduction,
            outputs=site.output_shape.channels,
            input_folding=site.folding.inputs,
            output_folding=site.folding.outputs,
            **common,
        )

    def timing(self, site: Site, parameters: PointwiseParameters) -> PointwiseTiming:
        return pointwise_timing(parameters, site.output_shape.pixels)


CIRCUIT = PointwiseCircuit()
