"""Nodes without multipliers, as stages: additions, tables and pools."""

from __future__ import annotations

from mbconv.hdl.add import Add
from mbconv.hdl.average_pool import AveragePool
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.lookup import Lookup

from ..constants.add_tables import add_constants
from ..constants.lookup_tables import lookup_tables
from ..constants.pool_constants import pool_requantization
from ..planning.planner import Plan, stage_cycles
from ..timing.timing import ElementwiseTiming, PoolTiming
from .element_shape import element_shape
from .network import Network, Node
from .stage import Stage


def elementwise_stage(network: Network, node: Node, plan: Plan, family: Family = GENERIC) -> Stage:
    """The circuit of an addition, a table or a pool.

    Raises:
        GraphError: no circuit is exact.
    """
    shapes = [element_shape(network.tensor(tensor).element) for tensor in (*node.inputs, node.output)]
    lanes, channels = plan.lanes[node.output], network.shapes[node.output].channels
    cycles, beats = stage_cycles(network, node, plan), network.shapes[node.output].beats(lanes)
    if node.kind == "add":
        add = Add(*shapes, lanes, add_constants(node.operator, network.graph), name=node.name, family=family)
        timing = ElementwiseTiming(add.latency, add.queue_depth, beats, inputs=2)
        return Stage(node, add, ("first", "second"), timing, cycles)
    if node.kind == "lookup":
        lookup = Lookup(
            *shapes, channels, lanes, lookup_tables(node.operator, network.graph), name=node.name, family=family
        )
        timing = ElementwiseTiming(lookup.latency, lookup.queue_depth, beats)
        return Stage(node, lookup, ("i",), timing, cycles)
    found = pool_requantization(node.operator, network.graph, lanes=lanes)
    pixels = network.shapes[node.inputs[0]].pixels
    pool = AveragePool(shapes[0], channels, lanes, pixels, found.format, found.words, family=family)
    timing = PoolTiming(pool.groups, pixels, pool.latency, pool.queue_depth)
    return Stage(node, pool, ("i",), timing, cycles, requantization=found)
