"""The circuit of a mean over all pixels of a map: AVERAGE_POOL_2D of the whole map, and MEAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mbconv.hdl.average_pool import AveragePool

from ..constants.pool_constants import pool_requantization
from ..constants.requantization import Requantization
from ..timing.event_graph import EventGraph, Events
from ..timing.timing import Ports
from .protocol import Site, StageCircuit
from .stage import Stage

if TYPE_CHECKING:
    from .network import Network, Node


@dataclass(frozen=True)
class PoolTiming:
    """Event model of :class:`mbconv.hdl.average_pool.AveragePool`."""

    beats: int  # of a pixel
    pixels: int
    latency: int  # from the acceptance of a last pixel's beat to its result being valid
    queue_depth: int

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        accepted = graph.add(f"{name} takes a beat", frames * self.beats * self.pixels)
        beats = np.arange(self.beats * self.pixels * frames).reshape(frames, self.pixels, self.beats)[:, -1].ravel()
        valid = graph.add(f"{name} has a beat of outputs", beats.size, None)
        valid.after_some(accepted, self.latency, range(beats.size), beats)

        def hold(taken: Events) -> None:
            accepted.after_some(taken, 1, beats[self.queue_depth :], range(max(beats.size - self.queue_depth, 0)))

        return Ports([accepted], valid, hold)


class PoolCircuit(StageCircuit):
    """Sums of each channel, and one requantisation of them behind the last pixel: as many cycles as beats arrive."""

    KIND: ClassVar[str] = "pool"

    def cycles(self, network: Network, node: Node, folding: None, lanes: Mapping[int, int]) -> int:
        return network.shapes[node.inputs[0]].beats(lanes[node.inputs[0]])

    def constants(self, site: Site) -> Requantization:
        return pool_requantization(site.node.operator, site.network.graph, lanes=site.lanes_out)

    def build(self, site: Site) -> Stage:
        lanes, pixels = site.lanes_out, site.input_shape.pixels
        found: Requantization = site.constants
        channels, family = site.output_shape.channels, site.family
        pool = AveragePool(site.shapes[0], channels, lanes, pixels, found.format, found.words, family=family)
        timing = PoolTiming(pool.groups, pixels, pool.latency, pool.queue_depth)
        return Stage(site.node, lambda: pool, ("i",), timing, site.cycles, requantization=found)


CIRCUIT = PoolCircuit()
