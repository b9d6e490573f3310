"""The plan: every stage's folding and every stream's lanes, for a number of multipliers or an interval.

For a given interval each stage wants the fewest multipliers whose frame fits into it. Stages are coupled only through
the lanes of
the streams between them, so the least total is a shortest path through the network with lanes as states; where
the network forks and joins it is the same by elimination of variables (min-sum, R. Dechter, "Bucket elimination",
1999).
The total does not grow with the interval, so the least interval for a number of multipliers is found by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from . import folding as foldings
from .folding import Folding
from .graph import GraphError
from .network import Network, Node


@dataclass(frozen=True)
class Plan:
    """Foldings by operator index, lanes by tensor index, and the target they were chosen for.

    ``interval`` is the slowest stage's cycles for a frame: the network's initiation interval.
    """

    foldings: dict[int, Folding]
    lanes: dict[int, int]
    interval: int
    budget: int | None

    @property
    def multipliers(self) -> int:
        return sum(folding.multipliers for folding in self.foldings.values())


def stage_cycles(network: Network, node: Node, plan: Plan) -> int:
    """Cycles of a stage for a frame."""
    tensor = node.inputs[0] if node.kind == "pool" else node.output
    return foldings.cycles(network, node, plan.foldings.get(node.operator.index), plan.lanes[tensor])


def interval_of(network: Network, chosen: dict[int, Folding], lanes: dict[int, int]) -> int:
    """The slowest stage's or stream's cycles for a frame."""
    plan = Plan(chosen, lanes, 0, None)
    stages = [stage_cycles(network, node, plan) for node in network.nodes]
    return max(stages + [network.shapes[tensor].beats(count) for tensor, count in lanes.items()])


class _LaneGroups:
    """Tensors that must have the same lanes because an addition, a table or a pool lies between them."""

    def __init__(self, network: Network):
        self.parent = {tensor: tensor for tensor in network.shapes}
        for node in network.nodes:
            if not node.is_mac:
                for tensor in node.inputs:
                    self.parent[self.find(tensor)] = self.find(node.output)
        self.members: dict[int, list[int]] = {}
        for tensor in network.shapes:
            self.members.setdefault(self.find(tensor), []).append(tensor)

    def find(self, tensor: int) -> int:
        while self.parent[tensor] != tensor:
            tensor = self.parent[tensor]
        return tensor


def _lane_options(network: Network, groups: _LaneGroups, interval: int) -> dict[int, list[int]] | None:
    """For each group the lane counts worth trying: from the fewest that keep up to a few times as many."""
    options = {}
    for root, members in groups.members.items():
        shapes = [network.shapes[tensor] for tensor in members]
        most = min(shape.channels for shape in shapes)
        fitting = [
            lanes
            for lanes in range(1, most + 1)
            if all(shape.beats(lanes) <= interval for shape in shapes)
            and all(network.shapes[t].channels % lanes == 0 for t in members if t in network.whole_vectors)
        ]
        if not fitting:
            return None
        options[root] = [lanes for lanes in fitting if lanes <= 4 * fitting[0] + 4 or lanes == most]
    return options


_LANE_COST = 1e-3  # a lane is worth far less than a multiplier; it breaks ties


def plan_for_interval(network: Network, interval: int) -> Plan | None:
    """The plan of fewest multipliers in which no stage takes more than ``interval`` cycles, or None if there is
    none."""
    groups = _LaneGroups(network)
    options = _lane_options(network, groups, interval)
    if options is None:
        return None
    choice: dict[tuple[int, int, int], Folding] = {}
    factors = [((root,), np.array(lanes) * _LANE_COST * len(groups.members[root])) for root, lanes in options.items()]
    for node in network.nodes:
        if not node.is_mac:
            continue
        left, right = groups.find(node.inputs[0]), groups.find(node.output)
        table = np.full((len(options[left]), len(options[right])), inf)
        for row, lanes_in in enumerate(options[left]):
            for column, lanes_out in enumerate(options[right]):
                found = foldings.cheapest(network, node, interval, lanes_in, lanes_out)
                if found is not None:
                    choice[node.operator.index, lanes_in, lanes_out] = found
                    table[row, column] = found.multipliers
        factors.append(((left, right), table) if left != right else ((left,), np.diagonal(table)))
    picked = minimise(factors, {root: len(lanes) for root, lanes in options.items()})
    if picked is None:
        return None
    lanes = {tensor: options[groups.find(tensor)][picked[groups.find(tensor)]] for tensor in network.shapes}
    chosen = {
        node.operator.index: choice[node.operator.index, lanes[node.inputs[0]], lanes[node.output]]
        for node in network.nodes
        if node.is_mac
    }
    return Plan(chosen, lanes, interval_of(network, chosen, lanes), None)


def minimise(factors: list[tuple[tuple[int, ...], np.ndarray]], sizes: dict[int, int]) -> dict[int, int] | None:
    """The assignment of least total cost: ``factors`` are (variables, cost table); None if every assignment costs
    infinity."""
    factors = list(factors)
    remaining = set(sizes)
    decisions: list[tuple[int, tuple[int, ...], np.ndarray]] = []
    while remaining:
        neighbours = {
            variable: {v for scope, _ in factors if variable in scope for v in scope} - {variable}
            for variable in remaining
        }
        variable = min(sorted(remaining), key=lambda v: len(neighbours[v]))
        scope = (*sorted(neighbours[variable]), variable)
        total = np.zeros([sizes[v] for v in scope])
        for names, table in factors:
            if variable in names:
                total = total + _expand(names, table, scope)
        factors = [factor for factor in factors if variable not in factor[0]]
        factors.append((scope[:-1], total.min(axis=-1)))
        decisions.append((variable, scope[:-1], total.argmin(axis=-1)))
        remaining.remove(variable)
    if not np.isfinite(sum(float(table) for scope, table in factors if scope == ())):
        return None
    picked: dict[int, int] = {}
    for variable, scope, best in reversed(decisions):
        picked[variable] = int(best[tuple(picked[v] for v in scope)])
    return picked


def _expand(names: tuple[int, ...], table: np.ndarray, scope: tuple[int, ...]) -> np.ndarray:
    """A table over ``names`` as one that broadcasts over ``scope``."""
    order = sorted(range(len(names)), key=lambda position: scope.index(names[position]))
    table = np.transpose(table, order)
    present = [names[position] for position in order]
    return table.reshape([table.shape[present.index(v)] if v in present else 1 for v in scope])


def plan_for_multipliers(network: Network, multipliers: int) -> Plan:
    """The plan of least interval with at most ``multipliers`` multipliers.

    Raises:
        GraphError: fewer multipliers than stages that need one, with the least number that works.
    """
    if multipliers < 1:
        raise GraphError(f"at least one multiplier is needed, not {multipliers}")
    macs = sum(network.macs(node) for node in network.nodes)
    slowest = max(
        [
            network.shapes[node.output].pixels * node.reduction * network.shapes[node.output].channels
            for node in network.nodes
        ]
        + [shape.pixels * shape.channels for shape in network.shapes.values()]
    )
    low, high = max(1, macs // multipliers - 1), slowest  # low is too short or just not known to fit
    best = plan_for_interval(network, high)
    if best is None or best.multipliers > multipliers:
        needed = "more" if best is None else f"at least {best.multipliers}"
        raise GraphError(
            f"{multipliers} multipliers are too few for this network: each stage needs some, {needed} in all"
        )
    while high - low > 1:
        middle = (low + high) // 2
        plan = plan_for_interval(network, middle)
        if plan is not None and plan.multipliers <= multipliers:
            best, high = plan, min(middle, plan.interval)
        else:
            low = middle
    return Plan(best.foldings, best.lanes, best.interval, multipliers)
