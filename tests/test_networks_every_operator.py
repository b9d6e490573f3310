"""Every kind of operator in small networks: LiteRT's numbers, the circuit's, cycles as counted."""

from collections.abc import Sequence

import numpy as np
import pytest
from many_designs import ManyDesigns

from mbconv.frames import random_frames
from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.timing.steady import steady_interval
from mbconv.sim.circuits.testbench_case import ALWAYS
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.training.tflite_writer import TfliteWriter

SHAPE = 1, 5, 4, 6
TOGETHER = 8  # operators of a network: one for each would take minutes to build


class Small(TfliteWriter):
    """A network of one convolution on either side."""

    def __init__(self, name: str):
        super().__init__(name)
        self.rng = np.random.default_rng(sum(map(ord, name)))

    def mixed(self, x: int, channels: int = 0, scale: float = 6 / 255, zero_point: int = -128, **how) -> int:
        """A 1×1 convolution."""
        depth = self.tensors[x].shape[3]
        channels = channels or depth
        weights = self.rng.integers(-127, 128, (channels, 1, 1, depth))
        return self.convolution(x, weights, 0.005, self.rng.integers(-99, 99, channels), scale, zero_point, **how)

    def vector(self, x: int) -> int:
        """The means of a map."""
        return self.mean(x, 0.02, 3, keep=True)

    def filtered(self, x: int, kernel: tuple[int, int], multiplier: int = 1, **how) -> int:
        """A depthwise convolution."""
        outputs = self.tensors[x].shape[3] * multiplier
        weights = self.rng.integers(-127, 128, (*kernel, outputs))
        return self.depthwise(x, weights, 0.004, self.rng.integers(-99, 99, outputs), 0.03, 5, **how)


def dilated(w, x):
    x = w.filtered(x, (2, 3))
    w.operators[-1].fields.update(DilationHFactor=2, DilationWFactor=1)
    return x


def enlarged(w, x):
    """By a TRANSPOSE_CONV whose padding no convolution has alone."""
    weights = w.rng.integers(-127, 128, (3, 3, 2, 6))
    return w.transpose_convolution(
        x, weights, 0.004, w.rng.integers(-99, 99, 3), 0.03, 5, (2, 3), "VALID", size=(12, 12)
    )


def with_slopes(w, x):
    return w.prelu(x, w.rng.integers(-128, 128, (1, 1, 6)), 0.01, 3, 0.03, 4)


MIDDLES = {
    "HARD_SWISH": lambda w, x: w.unary("HARD_SWISH", x, 0.03, -100),
    "LOGISTIC": lambda w, x: w.unary("LOGISTIC", x, 1 / 256, -128),
    "TANH": lambda w, x: w.unary("TANH", x, 1 / 128, 0),
    "RELU_N1_TO_1": lambda w, x: w.unary("RELU_N1_TO_1", x, 0.01, 0),
    "RELU_0_TO_1": lambda w, x: w.unary("RELU_0_TO_1", x, 0.01, -128),
    "EXP": lambda w, x: w.unary("EXP", x, 0.1, -128),
    "GELU": lambda w, x: w.unary("GELU", x, 0.02, -100, "GeluOptions", {"Approximate": False}),
    "ABS": lambda w, x: w.unary("ABS", x, 0.02, -128),
    "RELU": lambda w, x: w.unary("RELU", x, 0.01, -128),
    "LEAKY_RELU": lambda w, x: w.unary("LEAKY_RELU", x, 0.03, 3, "LeakyReluOptions", {"Alpha": 0.3}),
    "PRELU": with_slopes,
    "QUANTIZE": lambda w, x: w.quantize(x, 0.05, -7),
    "map by vector": lambda w, x: w.arithmetic("MUL", x, w.vector(x), 0.02, 1),
    "vector by map": lambda w, x: w.arithmetic("MUL", w.vector(x), x, 0.02, 1),
    "map by map": lambda w, x: w.arithmetic("MUL", x, w.mixed(x), 0.02, 1),
    "map and vector": lambda w, x: w.arithmetic("ADD", x, w.vector(x), 0.02, 1),
    "vector less map": lambda w, x: w.arithmetic("SUB", w.vector(x), x, 0.02, 1),
    "map and one column": lambda w, x: w.arithmetic("ADD", x, w.mean(x, 0.02, 3, True, axes=(2,)), 0.02, 1),
    "map and one channel": lambda w, x: w.arithmetic("SUB", x, w.mixed(x, 1), 0.02, 1),
    "MAXIMUM": lambda w, x: w.arithmetic("MAXIMUM", x, w.mixed(x), None, None),
    "MINIMUM": lambda w, x: w.arithmetic("MINIMUM", x, w.mixed(x), None, None),
    "greatest of any window": lambda w, x: w.max_pool(x, (3, 2), (2, 1), "SAME"),
    "mean of any window": lambda w, x: w.average_pool(x, (2, 3), (1, 2), "SAME"),
    "mean over both, reversed": lambda w, x: w.arithmetic("ADD", x, w.mean(x, 0.02, 3, True, axes=(2, 1)), 0.02, 1),
    "mean over rows": lambda w, x: w.mean(x, 0.02, 3, True, axes=(1,)),
    "mean over columns": lambda w, x: w.mean(x, 0.02, 3, True, axes=(-2,)),
    "joined by channels": lambda w, x: w.concatenation([w.mixed(x, 4), x, w.mixed(x, 2)], 3),
    "joined by rows": lambda w, x: w.concatenation([w.mixed(x), x], 1),
    "even kernel": lambda w, x: w.filtered(x, (2, 4)),
    "dilated": dilated,
    "several outputs of each channel": lambda w, x: w.filtered(x, (3, 3), 2),
    "TRANSPOSE_CONV": enlarged,
    "TRANSPOSE_CONV, SAME": lambda w, x: w.transpose_convolution(
        x, w.rng.integers(-127, 128, (4, 4, 4, 6)), 0.003, None, 0.03, 5, (2, 2)
    ),
    "padded": lambda w, x: w.max_pool(w.pad(x, 1, 0, 2, 1), (2, 2), (1, 1)),
    "padded channels": lambda w, x: w.pad(x, 0, 1, 0, 0, channels=(0, 3)),
    "padded before a sum": lambda w, x: w.add(w.pad(x, 1, 1, 1, 1), w.pad(w.mixed(x), 1, 1, 1, 1), 0.02, 1),
    "STRIDED_SLICE": lambda w, x: w.strided_slice(x, (0, 1, 0, 2), (1, 5, 4, 6), (1, 2, 1, 2)),
    "SLICE": lambda w, x: w.slice(x, (0, 1, 1, 3), (1, 3, -1, 3)),
    "SPLIT": lambda w, x: w.arithmetic("ADD", *w.split(x, 2, 3), 0.02, 1),
    "nearest": lambda w, x: w.resize(x, 10, 12, half_pixel_centers=True),
    "bilinear": lambda w, x: w.resize(x, 10, 8, True),
    "bilinear, half pixels": lambda w, x: w.resize(x, 15, 8, True, half_pixel_centers=True),
    "bilinear, corners": lambda w, x: w.resize(x, 10, 16, True, align_corners=True),
    "RESHAPE": lambda w, x: w.reshape(w.reshape(x, (1, 20, 6)), (1, 4, 5, 6)),
    "TRANSPOSE of 1": lambda w, x: w.transpose(w.mean(x, 0.02, 3, True, axes=(1,)), (0, 2, 1, 3)),
}  # fmt: skip


def host_boxes(w, x):
    """What detectors end with: boxes and scores of rank 3, of which the host makes the rest."""
    maps = [w.mixed(y, 8) for y in (x, w.max_pool(x, (2, 2), (2, 2)))]
    return w.concatenation([w.reshape(y, (1, int(np.prod(w.tensors[y].shape)) // 4, 4)) for y in maps], 1)


ENDS = {
    "SOFTMAX": lambda w, x: w.softmax(w.reshape(w.vector(x), (1, 6))),
    "DEQUANTIZE": lambda w, x: w.dequantize(x),
    "QUANTIZE to the other type": lambda w, x: w.quantize(x, 6 / 255, 0, "uint8"),
    "LOGISTIC at the end": lambda w, x: w.dequantize(w.unary("LOGISTIC", x, 1 / 256, -128)),
    "RESHAPE to rank 5": lambda w, x: w.reshape(x, (1, 5, 2, 2, 6)),
    "TRANSPOSE at the end": lambda w, x: w.transpose(x, (0, 3, 1, 2)),
    "TRANSPOSE of rank 5": lambda w, x: w.transpose(w.reshape(x, (1, 5, 4, 3, 2)), (0, 3, 4, 1, 2)),
    "L2_NORMALIZATION": lambda w, x: w.unary("L2_NORMALIZATION", x, 1 / 128, 0, "L2NormOptions", {}),
    "ARG_MAX": lambda w, x: w.arg_max(x),
    "joined outputs": host_boxes,
}  # fmt: skip


def written(names: Sequence[str]) -> Small:
    """A network that ends in branches, one of each name."""
    w = Small(names[0])
    x = w.mixed(w.input("x", SHAPE, 1 / 64, 3))
    for name in names:
        w.output(w.mixed(MIDDLES[name](w, x), 3) if name in MIDDLES else ENDS[name](w, x))
    return w


def checked(names: Sequence[str], folder) -> Design:
    """The network's design, after its golden model was compared with LiteRT."""
    path = folder / "network.tflite"
    written(names).write(path)
    graph = read_tflite(path)
    frame = random_frames(graph, 1, 7)[0]
    reference = oracle.Reference(path).run(frame)
    for tensor, values in golden.run(graph, frame).items():
        if graph.tensors[tensor].in_file:
            right = reference[tensor].reshape(values.shape)
            np.testing.assert_array_equal(values, right, err_msg=f"{names}: tensor {tensor}")
    return make_design(graph, multipliers=30)


def test_every_operator(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    names = [
        list(kinds)[first : first + TOGETHER] for kinds in (MIDDLES, ENDS) for first in range(0, len(kinds), TOGETHER)
    ]
    designs = [checked(some, tmp_path) for some in names]
    count = max(design.schedule.frames for design in designs)
    frames = [random_frames(design.graph, count, 3) for design in designs]
    wrong = []
    results = ManyDesigns(designs).simulate(frames, ALWAYS, ALWAYS, 1)
    for name, design, result in zip(names, designs, results, strict=True):
        ends = [result.record.streams[edge.name].ends for edge in design.outputs.values()]
        interval = max(steady_interval(output[: design.schedule.frames]) for output in ends)
        if (result.mismatches, interval, result.latency_cycles) != (
            0,
            design.schedule.interval,
            design.schedule.latency,
        ):
            wrong.append(f"{name}: {result}, {result.first_mismatch}")
    assert not wrong, "\n".join(wrong)
