"""Rows and columns that no later window reads: a result is out before its frame has passed, and all is right."""

import numpy as np

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.simulation.simulate import simulate
from mbconv.sim.simulation.simulation_result import is_as_predicted
from mbconv.training.tflite_writer import TfliteWriter


def test_leftover_rows(tmp_path):
    """3×3 windows without padding and 1×1 windows, each with stride 2, over maps of even and odd size; what a branch
    needs of the last row another does not."""
    rng = np.random.default_rng(2)
    w = TfliteWriter("leftover")

    def convolution(x, outputs, kernel, strides, padding):
        channels = w.tensors[x].shape[3]
        weights = rng.integers(-127, 128, (outputs, kernel, kernel, channels))
        bias = rng.integers(-900, 900, outputs)
        return w.convolution(x, weights, 0.01 / kernel, bias, 0.04, 3, strides, padding)

    x = w.input("x", (1, 10, 9, 2), 1 / 64, 0)
    y = convolution(x, 3, 3, (1, 1), "SAME")
    a = convolution(y, 2, 3, (2, 2), "VALID")
    b = convolution(y, 4, 1, (2, 2), "SAME")
    w.output(w.mean(convolution(a, 3, 3, (2, 2), "VALID"), 0.03, 2))
    w.output(convolution(b, 2, 3, (2, 2), "VALID"))
    path = tmp_path / "leftover.tflite"
    w.write(path)
    graph = read_tflite(path)
    design = make_design(graph, multipliers=7)
    count = design.schedule.frames
    result = simulate(design, random_frames(graph, count, 0))
    assert result.mismatches == 0, result.first_mismatch
    shapes = design.network.shapes
    assert result.elements >= count * sum(shape.pixels * shape.channels for shape in shapes.values())
    assert (result.interval_cycles, result.latency_cycles) == (design.schedule.interval, design.schedule.latency)
    assert result.ok and result.unstalled


def test_a_result_is_judged_by_its_latency_where_nothing_stalls():
    right = {
        "mismatches": 0,
        "unstalled": True,
        "interval_cycles": 100,
        "predicted_interval_cycles": 100,
        "latency_cycles": 250,
        "predicted_latency_cycles": 250,
    }
    assert is_as_predicted(right)
    assert is_as_predicted(right | {"interval_cycles": None})  # of one frame
    assert not is_as_predicted(right | {"latency_cycles": 249})
    assert not is_as_predicted(right | {"interval_cycles": 101})
    assert is_as_predicted(right | {"interval_cycles": 101, "latency_cycles": 300, "unstalled": False})
    assert not is_as_predicted(right | {"mismatches": 1, "unstalled": False})


def test_parts_that_share_nothing(tmp_path):
    """Two parts of one network keep a pace of their own; the network's interval is the slower one's."""
    rng = np.random.default_rng(3)
    w = TfliteWriter("parts")
    slow, quick = w.input("slow", (1, 4, 5, 2), 1 / 64, 0), w.input("quick", (1, 2, 2, 2), 1 / 64, 0)
    w.output(w.add(slow, slow, 0.03, 1))
    w.output(w.convolution(quick, rng.integers(-127, 128, (2, 1, 1, 2)), 0.01, rng.integers(-9, 9, 2), 0.04, 3))
    path = tmp_path / "parts.tflite"
    w.write(path)
    graph = read_tflite(path)
    design = make_design(graph, multipliers=1)
    result = simulate(design, random_frames(graph, 6, 0))
    assert (result.mismatches, result.interval_cycles) == (0, design.schedule.interval)
    assert result.latency_cycles == design.schedule.latency
