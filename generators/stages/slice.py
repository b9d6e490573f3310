"""The circuit of STRIDED_SLICE, SLICE and the parts of SPLIT: some rows, columns and channels of a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mbconv.hdl.slice import Kept, Slice

from ..timing.beat_timing import ChosenTiming
from .protocol import Site, StageCircuit, input_raster
from .stage import Stage

if TYPE_CHECKING:
    from .network import Network, Node


class SliceCircuit(StageCircuit):
    """Takes a beat each cycle and keeps some; of channels whole beats."""

    KIND: ClassVar[str] = "slice"

    def cycles(self, network: Network, node: Node, folding: None, lanes: Mapping[int, int]) -> int:
        return input_raster(network, node).beats(lanes[node.inputs[0]])

    def build(self, site: Site) -> Stage:
        input_tensor, lanes = site.input_shape, site.lanes_in
        beats = -(-input_tensor.channels // lanes)
        rows, columns, channels = site.node.operator.kept(site.network.graph, site.node.output)
        raster = input_tensor.height, input_tensor.width, beats
        kept = rows, columns, _beats(channels, lanes, beats)
        circuit = Slice(site.shapes[0], lanes, raster, kept, family=site.family)
        axes = [first + step * np.arange(count) for first, step, count in kept]
        places = (axes[0][:, None, None] * input_tensor.width + axes[1][:, None]) * beats + axes[2]
        timing = ChosenTiming(input_tensor.beats(lanes), places.ravel(), circuit.latency, circuit.queue_depth)
        return Stage(site.node, circuit, ("i",), timing, input_tensor.beats(lanes))


def _beats(channels: Kept, lanes: int, beats: int) -> Kept:
    """The beats of a pixel that hold some of its channels."""
    first, step, count = channels
    if step > 1:
        assert lanes == 1, "channels at a distance are beats of their own"
        return channels
    if count == 1 and lanes == 1:
        return first, 1, 1
    whole = first == 0 and -(-count // lanes) == beats
    return (0, 1, beats) if whole else (first // lanes, 1, count // lanes)


CIRCUIT = SliceCircuit()
