"""Operators over several elements or tensors: the golden model against LiteRT's reference kernels, seeded sweeps."""

import numpy as np
import pytest

from mbconv.generators.operators.registry import OPERATORS, TFLITE_FORMS
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.training.tflite_writer import TfliteWriter

pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")

SHAPES = [(1, 24), (6, 4), (1, 3, 8), (1, 2, 3, 4), (1, 2, 2, 3, 2), (24,)]  # of 24 elements
COUNT = 12  # of each operator and type


class Sweep:
    """A file of many independent operators, each on inputs of its own."""

    def __init__(self, seed: int, dtype: str) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = dtype
        self.low = -128 if dtype == "int8" else 0
        self.w = TfliteWriter("sweep")

    def size(self, least: int = 1, most: int = 6) -> int:
        return int(self.rng.integers(least, most + 1))

    def scale(self) -> float:
        return float(np.exp(self.rng.uniform(-5, -1)))

    def zero(self) -> int:
        return self.low + int(self.rng.integers(100, 156))

    def input(self, *shape: int, like: int | None = None) -> int:
        scale, zero = self.scale(), self.zero()
        if like is not None:
            scale, zero = float(self.w.tensors[like].scales[0]), int(self.w.tensors[like].zero_points[0])
        return self.w.input(f"x{len(self.w.inputs)}", shape, scale, zero, self.dtype)

    def map(self, channels: int | None = None, least: int = 1) -> int:
        return self.input(1, self.size(least), self.size(least), channels or self.size())

    def flag(self) -> bool:
        return bool(self.rng.integers(2))

    def activation(self) -> str:
        return ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"][self.rng.integers(4)]


def _pair(s: Sweep, x: int) -> tuple[int, int]:
    """A tensor and one that fits: equal, a vector of each frame, one channel, or one number."""
    shape = s.w.tensors[x].shape
    other = [shape, (1, 1, 1, shape[3]), (*shape[:3], 1), (1, 1, 1, 1), (1, shape[1], 1, shape[3])][s.rng.integers(5)]
    y = s.input(*other)
    return (x, y) if s.flag() else (y, x)


def _arithmetic(code):
    return lambda s: s.w.arithmetic(code, *_pair(s, s.map()), s.scale(), s.zero(), s.activation())


def _extreme(code):
    def write(s):
        a, b = _pair(s, s.map())
        scale, zero = float(s.w.tensors[a].scales[0]), int(s.w.tensors[a].zero_points[0])
        return s.w.arithmetic(code, a, b, scale, zero)

    return write


def _pool(method):
    def write(s):
        kernel, strides = (s.size(1, 3), s.size(1, 3)), (s.size(1, 3), s.size(1, 3))
        padding = ["SAME", "VALID"][s.rng.integers(2)]
        return getattr(s.w, method)(s.map(least=3), kernel, strides, padding, s.activation())

    return write


def _concatenation(s):
    axis = s.size(1, 3)
    first = s.map()
    tensors = [first]
    for _ in range(s.size(0, 2)):
        shape = list(s.w.tensors[first].shape)
        shape[axis] = s.size()
        rescaled = s.dtype == "uint8" and s.flag()
        tensors.append(s.input(*shape, like=None if rescaled else first))
    return s.w.concatenation(tensors, axis - 4 if s.flag() else axis)


def _resize(bilinear):
    def write(s):
        aligned = s.flag()
        half = s.flag() and not aligned
        return s.w.resize(s.map(), s.size(1, 12), s.size(1, 12), bilinear, aligned, half)

    return write


def _mean(s):
    axes = [(1, 2), (2, 1), (1,), (2,), (3,), (1, 3), (-2, -3), (1, 2, 3), (0, 1)][s.rng.integers(9)]
    return s.w.mean(s.map(), s.scale(), s.zero(), s.flag(), axes=axes)


def _slices(s):
    shape = (1, s.size(), s.size(), s.size())
    x, begin, end, strides = s.input(*shape), [], [], []
    for size in shape:
        first, last = sorted(s.rng.choice(size + 1, 2, replace=False).tolist())
        step = s.size(1, 2)
        if s.flag() and first:
            first, last, step = last - 1, first - 1, -step
        elif s.flag():
            first, last = first - size, (last - size if last < size else size)
        begin, end, strides = [*begin, first], [*end, last], [*strides, step]
    return s.w.strided_slice(x, begin, end, strides)


def _slice(s):
    shape = (1, s.size(), s.size(), s.size())
    begin = [int(s.rng.integers(size)) for size in shape]
    sizes = [-1 if s.flag() else size - first for first, size in zip(begin, shape, strict=True)]
    return s.w.slice(s.input(*shape), begin, sizes)


def _transpose_convolution(s):
    """Every size that the converters' own operator takes."""
    x, kernel, strides = s.map(), (s.size(1, 5), s.size(1, 5)), (s.size(1, 4), s.size(1, 4))
    _, height, width, depth = s.w.tensors[x].shape
    padding, outputs = ["SAME", "VALID"][s.rng.integers(2)], s.size()
    axes = list(zip((height, width), kernel, strides, strict=True))
    if padding == "SAME":
        size = [n * step - int(s.rng.integers(step)) for n, _, step in axes]
    else:
        size = [(n - 1) * step + taps + int(s.rng.integers(step)) for n, taps, step in axes]
    per_channel = s.dtype == "int8" and s.flag()
    return s.w.transpose_convolution(
        x,
        s.rng.integers(s.low + 1, s.low + 256, (outputs, *kernel, depth)),
        s.rng.uniform(0.002, 0.01, outputs if per_channel else 1),
        s.rng.integers(-999, 999, outputs) if s.flag() else None,
        s.scale(),
        s.zero(),
        strides,
        padding,
        s.activation(),
        0 if s.dtype == "int8" else 120,
        size=tuple(size) if s.flag() else None,
    )


def _split(s):
    parts, axis = s.size(1, 3), s.size(1, 3)
    shape = [1, s.size(), s.size(), s.size()]
    shape[axis] *= parts
    return s.w.split(s.input(*shape), parts, axis - 4 if s.flag() else axis)


def _transpose(s):
    axes = [(0, 3, 1, 2), (0, 2, 1, 3), (3, 1, 2, 0), (2, 0, 1)][s.size(0, 3)]
    x = s.map(1) if axes[0] == 3 else s.input(1, 5, 3) if len(axes) == 3 else s.map()
    return s.w.transpose(x, axes)


def _fully_connected(s):
    """One vector, or one for each pixel; axes kept or not."""
    x = s.map(s.size(2))
    shape = s.w.tensors[x].shape
    depth = [shape[3], int(np.prod(shape))][s.rng.integers(2)]
    weights = s.rng.integers(0, 128, (s.size(), depth))
    bias = s.rng.integers(-99, 99, weights.shape[0])
    keep = s.flag() and depth == shape[3]
    return s.w.fully_connected(x, weights, 0.01, bias, 0.1, s.zero(), s.activation(), keep=keep)


def _constant_map(s):
    x = s.map(least=2)
    shape = s.w.tensors[x].shape
    constant = s.rng.integers(
        s.low, s.low + 256, [shape, (1, *shape[1:3], 1), shape[1:], (1, 1, shape[2], 1)][s.rng.integers(4)]
    )
    code = ["ADD", "SUB", "MUL"][s.rng.integers(3)]
    return s.w.constant_arithmetic(
        code, x, constant, s.scale(), s.zero(), s.scale(), s.zero(), s.flag(), s.activation()
    )


WRITERS = {
    "ADD": _arithmetic("ADD"),
    "SUB": _arithmetic("SUB"),
    "MUL": _arithmetic("MUL"),
    "MAXIMUM": _extreme("MAXIMUM"),
    "MINIMUM": _extreme("MINIMUM"),
    "AVERAGE_POOL_2D": _pool("average_pool"),
    "MAX_POOL_2D": _pool("max_pool"),
    "CONCATENATION": _concatenation,
    "RESIZE_NEAREST_NEIGHBOR": _resize(False),
    "RESIZE_BILINEAR": _resize(True),
    "MEAN": _mean,
    "L2_NORMALIZATION": lambda s: s.w.unary(
        "L2_NORMALIZATION", s.map(), 1 / 128, s.low + 128, "L2NormOptions", {"FusedActivationFunction": 0}
    ),
    "STRIDED_SLICE": _slices,
    "SLICE": _slice,
    "SPLIT": _split,
    "TRANSPOSE_CONV": _transpose_convolution,
    "TRANSPOSE": _transpose,
    "FULLY_CONNECTED": _fully_connected,
    "PAD": lambda s: s.w.pad(s.map(), *(s.size(0, 2) for _ in range(4)), channels=(s.size(0, 2), s.size(0, 2))),
    "RESHAPE": lambda s: s.w.reshape(s.input(1, 4, 3, 2), SHAPES[s.size(0, 5)]),
    "SQUEEZE": lambda s: s.w.squeeze(s.input(1, 1, s.size(), s.size()), [(1,), (0, 1), (0,)][s.size(0, 2)]),
    "EXPAND_DIMS": lambda s: s.w.expand_dims(s.input(1, s.size(), s.size()), s.size(0, 3)),
    "ARG_MAX": lambda s: s.w.arg_max(s.map(), s.size(1, 3), ["int32", "int64"][s.size(0, 1)]),
    "constant map": _constant_map,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("code", WRITERS)
def test_every_element_is_what_the_reference_kernel_gives(tmp_path, code, dtype):
    seed = sum(map(ord, code))
    s = Sweep(seed, dtype)
    for _ in range(COUNT):
        written = WRITERS[code](s)
        for output in written if isinstance(written, tuple) else (written,):
            s.w.output(output)
    path = tmp_path / "sweep.tflite"
    s.w.write(path)
    graph = read_tflite(path)
    assert len({op.index for op in graph}) == COUNT
    for repeat in range(3):
        inputs = {
            index: s.rng.integers(s.low, s.low + 256, graph.tensors[index].shape).astype(dtype)
            for index in graph.inputs
        }
        results, expected = golden.run(graph, inputs), oracle.run_reference(path, inputs)
        for output in [output for op in graph for output in op.outputs if graph.tensors[output].in_file]:
            op = graph.producer(output)
            what = f"seed {seed}, repeat {repeat}: {op} from {[graph.tensors[i] for i in op.inputs]}"
            assert results[output].shape == expected[output].shape, what
            assert results[output].dtype == expected[output].dtype, what
            np.testing.assert_array_equal(results[output], expected[output], what)


def test_every_operator_code_is_compared_somewhere():
    """Here, among the tables (test_sim_golden_tables.py), with the weighted kernels
    (test_sim_golden_kernels.py), or with detections (test_detection.py)."""
    from test_sim_golden_tables import WRITERS as TABLES

    others = {"CONV_2D", "DEPTHWISE_CONV_2D", "SOFTMAX", "DEQUANTIZE", "CUSTOM TFLite_Detection_PostProcess"}
    assert set(TFLITE_FORMS) == {code for code in WRITERS if code.isupper()} | set(TABLES) | others
    assert len(OPERATORS) == len({operator.__name__ for operator in OPERATORS})
