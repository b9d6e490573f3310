"""The plan: every stage's folding and every stream's lanes, for a number of multipliers or an interval.

For a given interval each stage wants the fewest multipliers whose frame fits into it. Stages are coupled only through
the lanes of the streams between them, so the least total is a shortest path through the network with lanes as states;
where the network forks and joins it is the same by elimination of variables (min-sum, R. Dechter, "Bucket
elimination", 1999). The total does not grow with the interval, so the least interval for a number of multipliers is
found by bisection.

Both are exact: no other foldings and lanes that keep the rules of their circuits are
better. Lane counts are left out only where a lower bound of the total with them exceeds a total already reached.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph.graph import GraphError
from ..stages.network import Network
from .folding import Folding
from .interval_search import IntervalSearch
from .plan import Plan
from .plan_cycles import interval_of
from .search import find_least


def plan_for_interval(network: Network, interval: int, sharing: bool = True) -> Plan | None:
    """The plan of fewest multipliers in which no stage and no stream takes more than ``interval`` cycles a frame, or
    None if there is none; ``sharing``: pixels may share groups of outputs."""
    return IntervalSearch(network, interval, sharing).best()


def plan_for_multipliers(network: Network, multipliers: int, sharing: bool = True) -> Plan:
    """The plan of least interval with at most ``multipliers`` multipliers; of those with that interval one of the
    fewest; ``sharing``: pixels may share groups of outputs.

    Raises:
        GraphError: fewer multipliers than stages that need one, with the least number that works.
    """
    if multipliers < 1:
        raise GraphError(f"at least one multiplier is needed, not {multipliers}")
    needed = len(network.folded)
    if multipliers < needed:
        raise GraphError(
            f"{multipliers} multiplier{'s are' if multipliers > 1 else ' is'} too few for this network: it needs at "
            f"least {needed}, one for each stage "
            "that multiplies"
        )
    shortest = -(-sum(network.macs(node) for node in network.nodes) // multipliers) - 1  # cycles that are too few

    def attempt(interval: int) -> tuple[int, Plan] | None:
        plan = IntervalSearch(network, interval, sharing).best(multipliers)
        return None if plan is None else (plan.interval, plan)

    low = max(shortest, 0)  # the answer is usually little above it, where searches are quick
    best = find_least(low, slowest_interval(network), attempt, max(1, low // 64))
    assert best is not None
    return replace(best, budget=multipliers)


def slowest_interval(network: Network) -> int:
    """The interval with one multiplier in each stage and one lane in each stream, which is always possible."""
    plan = Plan(
        {node.operator.index: Folding(1, 1) for node, _ in network.folded},
        dict.fromkeys(network.shapes, 1),
        0,
        None,
    )
    return interval_of(network, plan.foldings, plan.lanes)
