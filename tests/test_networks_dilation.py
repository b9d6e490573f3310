"""Dilated kernels: as LiteRT computes them, and as circuits of larger kernels with zeros between the weights."""

from dataclasses import replace

import numpy as np
import pytest

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.simulation.simulate import simulate
from mbconv.training.tflite_writer import TfliteWriter


def network(path, dtype: str, padding: str) -> None:
    """A convolution and a depthwise one, dilated in one or in both directions."""
    rng = np.random.default_rng(len(padding))
    low, high, zero = (0, 256, 131) if dtype == "uint8" else (-127, 128, 0)
    w = TfliteWriter("dilated")
    x = w.input("x", (1, 11, 12, 2), 1 / 64, 3, dtype)
    x = w.convolution(x, rng.integers(low, high, (4, 3, 3, 2)), 0.002, rng.integers(-99, 99, 4), 0.02, 7,
                      padding="SAME", weight_zero_point=zero)  # fmt: skip
    _dilate(w, padding, 2, 3)
    x = w.depthwise(x, rng.integers(low, high, (3, 2, 4)), 0.004, rng.integers(-99, 99, 4), 0.03, 9,
                    padding="SAME", weight_zero_point=zero)  # fmt: skip
    _dilate(w, padding, 1, 2)
    w.output(x)
    w.write(path)


def _dilate(w: TfliteWriter, padding: str, down: int, across: int) -> None:
    """Dilate the last operator; with VALID its output is smaller."""
    op = w.operators[-1]
    op.fields.update(DilationHFactor=down, DilationWFactor=across, Padding=w.padding_code(padding))
    if padding == "VALID":
        kernel = w.tensors[op.inputs[1]].shape[1:3]
        source, output = w.tensors[op.inputs[0]].shape, w.tensors[op.outputs[0]]
        sizes = [n - (k - 1) * step for n, k, step in zip(source[1:3], kernel, (down, across), strict=True)]
        w.tensors[op.outputs[0]] = replace(output, shape=(1, *sizes, output.shape[3]))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_dilated_kernels_equal_litert(dtype, padding, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    path = tmp_path / "dilated.tflite"
    network(path, dtype, padding)
    graph = read_tflite(path)
    (frame,) = random_frames(graph, 1, 5)
    reference = oracle.Reference(path).run(frame)
    for tensor, values in golden.run(graph, frame).items():
        np.testing.assert_array_equal(values, reference[tensor].reshape(values.shape), err_msg=f"tensor {tensor}")


def test_zeros_are_multiplied_and_not_counted(tmp_path):
    path = tmp_path / "dilated.tflite"
    network(path, "int8", "SAME")
    graph = read_tflite(path)
    convolution, depthwise = graph.operators
    assert convolution.kernel == (5, 7) and convolution.parameters == 4 * 9 * 2 + 4
    assert graph.macs(convolution) == 11 * 12 * 4 * 9 * 2 and graph.macs(depthwise) == 11 * 12 * 4 * 6
    design = make_design(graph, multipliers=12)
    result = simulate(design, random_frames(graph, design.schedule.frames, 1))
    assert result.mismatches == 0, result.first_mismatch
    assert (result.interval_cycles, result.latency_cycles) == (design.schedule.interval, design.schedule.latency)
