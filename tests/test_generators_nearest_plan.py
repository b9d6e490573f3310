"""The plan that comes nearest to a device, against every plan of a small network made and counted."""

from dataclasses import replace

import pytest

from mbconv.fpga.families import find_part
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning import nearest_plan
from mbconv.generators.planning.board_plan import design_cost, design_for_board
from mbconv.generators.planning.device import Board
from mbconv.generators.planning.nearest_plan import NearestSearch, list_plans
from mbconv.generators.planning.planner import plan_for_interval, plan_for_multipliers, slowest_interval
from mbconv.generators.planning.use import scarcest, uses
from mbconv.generators.stages.network import build_network
from mbconv.models import load

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")

MULTIPLIERS = 28
GENERIC_PART = find_part("LFE5U-25F").resources
DEVICES = [(0, 9000), (1, 300), (1, 1500), (1, 4000), (2, 600), (2, 9000), (5, 2000), (5, 5000)]  # block RAMs, LUTs


def device(block_rams, luts):
    return replace(GENERIC_PART, name="FPGA", block_rams=block_rams, luts=luts)


@pytest.fixture(scope="module")
def network():
    return build_network(load("digits").layers(8, 11))


@pytest.fixture(scope="module")
def all_plans(network):
    """By interval, found by trying every interval that there is."""
    shortest = plan_for_multipliers(network, MULTIPLIERS, sharing=False).interval
    plans = [
        plan_for_interval(network, interval, sharing=False)
        for interval in range(shortest, slowest_interval(network) + 1)
    ]
    return {plan.interval: plan for plan in plans}


@pytest.fixture(scope="module")
def designs(network, all_plans):
    return {interval: make_design(network.graph, plan=plan) for interval, plan in all_plans.items()}


@pytest.fixture(scope="module")
def counted(designs):
    return {interval: design_cost(design) for interval, design in designs.items()}


def search(network, part, designs):
    return NearestSearch(network, part, lambda plan: designs[plan.interval], design_cost)


def test_every_plan_is_listed(network, all_plans):
    listed = list_plans(network, min(all_plans), MULTIPLIERS)
    assert {plan.budget for plan in listed} == {MULTIPLIERS}
    assert [plan.interval for plan in listed] == sorted(all_plans, reverse=True)
    for plan in listed:
        assert (plan.foldings, plan.lanes) == (all_plans[plan.interval].foldings, all_plans[plan.interval].lanes)


def test_the_nearest_of_all(network, all_plans, designs, counted):
    listed, found = list_plans(network, min(all_plans), MULTIPLIERS), []
    for part in (device(*numbers) for numbers in DEVICES):
        times = {interval: scarcest(uses(needed, part)) for interval, needed in counted.items()}
        nearest = search(network, part, designs).nearest(listed)
        interval = nearest.plan.interval
        assert interval == min(times, key=lambda i: (times[i], i)), part
        found.append(interval)
    assert set(found) - {min(all_plans), max(all_plans)}, "in some of these devices it is neither end of the list"
    assert len(set(found)) > 2


@pytest.mark.parametrize("numbers", DEVICES)
def test_bounds_are_bounds(network, all_plans, designs, counted, numbers):
    part = device(*numbers)
    bounds = search(network, part, designs)
    for interval, plan in all_plans.items():
        exact = scarcest(uses(counted[interval], part))
        assert bounds.weights_bound(plan) <= exact and bounds.stages_bound(plan) <= exact


def test_few_designs_are_made(network, all_plans, designs):
    found = search(network, device(1, 300), designs)
    found.nearest(list_plans(network, min(all_plans), MULTIPLIERS))
    assert found.counted < len(all_plans) / 2


@pytest.mark.parametrize("count", [1, 3])
def test_the_nearest_does_not_depend_on_the_number_of_processes(network, all_plans, designs, monkeypatch, count):
    listed = list_plans(network, min(all_plans), MULTIPLIERS)
    nearest = [search(network, device(*numbers), designs).nearest(listed).plan.interval for numbers in DEVICES]
    monkeypatch.setattr(nearest_plan, "processors", lambda: count)
    assert nearest == [search(network, device(*numbers), designs).nearest(listed).plan.interval for numbers in DEVICES]


@pytest.mark.parametrize("numbers", DEVICES)
def test_a_board_gets_its_fastest_plan_or_is_refused_with_the_nearest(network, all_plans, designs, counted, numbers):
    small = Board("mine", "Mine", device(*numbers))
    times = {interval: scarcest(uses(needed, small.device)) for interval, needed in counted.items()}
    fitting = [interval for interval in times if times[interval] <= 1]
    if fitting:
        assert design_for_board(network.graph, small, count=design_cost).plan.interval == min(fitting)
        return
    with pytest.raises(GraphError) as caught:
        design_for_board(network.graph, small, count=design_cost)
    text, bounds = str(caught.value), search(network, small.device, designs)
    if "weights alone" in text:
        return
    if "even without queues" in text:
        interval = min(all_plans, key=lambda i: (bounds.stages_bound(all_plans[i]), i))
        assert all(map(bounds.impossible, all_plans.values()))
        short = [use for use in bounds.stages_uses(all_plans[interval]) if not use.fits]
        assert f"the nearest of all its plans, {interval:,} cycles a frame" in text
        assert short and f"needs at least {' and '.join(map(str, short))} even without queues;" in text
    else:
        interval = min(times, key=lambda i: (times[i], i))
        short = [use for use in uses(counted[interval], small.device) if not use.fits]
        assert f"even the nearest of all its plans, {interval:,} cycles a frame" in text
        assert short and f"needs {' and '.join(map(str, short))};" in text


def test_the_fastest_that_fits(network, all_plans, designs, counted):
    """Where block RAM does not shrink with the multipliers too: all shorter ones are excluded or were counted."""
    listed, answers = list_plans(network, min(all_plans), MULTIPLIERS), set()
    for luts in range(500, 6000, 900):
        for blocks in (0, 1, 2, 5):
            part = device(blocks, luts)
            times = {interval: scarcest(uses(needed, part)) for interval, needed in counted.items()}
            expected = min((interval for interval in times if times[interval] <= 1), default=None)
            found = search(network, part, designs).fastest(listed)
            assert (None if found is None else found.plan.interval) == expected
            answers.add(expected)
    assert len(answers) > 3 and None in answers
