"""Every number of multipliers has a plan and a schedule: a hundred for each real model."""

import numpy as np
import pytest

from mbconv.generators.emission.design import make_design
from mbconv.generators.stages.network import build_network
from mbconv.models import load

MODELS = (
    "mobilenet_v1_0.25_128_quant",
    "mobilenetv2_160_035_cfu",
    "person_detect",
    "person_detect_qdimfix",
    "tf2_mobilenet_v2_1.0_224_ptq",
    "vww_96_int8",
)
LARGEST, BUDGETS, PARTS = 2048, 100, 20


def budgets(stages: int) -> list[int]:
    """A hundred different numbers of multipliers, the first the least possible."""
    found: list[int] = []
    count = BUDGETS
    while len(found) < BUDGETS:
        found = np.unique(np.geomspace(stages, LARGEST, count).round().astype(int)).tolist()
        count += 1
    return found


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", MODELS)
def test_every_budget_has_a_schedule(shared, name, part):
    graph = load(str(shared / "models" / f"{name}.tflite"))
    network = build_network(graph)
    for multipliers in budgets(len(network.folded))[part::PARTS]:
        design = make_design(graph, multipliers=multipliers)
        assert design.multipliers <= multipliers
        assert max(stage.cycles for stage in design.stages) <= design.schedule.interval < design.schedule.latency
