"""The plan is the best that the rules of foldings and lanes allow, shown by enumerating all of them."""

from itertools import product
from math import inf

import pytest
from plan_enumeration import NETWORKS, Enumeration, check, choices, sample
from small_networks import GraphBuilder

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.planner import plan_for_interval, plan_for_multipliers, slowest_interval
from mbconv.generators.stages.network import build_network
from mbconv.models import load


@pytest.fixture(params=NETWORKS, ids=lambda make: make.__name__, scope="module")
def enumeration(request) -> Enumeration:
    builder = GraphBuilder()
    return Enumeration(build_network(builder.graph(request.param(builder))))


def test_fewest_multipliers_for_an_interval(enumeration):
    network = enumeration.network
    for interval in sample(enumeration.intervals(), 40):
        plan, fewest = plan_for_interval(network, interval), enumeration.fewest(interval)
        assert (inf if plan is None else plan.multipliers) == fewest, interval
        if plan is not None:
            assert plan.interval <= interval and plan.budget is None
            check(network, plan)


def test_least_interval_for_multipliers(enumeration):
    network = enumeration.network
    intervals = enumeration.intervals()
    stages = len(enumeration.stages)
    for budget in (stages, stages + 1, 2 * stages + 1, 4 * stages, 10 * stages):
        plan = plan_for_multipliers(network, budget)
        assert plan.multipliers <= plan.budget == budget
        check(network, plan)
        # No interval below it is possible: what is needed does not grow with the interval, so the next shorter tells.
        assert enumeration.fewest(plan.interval) == plan.multipliers
        shorter = intervals[intervals < plan.interval]
        assert not shorter.size or enumeration.fewest(int(shorter[-1])) > budget


def test_every_plan_at_once():
    """Foldings of both stages and lanes of all three streams as one product: nothing is taken for separable."""
    builder = GraphBuilder()
    x = builder.input(2, 1, 3)
    y = builder.convolution(x, 4)
    z = builder.depthwise(y, (1, 3))
    network = build_network(builder.graph(z))
    first, second = network.nodes
    fewest: dict[int, int] = {}
    for lanes in product(range(1, 4), range(1, 5), range(1, 5)):
        beats = max(network.shapes[tensor].beats(count) for tensor, count in zip((x, y, z), lanes, strict=True))
        pairs = product(choices(network, first, *lanes[:2]), choices(network, second, *lanes[1:]))
        for (one, cycles_one), (other, cycles_other) in pairs:
            interval = max(cycles_one, cycles_other, beats)
            fewest[interval] = min(fewest.get(interval, 1 << 30), one.multipliers + other.multipliers)
    slowest = slowest_interval(network)
    assert slowest == max(fewest)
    for interval in range(1, slowest + 1):
        best = min((m for cycles, m in fewest.items() if cycles <= interval), default=None)
        plan = plan_for_interval(network, interval)
        assert (None if plan is None else plan.multipliers) == best
    for budget in range(2, 40):
        assert plan_for_multipliers(network, budget).interval == min(c for c, m in fewest.items() if m <= budget)


def test_fewer_multipliers_than_stages():
    network = build_network(load("digits"))
    with pytest.raises(GraphError, match="7 multipliers are too few for this network: it needs at least 8, one for"):
        plan_for_multipliers(network, 7)
    with pytest.raises(GraphError, match="at least one multiplier is needed, not 0"):
        plan_for_multipliers(network, 0)
    plan = plan_for_multipliers(network, 8)
    assert plan.multipliers == 8 and plan.interval == slowest_interval(network)


def test_a_network_without_multipliers():
    builder = GraphBuilder()
    x = builder.input(3, 3, 6)
    network = build_network(builder.graph(builder.mean(builder.add(x, builder.input(3, 3, 6)))))
    plan = plan_for_multipliers(network, 1)
    assert (plan.interval, plan.multipliers, plan.foldings) == (9, 0, {})
    check(network, plan)
