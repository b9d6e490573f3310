"""Whole networks simulated: every stream equal to the golden model, interval and latency as predicted, efficiency as
promised."""

import pytest

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.models import load
from mbconv.sim.simulation.simulate import simulate


def check(model: str, multipliers: int, efficiency: float, interval: int | None = None) -> None:
    graph = load(model)
    design = make_design(graph, multipliers=multipliers)
    assert design.multipliers <= multipliers
    assert design.mac_efficiency >= efficiency
    assert interval in (None, design.schedule.interval)
    frames = random_frames(graph, design.schedule.frames, 0)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.elements >= sum(shape.pixels * shape.channels for shape in design.network.shapes.values())
    assert result.interval_cycles == design.schedule.interval
    assert result.latency_cycles == design.schedule.latency


def test_digits():
    check("digits", 16, 0.80)


@pytest.mark.slow
def test_cifar10():
    check("cifar10", 64, 0.80)


@pytest.mark.slow
def test_cifar10_v3():
    check("cifar10_v3", 64, 0.88, 294_912)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "multipliers", "efficiency", "interval"),
    [
        ("vww_96_int8", 156, 0.893, 53_760),
        ("vww_96_int8", 320, 0.952, 24_576),
        ("person_detect_qdimfix", 128, 0.933, 59_904),
        ("mobilenet_v1_0.25_128_quant", 128, 0.908, 116_736),
        ("mobilenetv2_160_035_cfu", 256, 0.892, 129_600),
        ("tf2_mobilenet_v2_1.0_224_ptq", 2048, 0.97, 150_528),
    ],
)
def test_models(shared, name, multipliers, efficiency, interval):
    check(str(shared / "models" / f"{name}.tflite"), multipliers, efficiency, interval)
