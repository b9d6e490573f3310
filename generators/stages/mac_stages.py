"""Nodes that multiply and accumulate, as stages: pointwise, depthwise and convolution."""

from __future__ import annotations

from amaranth.hdl import signed

from mbconv.hdl.convolution import Convolution
from mbconv.hdl.depthwise import Depthwise
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.pointwise import Pointwise

from ..constants.mac_constants import MacConstants, mac_constants
from ..constants.weights import folded_weights, pack_records, pack_words
from ..planning.folding import convolution_taps
from ..planning.planner import Plan, stage_cycles
from ..timing.stage_timing import convolution_timing, depthwise_timing, pointwise_timing
from .element_shape import element_shape
from .network import Network, Node
from .stage import Stage, window_geometry


def requantize_interval(node: Node, plan: Plan) -> int:
    """Cycles that a stage's folding leaves for each beat of results."""
    folding, lanes = plan.foldings[node.operator.index], plan.lanes[node.output]
    return max(1, -(-node.reduction // folding.inputs) // (folding.outputs // lanes))


def constants_of(network: Network, node: Node, plan: Plan) -> MacConstants:
    return mac_constants(network, node, lanes=plan.lanes[node.output], interval=requantize_interval(node, plan))


def mac_stage(
    network: Network,
    node: Node,
    plan: Plan,
    constants: MacConstants,
    capacity: int | None = None,
    family: Family = GENERIC,
) -> Stage:
    """A node's circuit in its planned folding.

    Args:
        capacity: pixels of its window's ring; the least that works unless given. The event model has none.
    """
    component, timing = _BUILDERS[node.kind](network, node, plan, constants, capacity, family)
    folding, lanes = plan.foldings[node.operator.index], plan.lanes[node.output]
    found = constants.requantization
    return Stage(
        node,
        component,
        ("i",),
        timing,
        stage_cycles(network, node, plan),
        {
            "weights": pack_words(folded_weights(constants.weights, folding), constants.weight_bits),
            "requantization": pack_records(found.packed(), found.format.word_bits, lanes),
        },
        found,
    )


def _common(network: Network, node: Node, plan: Plan, constants: MacConstants, family: Family) -> dict:
    return dict(
        data_shape=element_shape(network.tensor(node.inputs[0]).element),
        weight_shape=signed(constants.weight_bits),
        format=constants.requantization.format,
        input_lanes=plan.lanes[node.inputs[0]],
        lanes=plan.lanes[node.output],
        family=family,
    )


def _windowed(network: Network, node: Node, capacity: int | None, taps: int) -> dict:
    geometry = window_geometry(network, node)
    if capacity is None:
        capacity = geometry.minimum_capacity(taps)
    pad_value = network.tensor(node.inputs[0]).zero_point
    return dict(geometry=geometry, taps=taps, capacity=capacity, pad_value=pad_value)


def _pointwise(network: Network, node: Node, plan: Plan, constants: MacConstants, capacity: None, family: Family):
    folding = plan.foldings[node.operator.index]
    stage = Pointwise(
        inputs=node.reduction,
        outputs=constants.weights.shape[0],
        input_folding=folding.inputs,
        output_folding=folding.outputs,
        **_common(network, node, plan, constants, family),
    )
    return stage, pointwise_timing(stage, network.shapes[node.output].pixels)


def _depthwise(network: Network, node: Node, plan: Plan, constants: MacConstants, capacity: int | None, family: Family):
    folding = plan.foldings[node.operator.index]
    stage = Depthwise(
        channels=constants.weights.shape[0],
        channel_folding=folding.outputs,
        **_windowed(network, node, capacity, folding.inputs),
        **_common(network, node, plan, constants, family),
    )
    return stage, depthwise_timing(stage)


def _convolution(
    network: Network, node: Node, plan: Plan, constants: MacConstants, capacity: int | None, family: Family
):
    folding = plan.foldings[node.operator.index]
    stage = Convolution(
        channels=network.shapes[node.inputs[0]].channels,
        outputs=constants.weights.shape[0],
        input_folding=folding.inputs,
        output_folding=folding.outputs,
        **_windowed(network, node, capacity, convolution_taps(network, node, folding.inputs, plan.interval)),
        **_common(network, node, plan, constants, family),
    )
    return stage, convolution_timing(stage)


_BUILDERS = {"pointwise": _pointwise, "depthwise": _depthwise, "convolution": _convolution}
