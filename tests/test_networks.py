"""Whole networks simulated: every stream equal to the golden model, interval and latency as predicted, efficiency as
promised."""

import pytest
from planned_networks import BUILT_IN, SHARED

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.models import load
from mbconv.sim.simulation.simulate import simulate


def check(model: str, multipliers: int, interval: int, efficiency: float) -> None:
    graph = load(model)
    design = make_design(graph, multipliers=multipliers)
    assert design.multipliers <= multipliers
    assert design.mac_efficiency >= efficiency
    assert design.schedule.interval == interval
    frames = random_frames(graph, design.schedule.frames, 0)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.elements >= sum(shape.pixels * shape.channels for shape in design.network.shapes.values())
    assert result.interval_cycles == design.schedule.interval
    assert result.latency_cycles == design.schedule.latency


def test_digits():
    check(*BUILT_IN[0])


@pytest.mark.slow
@pytest.mark.parametrize(("model", "multipliers", "interval", "efficiency"), BUILT_IN[1:])
def test_larger_built_in_models(model, multipliers, interval, efficiency):
    check(model, multipliers, interval, efficiency)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("name", "multipliers", "interval", "efficiency"), SHARED)
def test_models(shared, name, multipliers, interval, efficiency):
    check(str(shared / "models" / f"{name}.tflite"), multipliers, interval, efficiency)
