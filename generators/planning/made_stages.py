"""Stages of many plans of one network, each made once for all plans that share it."""

from __future__ import annotations

from mbconv.hdl.family import GENERIC, Family

from ..stages.network import Network, Node
from ..stages.protocol import Site
from ..stages.stage import Stage
from .plan import Plan


class MadeStages:
    """The stages of a network in whatever plans, for a family of FPGAs, windows in the least size that works."""

    def __init__(self, network: Network, family: Family = GENERIC) -> None:
        self.network, self.family = network, family
        self._made: dict[tuple, Stage] = {}

    @staticmethod
    def key(node: Node, plan: Plan) -> tuple:
        """What a stage depends on."""
        lanes = tuple(plan.lanes[tensor] for tensor in (*node.inputs, node.output))
        pace = plan.interval if node.circuit.FOR_INTERVAL and not plan.for_latency else None
        return node.name, plan.folding(node), lanes, pace

    def stage(self, node: Node, plan: Plan) -> Stage:
        """The stage of a node in a plan."""
        key = self.key(node, plan)
        if key not in self._made:
            self._made[key] = node.circuit.build(Site(self.network, node, plan, self.family))
        return self._made[key]

    def stages(self, plan: Plan) -> dict[str, Stage]:
        """All stages of a plan, by name."""
        return {node.name: self.stage(node, plan) for node in self.network.nodes}
