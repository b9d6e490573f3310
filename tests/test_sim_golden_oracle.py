"""The golden model against LiteRT's reference kernels on files of one operator, where arithmetic is at its edges."""

import sys

import numpy as np
import pytest

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.training.tflite_writer import TfliteWriter

RANGES = {"int8": (-128, 127), "uint8": (0, 255)}
DTYPES = sorted(RANGES)


class OneOperator:
    """A file of one operator, its result in golden model and LiteRT compared."""

    def __init__(self, seed, dtype, folder):
        pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
        self.seed, self.dtype, self.path = seed, dtype, folder / "one.tflite"
        self.rng = np.random.default_rng(seed)
        self.low, self.high = RANGES[dtype]
        self.writer = TfliteWriter("one")
        self.inputs = {}

    def zero_point(self):
        return int(self.rng.integers(self.low + 30, self.high - 30))

    def scale(self, low=0.01, high=0.05):
        return np.float32(self.rng.uniform(low, high))

    def input(self, values, scale, zero_point):
        index = self.writer.input("x", values.shape, scale, zero_point, self.dtype)
        self.inputs[index] = values.astype(self.dtype)
        return index

    def random(self, shape):
        return self.rng.integers(self.low, self.high + 1, shape)

    def check(self, output):
        self.writer.output(output)
        self.writer.write(self.path)
        graph = read_tflite(self.path)
        result = golden.run(graph, self.inputs)[output]
        expected = oracle.run_reference(self.path, self.inputs)[output]
        assert result.dtype == expected.dtype
        different = np.argwhere(result != expected)
        assert not len(different), f"seed {self.seed}, {self.dtype}: {len(different)} differ, first at {different[0]}"
        assert len(np.unique(result)) > 2, f"seed {self.seed}: the results are all alike and prove little"


@pytest.fixture(params=DTYPES)
def one(request, tmp_path):
    return lambda seed: OneOperator(seed, request.param, tmp_path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["convolution", "depthwise", "fully_connected"])
def test_accumulators_at_the_steps(one, kind, seed):
    """Biases beside the accumulators at which the output steps, so large that a multiplier's last bits decide."""
    case = one(seed)
    outputs = 1024
    source_scale, scale = case.scale(0.01, 0.02), case.scale(0.01, 0.02)
    per_channel = outputs if case.dtype == "int8" and seed % 2 else 1
    weight_scales = (case.rng.uniform(1, 2, per_channel) * 2.0**-24).astype(np.float32)
    real = float(source_scale) * weight_scales.astype(np.float64) / float(scale)
    steps = (case.rng.integers(-120, 120, outputs) + 0.5) / real + case.rng.integers(-60, 61, outputs)
    bias = np.clip(np.round(steps), 2**15 - 2**31, 2**31 - 2**15).astype(np.int64)
    channels = outputs if kind == "depthwise" else 1
    x = case.input(np.full((1, 1, 1, channels), 3), source_scale, 3)
    shape = {"convolution": (outputs, 1, 1, 1), "depthwise": (1, 1, outputs), "fully_connected": (outputs, 1)}[kind]
    operator = getattr(case.writer, kind)
    case.check(operator(x, np.ones(shape, np.int64), weight_scales, bias, scale, (case.low + case.high + 1) // 2))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["convolution", "depthwise", "fully_connected"])
def test_small_shifts(one, kind, seed):
    """Multipliers of 2^-8 to 2, where the first of two roundings matters most."""
    case = one(seed)
    outputs, exponent = 1024, -8 + 2 * seed
    source_scale, scale = case.scale(0.01, 0.02), case.scale(0.01, 0.02)
    per_channel = outputs if case.dtype == "int8" and seed % 2 else 1
    weight_scales = (case.rng.uniform(1, 2, per_channel) * 2.0**exponent).astype(np.float32)
    channels = outputs if kind == "depthwise" else 1
    bias = (case.rng.integers(-70, 71, outputs) * 2.0**-exponent).astype(np.int64) + case.rng.integers(-9, 10, outputs)
    x = case.input(case.rng.integers(1, 9, (1, 1, 1, channels)), source_scale, 3)
    shape = {"convolution": (outputs, 1, 1, 1), "depthwise": (1, 1, outputs), "fully_connected": (outputs, 1)}[kind]
    operator = getattr(case.writer, kind)
    activation = ("NONE", "RELU", "RELU6")[seed % 3]
    y = operator(x, case.rng.integers(0, 50, shape), weight_scales, bias, scale, case.low + 90, activation=activation)
    case.check(y)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("operation", ["ADD", "SUB", "MUL", "join"])
def test_every_pair_of_integers(one, operation, seed):
    case = one(seed)
    values = np.arange(case.low, case.high + 1)
    left, right = case.scale(), case.scale()
    scale = max(left, right) * np.float32(case.rng.uniform(0.7, 2.2))
    if operation == "MUL":
        scale = left * right * np.float32(case.rng.uniform(80, 300))
    shape = (1, 256, 256, 1) if operation == "join" else (1, 1, 256, 256)
    x = case.input(np.broadcast_to(values.reshape(256, 1), (256, 256)).reshape(shape), left, case.zero_point())
    activation = ("NONE", "RELU", "RELU6")[seed % 3]
    if operation == "join":
        other = np.broadcast_to(values, (256, 256)).reshape(shape)
        y = case.input(other, right, case.zero_point())
        case.check(case.writer.add(x, y, scale, case.zero_point(), activation))
    else:
        zero_points = case.zero_point(), case.zero_point()
        case.check(
            case.writer.constant_arithmetic(
                operation, x, values, right, zero_points[0], scale, zero_points[1], bool(seed % 2), activation
            )
        )


@pytest.mark.parametrize("seed", range(6))
def test_mean(one, seed):
    case = one(seed)
    shape = (1, *(int(n) for n in case.rng.integers(1, 12, 2)), 500)
    scale = case.scale()
    x = case.input(case.random(shape), scale, case.zero_point())
    new = (None, None) if seed == 0 else (scale * np.float32(case.rng.uniform(0.05, 1)), case.zero_point())
    case.check(case.writer.mean(x, *new, keep=bool(seed % 2)))


@pytest.mark.parametrize("seed", range(4))
def test_average_pool(one, seed):
    case = one(seed)
    x = case.input(case.random((1, 7, 8, 20)), 0.1, case.zero_point())
    kernel, strides = (((3, 3), (2, 2)), ((2, 5), (1, 3)), ((7, 8), (1, 1)), ((1, 2), (2, 1)))[seed]
    case.check(case.writer.average_pool(x, kernel, strides, ("SAME", "VALID")[seed % 2], ("NONE", "RELU")[seed // 2]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["int8", "uint8", "RELU", "RELU6", "dequantize"])
def test_every_integer_rescaled(one, kind, seed):
    case = one(seed)
    scale = case.scale()
    x = case.input(np.arange(case.low, case.high + 1).reshape(1, 1, 1, 256), scale, case.zero_point())
    new = scale * np.float32(case.rng.uniform(0.3, 3))
    if kind in RANGES:
        zero_point = int(case.rng.integers(*RANGES[kind]))
        case.check(case.writer.quantize(x, new, zero_point, kind))
    elif kind == "dequantize":
        case.check(case.writer.dequantize(x))
    else:
        case.check(case.writer.rectify(x, kind, new, case.low + 40))


@pytest.mark.parametrize("seed", range(40))
def test_softmax(one, seed):
    case = one(seed)
    classes = (2, 10, 100, 1001)[seed % 4]
    rows = 1 if classes > 100 else 50
    spread = case.rng.uniform(10, 40)
    scale = np.float32(case.rng.uniform(1, 3) / spread)
    logits = np.clip(case.rng.normal((case.low + case.high) / 2, spread, (rows, classes)), case.low, case.high)
    x = case.input(logits.astype(np.int64).reshape(1, rows, 1, classes), scale, case.zero_point())
    case.check(case.writer.softmax(x, float(np.float32((1.0, 0.5, 1.7)[seed % 3]))))


def test_a_missing_litert_gets_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert not oracle.available()
    with pytest.raises(oracle.OracleMissing, match=r"pip install 'mbconv\[oracle\]'"):
        oracle.run_reference(tmp_path / "model.tflite", {})


def test_a_file_that_litert_refuses(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="asks LiteRT: pip install 'mbconv[oracle]'")
    (tmp_path / "no.tflite").write_bytes(b"no model at all")
    with pytest.raises(GraphError, match=r"LiteRT refuses .*no\.tflite"):
        oracle.Reference(tmp_path / "no.tflite")


def test_a_real_input_is_given_as_the_real_numbers(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    writer = TfliteWriter("real")
    x = writer.input("x", (1, 2, 64, 2), dtype="float32")
    integers = writer.quantize(x, 0.037, -20)
    writer.output(writer.mean(integers, 0.01, 3))
    writer.write(tmp_path / "real.tflite")
    graph = read_tflite(tmp_path / "real.tflite")
    assert graph.inputs == (integers,)
    values = {integers: np.arange(-128, 128, dtype=np.int8).reshape(1, 2, 64, 2)}
    expected = oracle.run_reference(tmp_path / "real.tflite", values)
    for index, result in golden.run(graph, values).items():
        np.testing.assert_array_equal(result, expected[index])
    with pytest.raises(GraphError, match="but the inputs are"):
        oracle.run_reference(tmp_path / "real.tflite", {integers: values[integers], 77: values[integers]})
