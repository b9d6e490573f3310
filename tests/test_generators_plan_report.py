"""The report's numbers: exact sums, and each loss counted where it arises."""

from fractions import Fraction

import pytest
from small_networks import GraphBuilder

from mbconv.generators.planning.folding import Folding
from mbconv.generators.planning.plan import Plan
from mbconv.generators.planning.plan_cycles import interval_of
from mbconv.generators.planning.plan_report import Loss, report_plan
from mbconv.generators.planning.planner import plan_for_interval, plan_for_multipliers
from mbconv.generators.stages.network import build_network
from mbconv.models import load


@pytest.mark.parametrize(("model", "budget"), [("digits", 8), ("digits", 17), ("cifar10", 64), ("cifar10", 500)])
def test_efficiency_and_losses_sum_to_one(model, budget):
    graph = load(model)
    network = build_network(graph)
    plan = plan_for_multipliers(network, budget)
    report = report_plan(network, plan)
    assert report.macs == graph.total_macs
    assert report.multipliers == plan.multipliers <= report.budget == budget
    assert report.efficiency == Fraction(graph.total_macs, budget * plan.interval)
    assert report.efficiency + sum(map(report.share, report.losses)) == 1
    assert all(loss.slots > 0 for loss in report.losses)
    assert all(0 <= stage.cycles <= report.interval for stage in report.stages)
    assert report.efficiency_used == sum(s.macs for s in report.stages) / Fraction(plan.multipliers * plan.interval)
    assert report.bottleneck


def test_a_rate_leaves_no_multiplier_unused():
    network = build_network(load("digits"))
    report = report_plan(network, plan_for_interval(network, 5000))
    assert report.budget is None
    assert report.efficiency == report.efficiency_used
    assert report.efficiency + sum(map(report.share, report.losses)) == 1
    assert not any(loss.reason == "unused" for loss in report.losses)
    assert report.as_dict()["budget"] is None


def test_each_loss_where_it_arises():
    """2×2 pixels, 5 to 6 channels with 2×4: 3 · 2 steps where 5/2 · 6/4 would do; then 6 depthwise, 1×6: 9 steps."""
    g = GraphBuilder()
    x = g.input(2, 2, 5)
    y = g.convolution(x, 6)
    z = g.depthwise(y)
    network = build_network(g.graph(z))
    foldings, lanes = {0: Folding(2, 4), 1: Folding(1, 6)}, {x: 2, y: 2, z: 2}
    plan = Plan(foldings, lanes, interval_of(network, foldings, lanes), 20)
    report = report_plan(network, plan, stage_memory={"layer_00_pointwise": 7}, memory_bits=9, latency=50)
    pointwise, depthwise = report.stages
    assert (pointwise.cycles, depthwise.cycles, report.interval) == (24, 36, 36)
    assert (pointwise.macs, depthwise.macs) == (120, 216)
    assert (pointwise.rounding, pointwise.waiting) == (24 * 8 - 120, 12 * 8)
    assert (depthwise.rounding, depthwise.waiting, depthwise.utilisation) == (0, 0, 1.0)
    assert (pointwise.memory_bits, depthwise.memory_bits) == (7, 0)
    assert report.bottleneck == ("layer_01_depthwise",)
    assert report.losses == (
        Loss("", "unused", 6 * 36),
        Loss("layer_00_pointwise", "waiting", 96),
        Loss("layer_00_pointwise", "rounding", 72),
    )
    assert report.efficiency == Fraction(336, 20 * 36)
    found = report.as_dict()
    assert (found["latency_cycles"], found["memory_bits"], found["interval_cycles"]) == (50, 9, 36)
    assert found["stages"][0]["folding"] == {"inputs": 2, "outputs": 4}
    assert sum(loss["slots"] for loss in found["losses"]) == 20 * 36 - 336


def test_streams_can_be_the_bottleneck():
    g = GraphBuilder()
    x = g.input(3, 3, 4)
    network = build_network(g.graph(g.add(x, g.input(3, 3, 4))))
    report = report_plan(network, plan_for_multipliers(network, 5))
    assert report.bottleneck == ("layer_00_add", "stream of tensor 0", "stream of tensor 1", "stream of tensor 2")
    assert (report.efficiency, report.multipliers) == (0, 0)
    assert [loss.reason for loss in report.losses] == ["unused"]
