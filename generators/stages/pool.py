"""The circuit of means over whole axes: AVERAGE_POOL_2D of the whole map, and MEAN of rows, of columns or of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mbconv.hdl.average_pool import AveragePool

from ..constants.pool_constants import pool_requantization
from ..constants.requantization import Requantization
from ..timing.beat_timing import ChosenTiming
from .protocol import Site, StageCircuit
from .stage import Stage

if TYPE_CHECKING:
    from .network import Network, Node


class PoolCircuit(StageCircuit):
    """Sums of each channel over all pixels, of each column over all rows, or of each row over its columns, and one
    requantisation of them behind the last: as many cycles as beats arrive."""

    KIND: ClassVar[str] = "pool"

    def cycles(self, network: Network, node: Node, folding: None, lanes: Mapping[int, int]) -> int:
        return network.shapes[node.inputs[0]].beats(lanes[node.inputs[0]])

    def constants(self, site: Site) -> Requantization:
        return pool_requantization(site.node.operator, site.network.graph, lanes=site.lanes_out)

    def build(self, site: Site) -> Stage:
        lanes, input_tensor = site.lanes_out, site.input_shape
        found: Requantization = site.constants
        summed = site.node.operator.summed(site.network.graph)
        # Beats that are summed lie as far apart as there are sums; a frame may have several such sets of sums.
        groups = input_tensor.beats(lanes) // (summed.times * summed.count)
        pool = AveragePool(
            site.shapes[0], groups * lanes, lanes, summed.count, found.format, found.words, family=site.family
        )
        ends = np.arange(groups) + (summed.count - 1) * groups
        places = (np.arange(summed.times)[:, None] * summed.count * groups + ends).ravel()
        timing = ChosenTiming(input_tensor.beats(lanes), places, pool.latency, pool.queue_depth)
        return Stage(site.node, pool, ("i",), timing, site.cycles, requantization=found)


CIRCUIT = PoolCircuit()
