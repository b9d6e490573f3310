"""Which streams need the same lanes, and the lanes that a stream may have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..stages.network import Network
from .folding import ceil_div


class LaneGroups:
    """Tensors that must have the same lanes because a circuit without gearboxes lies between them."""

    def __init__(self, network: Network):
        self.parent = {tensor: tensor for tensor in network.shapes}
        for node in network.nodes:
            for first, *others in node.circuit.coupled(network, node):
                for tensor in others:
                    self.parent[self.find(first)] = self.find(tensor)
        self.members: dict[int, list[int]] = {}
        for tensor in network.shapes:
            self.members.setdefault(self.find(tensor), []).append(tensor)

    def find(self, tensor: int) -> int:
        """The tensor that stands for a tensor's group."""
        while self.parent[tensor] != tensor:
            tensor = self.parent[tensor]
        return tensor


def fitting_lanes(network: Network, members: list[int], beats: Mapping[int, int]) -> np.ndarray:
    """The lane counts with which every tensor of a group streams a frame in so many ``beats``, at most."""
    shapes = [network.shapes[tensor] for tensor in members]
    lanes = np.arange(1, min(shape.channels for shape in shapes) + 1)
    fits = np.ones(lanes.size, bool)
    for tensor, shape in zip(members, shapes, strict=True):
        fits &= shape.pixels * ceil_div(shape.channels, lanes) <= beats[tensor]
        for channels in network.views.get(tensor, ()):
            fits &= channels % lanes == 0
    return lanes[fits]
