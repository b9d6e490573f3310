"""Plans of real networks keep every rule and reach the interval and the efficiency that README states."""

import pytest
from plan_enumeration import check
from planned_networks import BUILT_IN, SHARED

from mbconv.generators.graph.graph import Graph
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.stages.network import build_network
from mbconv.models import load


def reaches(graph: Graph, budget: int, interval: int, efficiency: float) -> None:
    network = build_network(graph)
    plan = plan_for_multipliers(network, budget)
    assert plan.multipliers <= budget
    check(network, plan)
    assert plan.interval == interval
    assert graph.total_macs / (budget * plan.interval) >= efficiency


@pytest.mark.parametrize(("model", "budget", "interval", "efficiency"), BUILT_IN)
def test_built_in_models(model, budget, interval, efficiency):
    reaches(load(model), budget, interval, efficiency)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("model", "budget", "interval", "efficiency"),
    [
        *SHARED,
        ("mnv3small_224_keras_randomweights_int8", 512, 118_080, 0.934),
        ("ppocr_cls_mnv3s035_int8", 256, 73_728, 0.864),
        ("ssdlite_mnv2_ped_int8", 1024, 640_000, 0.941),
    ],
)
def test_models(shared, model, budget, interval, efficiency):
    reaches(load(str(shared / "models" / f"{model}.tflite")), budget, interval, efficiency)
