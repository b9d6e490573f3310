"""The fewest multipliers with which every stage keeps the cycles that it may take for a frame.

Stages are coupled only through the lanes of the streams between them, so the least total is a min-sum problem with the
lanes of each group of tensors as variables (:mod:`.elimination`). It is exact: lane counts are left out only where a
lower bound of the total with them exceeds a total already reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from types import MappingProxyType

import numpy as np

from ..stages.folded import FoldedCircuit
from ..stages.network import Network, Node
from .elimination import Factor, minimise
from .folding import Folding
from .lane_groups import LaneGroups, fitting_lanes
from .plan import Plan
from .plan_cycles import interval_of

_LANE_COST = 1e-7  # all lanes of a network together are worth less than one multiplier; they break ties


class IntervalSearch:
    """The fewest multipliers for one interval: the lanes of each group of tensors as variables of a min-sum problem.

    Args:
        sharing: whether pixels may share groups of outputs.
        fewer: by operator, of stages that may take fewer cycles than the interval how many; the streams at their ends
            then have as few beats.

    Attributes:
        options: the lane counts that each group may have.
        stages: of each stage that is folded the node, its circuit and the groups at its ends.
    """

    def __init__(
        self, network: Network, interval: int, sharing: bool = True, fewer: Mapping[int, int] = MappingProxyType({})
    ):
        self.network, self.interval, self.sharing, self.fewer = network, interval, sharing, fewer
        self.groups = LaneGroups(network)
        beats = dict.fromkeys(network.shapes, interval)
        for node, _ in network.folded:
            for tensor in (*node.inputs, node.output):
                beats[tensor] = min(beats[tensor], self.cycles(node))
        self.options = {root: fitting_lanes(network, m, beats) for root, m in self.groups.members.items()}
        find = self.groups.find
        self.stages = [(n, circuit, find(n.inputs[0]), find(n.output)) for n, circuit in network.folded]
        self._fewest: dict[tuple, np.ndarray] = {}

    def cycles(self, node: Node) -> int:
        """Those that a stage may take for a frame."""
        return min(self.interval, self.fewer.get(node.operator.index, self.interval))

    def first_options(self) -> dict[int, np.ndarray]:
        """A few lane counts of each group, among which a good plan usually is."""
        return {root: lanes[lanes <= 4 * lanes[0] + 4] if lanes.size else lanes for root, lanes in self.options.items()}

    def bounds(self) -> list[float]:
        """For each stage the fewest multipliers between streams of whatever lanes suit it best."""
        one = np.array([1])
        return [float(self._multipliers(*stage[:2], 1, one, drained=False)[0]) for stage in self.stages]

    def remaining_options(self, bounds: list[float], limit: float) -> dict[int, np.ndarray]:
        """The lane counts with which a total of at most ``limit`` multipliers cannot be ruled out.

        With given lanes at one end and any at the other, a stage needs more than its bound; the total can exceed the
        sum of the bounds by the slack only.
        """
        slack = limit - sum(bounds)
        options = dict(self.options)
        excess = {root: np.zeros(lanes.size) for root, lanes in options.items()}
        for (node, circuit, _, right), bound in zip(self.stages, bounds, strict=True):
            excess[right] += self._multipliers(node, circuit, 1, options[right]) - bound
        for root, lanes in options.items():
            options[root], excess[root] = lanes[excess[root] <= slack], excess[root][excess[root] <= slack]
        one = np.array([1])
        for (node, circuit, left, right), bound in zip(self.stages, bounds, strict=True):
            if left != right:
                fewest = [
                    self._multipliers(node, circuit, int(lanes), one, drained=False)[0] for lanes in options[left]
                ]
                excess[left] += np.array(fewest) - bound
                kept = excess[left] <= slack
                options[left], excess[left] = options[left][kept], excess[left][kept]
        return options

    def _multipliers(
        self, node: Node, circuit: FoldedCircuit, lanes_in: int, lanes_out: np.ndarray, drained: bool = True
    ) -> np.ndarray:
        """The fewest multipliers of a stage for each of its output's lanes; infinity where it cannot be built. Stages
        that are alike are asked once."""
        cycles = self.cycles(node)
        key = circuit.alike(self.network, node), cycles, lanes_in, lanes_out.tobytes(), drained
        if key not in self._fewest:
            inputs, outputs, _ = circuit.cheapest(
                self.network, node, cycles, lanes_in, lanes_out, drained=drained, sharing=self.sharing
            )
            self._fewest[key] = np.where(inputs > 0, inputs * outputs, inf)
        return self._fewest[key]

    def solve(self, options: dict[int, np.ndarray]) -> dict[int, int] | None:
        """The best lanes of each group among ``options``, None if there are none."""
        if not all(lanes.size for lanes in options.values()):
            return None
        factors: list[Factor] = [
            ((root,), lanes * (_LANE_COST * len(self.groups.members[root]))) for root, lanes in options.items()
        ]
        for node, circuit, left, right in self.stages:
            rows = [self._multipliers(node, circuit, int(lanes), options[right]) for lanes in options[left]]
            table = np.stack(rows)
            factors.append(((left, right), table) if left != right else ((left,), np.diagonal(table)))
        picked = minimise(factors, {root: lanes.size for root, lanes in options.items()})
        return None if picked is None else {root: int(options[root][index]) for root, index in picked.items()}

    def plan(self, picked: dict[int, int]) -> Plan:
        """The plan with the lanes picked for each group."""
        lanes = {tensor: picked[self.groups.find(tensor)] for tensor in self.network.shapes}
        chosen = {}
        for node, circuit, left, right in self.stages:
            ends = picked[left], np.array([picked[right]])
            found = circuit.cheapest(self.network, node, self.cycles(node), *ends, sharing=self.sharing)
            chosen[node.operator.index] = Folding(*(int(values[0]) for values in found))
        return Plan(chosen, lanes, interval_of(self.network, chosen, lanes), None)

    def best(self, limit: float = inf) -> Plan | None:
        """The plan of fewest multipliers; None if there is none with at most ``limit``."""
        bounds = self.bounds()
        if not isfinite(sum(bounds)) or sum(bounds) > limit:
            return None
        first = self.first_options()
        picked = self.solve(first)
        plan = None if picked is None else self.plan(picked)
        reached = limit if plan is None else min(limit, plan.multipliers)
        options = self.remaining_options(bounds, reached)
        if any(np.setdiff1d(lanes, first[root]).size for root, lanes in options.items()):
            picked = self.solve(options)
            plan = plan if picked is None else self.plan(picked)
        return None if plan is None or plan.multipliers > limit else plan
