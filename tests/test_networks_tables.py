"""Activations that are tables, as circuits: a network of them simulated, every stream equal to the golden model."""

import numpy as np

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.simulation.simulate import simulate
from mbconv.training.tflite_writer import TfliteWriter


def test_activations(tmp_path):
    rng = np.random.default_rng(4)
    w = TfliteWriter("activations")
    x = w.input("x", (1, 6, 5, 3), 1 / 32, 3)
    weights = rng.integers(-127, 128, (4, 1, 1, 3))
    x = w.convolution(x, weights, 0.01, rng.integers(-900, 900, 4), 0.05, 4)
    x = w.unary("HARD_SWISH", x, 0.04, -110)
    x = w.prelu(x, rng.integers(-99, 99, (1, 1, 4)), 0.01, 2, 0.04, 5)
    x = w.unary("LEAKY_RELU", x, 0.03, -9, "LeakyReluOptions", {"Alpha": 0.2})
    x = w.rectify(w.quantize(x, 0.02, 6), "RELU_N1_TO_1", 1 / 64, -3)
    a, b = w.unary("TANH", x, 1 / 128, 0), w.unary("LOGISTIC", x, 1 / 256, -128)
    w.output(w.add(a, b, 0.02, 1))
    path = tmp_path / "activations.tflite"
    w.write(path)
    graph = read_tflite(path)
    design = make_design(graph, multipliers=2)
    frames = random_frames(graph, design.schedule.frames, 0)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.elements >= 9 * 6 * 5 * 4 * len(frames)
    assert result.interval_cycles == design.schedule.interval
