"""The cycles that a plan's stages and streams take for a frame."""

from __future__ import annotations

from ..stages.network import Network, Node
from .folding import Folding
from .plan import Plan


def stage_cycles(network: Network, node: Node, plan: Plan) -> int:
    """Cycles of a stage for a frame."""
    return node.circuit.cycles(network, node, plan.folding(node), plan.lanes)


def interval_of(network: Network, chosen: dict[int, Folding], lanes: dict[int, int]) -> int:
    """The slowest stage's or stream's cycles for a frame."""
    plan = Plan(chosen, lanes, 0, None)
    stages = [stage_cycles(network, node, plan) for node in network.nodes]
    return max(stages + [network.shapes[tensor].beats(count) for tensor, count in lanes.items()])
