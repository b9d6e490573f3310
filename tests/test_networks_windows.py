"""Windows of any size in networks: maxima and even kernels, equal to LiteRT, cycles as counted."""

import numpy as np
import pytest

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.simulation.simulate import simulate
from mbconv.training.tflite_writer import TfliteWriter


def network(path) -> None:
    """Keyword spotting's 10×4 window, a 4×4 depthwise one, maxima with SAME and VALID, alone and behind ReLU."""
    rng = np.random.default_rng(3)
    w = TfliteWriter("windows")
    x = w.input("x", (1, 16, 9, 1), 1 / 64, 3)
    weights = rng.integers(-127, 128, (6, 10, 4, 1))
    x = w.convolution(x, weights, 0.0015, rng.integers(-99, 99, 6), 6 / 255, -128, (1, 2))
    x = w.max_pool(x, (2, 2), (2, 2))
    x = w.depthwise(x, rng.integers(-127, 128, (4, 4, 6)), 0.004, rng.integers(-99, 99, 6), 6 / 255, -128)
    x = w.max_pool(x, (3, 3), (1, 2), padding="SAME")
    w.output(w.convolution(x, rng.integers(-127, 128, (5, 2, 1, 6)), 0.004, rng.integers(-99, 99, 5), 0.05, 0))
    w.write(path)


@pytest.mark.parametrize("multipliers", [3, 60])
def test_windows_of_any_size(multipliers, tmp_path):
    path = tmp_path / "windows.tflite"
    network(path)
    graph = read_tflite(path)
    design = make_design(graph, multipliers=multipliers)
    frames = random_frames(graph, design.schedule.frames, 5)
    reference = oracle.Reference(path).run(frames[0])
    for tensor, values in golden.run(graph, frames[0]).items():
        np.testing.assert_array_equal(values, reference[tensor].reshape(values.shape), err_msg=f"tensor {tensor}")
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.interval_cycles == design.schedule.interval == design.plan.interval
    assert result.latency_cycles == design.schedule.latency
