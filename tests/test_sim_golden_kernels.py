"""Every kernel of the golden model against scalar code that follows the reference's C++ statement by statement."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mbconv.generators.graph.graph import INT8, UINT8, Activation, Graph, GraphError, Operator, Padding, Tensor
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.generators.operators.constant_arithmetic import ConstantArithmetic
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.operators.dequantize import Dequantize
from mbconv.generators.operators.fully_connected import FullyConnected
from mbconv.generators.operators.mean import Mean
from mbconv.generators.operators.pad import Pad
from mbconv.generators.operators.quantize import Quantize
from mbconv.generators.operators.rectify import Rectify
from mbconv.generators.operators.reshape import Reshape
from mbconv.generators.operators.softmax import Softmax
from mbconv.generators.operators.transpose import Transpose
from mbconv.sim.golden import model as golden
from mbconv.sim.golden.multiply_accumulate import exact_product

SEEDS = range(6)


# The scalar reference: gemmlowp's and TFLite's own steps on Python integers.


def rounded(value):
    """std::round of a float or fraction."""
    magnitude = math.floor(abs(Fraction(value)) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


def truncated(numerator, denominator):
    """C's integer division."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def quantize_multiplier(real):
    fraction, exponent = math.frexp(real)
    mantissa = rounded(Fraction(fraction) * 2**31)
    if mantissa == 2**31:
        mantissa, exponent = mantissa // 2, exponent + 1
    return (0, 0) if exponent < -31 else (mantissa, exponent)


def multiply(x, mantissa, exponent):
    """MultiplyByQuantizedMultiplier."""
    product = (x << max(exponent, 0)) * mantissa
    high = truncated(product + (2**30 if product >= 0 else 1 - 2**30), 2**31)
    shift = max(-exponent, 0)
    mask = (1 << shift) - 1
    return (high >> shift) + ((high & mask) > (mask >> 1) + (high < 0))


def limits(activation, output):
    low, high = output.element.minimum, output.element.maximum
    if activation is not Activation.NONE:
        low = max(low, output.zero_point)
    if activation is Activation.RELU6:
        high = min(high, output.zero_point + rounded(float(np.float32(6) / np.float32(output.scale))))
    return low, high


def clamped(value, activation, output):
    low, high = limits(activation, output)
    return max(low, min(high, value + output.zero_point))


def mac_result(op, accumulator, channel, source, output):
    scale = float(op.weight_scales[channel % op.weight_scales.size])
    if isinstance(op, FullyConnected):
        value = rounded(accumulator * (source.scale * scale / output.scale))
    else:
        scales = float(np.float32(source.scale) * np.float32(scale)) if op.weight_element is UINT8 else None
        real = (source.scale * scale if scales is None else scales) / output.scale
        value = multiply(accumulator, *quantize_multiplier(real))
    return clamped(value, op.activation, output)


def scalar_convolution(op, source, output, values):
    result = np.empty(output.shape, output.element.dtype)
    (kernel_height, kernel_width), p = op.kernel, op.padding
    for y, x, channel in product(range(output.height), range(output.width), range(output.channels)):
        total = int(op.bias[channel])
        for dy, dx in product(range(kernel_height), range(kernel_width)):
            row, column = y * op.strides[0] - p.top + dy, x * op.strides[1] - p.left + dx
            if not (0 <= row < source.height and 0 <= column < source.width):
                continue
            pixel = [int(v) - source.zero_point for v in values[0, row, column]]
            if isinstance(op, DepthwiseConvolution):
                weight = int(op.weights[dy, dx, channel]) - op.weight_zero_point
                total += pixel[channel // op.depth_multiplier] * weight
            else:
                weights = op.weights[channel, dy, dx]
                total += sum(a * (int(w) - op.weight_zero_point) for a, w in zip(pixel, weights, strict=True))
        result[0, y, x, channel] = mac_result(op, total, channel, source, output)
    return result


def scalar_sum(pairs, signs, activation, output):
    """ADD and SUB of one pair of (integer, scale, zero point)."""
    twice = 2 * max(scale for _, scale, _ in pairs)
    total = 0
    for (value, scale, zero_point), sign in zip(pairs, signs, strict=True):
        mantissa, exponent = quantize_multiplier(scale / twice)
        total += multiply((value - zero_point) << 20, sign * mantissa, exponent)
    value = multiply(total, *quantize_multiplier(twice / (2**20 * output.scale)))
    return clamped(value, activation, output)


# Random networks of one operator.


class Case:
    """A seeded source of tensors, weights and values of one element type."""

    def __init__(self, seed):
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.element = INT8 if seed % 2 else UINT8
        self.activation = list(Activation)[seed % 3]

    def scale(self, low=0.01, high=0.05):
        return float(np.float32(self.rng.uniform(low, high)))

    def zero_point(self):
        return int(self.rng.integers(self.element.minimum + 70, self.element.minimum + 140))

    def tensor(self, index, shape, scale=None, zero_point=None):
        scale = self.scale() if scale is None else scale
        zero_point = self.zero_point() if zero_point is None else zero_point
        return Tensor(index, f"t{index}", shape, self.element, scale, zero_point)

    def values(self, shape, element=None):
        element = element or self.element
        return self.rng.integers(element.minimum, element.maximum + 1, shape).astype(element.dtype)

    def mac(self, shape, outputs, terms):
        """The fields of a MAC operator with results of about the output's range."""
        per_channel = outputs if self.element is INT8 and self.seed % 4 == 1 else 1
        weights = self.values(shape)
        scales = self.rng.uniform(0.2, 2, per_channel).astype(np.float32) / np.float32(70 * terms**0.5)
        return {
            "weights": weights,
            "weight_element": self.element,
            "weight_zero_point": self.zero_point() if self.element is UINT8 else 0,
            "weight_scales": scales,
            "bias": self.rng.integers(-3000, 3000, outputs).astype(np.int32),
            "activation": self.activation,
        }


def run(op: Operator, sources, output, *values):
    tensors = {tensor.index: tensor for tensor in (*sources, output)}
    graph = Graph("one", tensors, (op,), tuple(s.index for s in sources), (output.index,))
    return golden.run(graph, {s.index: v for s, v in zip(sources, values, strict=True)})[output.index]


def check(result, expected, seed, output):
    assert result.dtype == output.element.dtype and result.shape == output.shape
    np.testing.assert_array_equal(result, expected, err_msg=f"seed {seed}")
    assert len(np.unique(result)) > 2, f"seed {seed}: the results are all alike and prove little"


@pytest.mark.parametrize("seed", SEEDS)
def test_convolution(seed):
    case = Case(seed)
    kernel, strides = ((3, 3), (2, 1)) if seed < 3 else ((2, 5), (1, 3))
    padding = Padding(*(int(n) for n in case.rng.integers(0, 3, 4)))
    source = case.tensor(0, (1, 6, 7, 3))
    shape = tuple(
        (size + pad - k) // s + 1
        for size, pad, k, s in zip(
            (6, 7), (padding.top + padding.bottom, padding.left + padding.right), kernel, strides, strict=True
        )
    )
    output = case.tensor(1, (1, *shape, 4))
    op = Convolution(0, (0,), (1,), **case.mac((4, *kernel, 3), 4, 30), strides=strides, padding=padding)
    values = case.values(source.shape)
    check(run(op, [source], output, values), scalar_convolution(op, source, output, values), seed, output)


@pytest.mark.parametrize("seed", SEEDS)
def test_pointwise_convolution_with_stride(seed):
    case = Case(seed)
    source, output = case.tensor(0, (1, 5, 4, 6)), case.tensor(1, (1, 3, 2, 5))
    op = Convolution(0, (0,), (1,), **case.mac((5, 1, 1, 6), 5, 6), strides=(2, 2))
    values = case.values(source.shape)
    check(run(op, [source], output, values), scalar_convolution(op, source, output, values), seed, output)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_convolution(seed, multiplier):
    case = Case(seed)
    source, output = case.tensor(0, (1, 7, 6, 3)), case.tensor(1, (1, 4, 6, 3 * multiplier))
    op = DepthwiseConvolution(
        0,
        (0,),
        (1,),
        **case.mac((3, 3, 3 * multiplier), 3 * multiplier, 9),
        strides=(2, 1),
        padding=Padding(1, 1, 2, 0),
        depth_multiplier=multiplier,
    )
    values = case.values(source.shape)
    check(run(op, [source], output, values), scalar_convolution(op, source, output, values), seed, output)


@pytest.mark.parametrize("seed", SEEDS)
def test_fully_connected(seed):
    case = Case(seed)
    source, output = case.tensor(0, (1, 2, 3, 4)), case.tensor(1, (1, 9))
    op = FullyConnected(0, (0,), (1,), **case.mac((9, 24), 9, 24))
    values = case.values(source.shape)
    vector = [int(v) - source.zero_point for v in values.reshape(-1)]
    expected = [
        mac_result(
            op,
            sum(a * (int(w) - op.weight_zero_point) for a, w in zip(vector, row, strict=True)) + int(bias),
            channel,
            source,
            output,
        )
        for channel, (row, bias) in enumerate(zip(op.weights, op.bias, strict=True))
    ]
    check(run(op, [source], output, values), np.array([expected]), seed, output)


def test_fully_connected_rounds_once_and_convolution_twice():
    """5440 / 2^7 is just above 42.5, the exact product just below: the sum that told the two apart in LiteRT."""
    source = Tensor(0, "x", (1, 1, 1, 1), INT8, 0.011009049601852894, 0)
    output = Tensor(1, "y", (1, 1, 1, 1), INT8, 0.041061967611312866, 0)
    fields = {
        "weights": np.zeros((1, 1, 1, 1), np.int8),
        "weight_element": INT8,
        "weight_zero_point": 0,
        "weight_scales": np.array([0.0216906], np.float32),
        "bias": np.array([7308], np.int32),
    }
    values = np.zeros((1, 1, 1, 1), np.int8)
    assert 42.4 < 7308 * source.scale * float(fields["weight_scales"][0]) / output.scale < 42.5
    assert run(Convolution(0, (0,), (1,), **fields), [source], output, values) == 43
    fields["weights"] = np.zeros((1, 1), np.int8)
    assert run(FullyConnected(0, (0,), (1,), **fields), [source], output, values) == 42


@pytest.mark.parametrize("seed", SEEDS)
def test_add(seed):
    case = Case(seed)
    shape = (1, 3, 4, 5)
    sources = [case.tensor(0, shape), case.tensor(1, shape)]
    output = case.tensor(2, shape, scale=case.scale(0.05, 0.09))
    values = [case.values(shape), case.values(shape)]
    op = Add(0, (0, 1), (2,), activation=case.activation)
    expected = np.array(
        [
            scalar_sum(
                [(int(v), s.scale, s.zero_point) for v, s in zip(pair, sources, strict=True)],
                (1, 1),
                case.activation,
                output,
            )
            for pair in zip(values[0].flat, values[1].flat, strict=True)
        ]
    ).reshape(shape)
    check(run(op, sources, output, *values), expected, seed, output)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("operation", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("first", [False, True])
def test_constant_arithmetic(seed, operation, first):
    case = Case(seed)
    shape = (1, 3, 4, 5)
    source = case.tensor(0, shape)
    constant = case.values((5,) if seed % 3 else ())
    constant_scale, constant_zero = case.scale(), case.zero_point()
    output = case.tensor(1, shape, scale=case.scale(0.1, 0.2) if operation == "MUL" else case.scale(0.05, 0.09))
    op = ConstantArithmetic(
        0, (0,), (1,), operation, constant, case.element, constant_scale, constant_zero, first, case.activation
    )
    values = case.values(shape)

    def scalar(value, other):
        pairs = [(int(value), source.scale, source.zero_point), (int(other), constant_scale, constant_zero)]
        if first:
            pairs.reverse()
        if operation != "MUL":
            return scalar_sum(pairs, (1, -1 if operation == "SUB" else 1), case.activation, output)
        (a, scale_a, zero_a), (b, scale_b, zero_b) = pairs
        real = np.float32(scale_a) * np.float32(scale_b) / np.float32(output.scale)
        assert isinstance(real, np.float32)
        value = multiply((a - zero_a) * (b - zero_b), *quantize_multiplier(float(real)))
        return clamped(value, case.activation, output)

    others = np.broadcast_to(constant, shape)
    expected = np.array([scalar(v, c) for v, c in zip(values.flat, others.flat, strict=True)]).reshape(shape)
    check(run(op, [source], output, values), expected, seed, output)


@pytest.mark.parametrize("seed", SEEDS)
def test_average_pool(seed):
    case = Case(seed)
    source = case.tensor(0, (1, 5, 6, 7))
    output = case.tensor(1, (1, 3, 3, 7), scale=source.scale, zero_point=source.zero_point)
    op = AveragePool(0, (0,), (1,), (3, 2), (2, 2), Padding(1, 1, 0, 0), case.activation)
    values = case.values(source.shape)
    expected = np.empty(output.shape, np.int64)
    for y, x, channel in product(range(3), range(3), range(7)):
        rows = [row for row in range(2 * y - 1, 2 * y + 2) if 0 <= row < 5]
        window = [int(values[0, row, column, channel]) for row in rows for column in (2 * x, 2 * x + 1)]
        total, count = sum(window), len(window)
        mean = truncated(total + (count // 2 if total > 0 else -(count // 2)), count)
        low, high = limits(case.activation, output)
        expected[0, y, x, channel] = max(low, min(high, mean))
    check(run(op, [source], output, values), expected, seed, output)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 7)])
def test_mean(seed, size):
    case = Case(seed)
    source, output = case.tensor(0, (1, *size, 40)), case.tensor(1, (1, 40))
    values = case.values(source.shape)
    mantissa, exponent = quantize_multiplier(source.scale / output.scale)
    count = size[0] * size[1]
    shift = min(math.floor(math.log2(count)), 32, 31 + exponent)
    expected = [
        clamped(multiply(total, (mantissa << shift) // count, exponent - shift), Activation.NONE, output)
        for total in (sum(int(v) - source.zero_point for v in values[0, :, :, c].flat) for c in range(40))
    ]
    check(run(Mean(0, (0,), (1,)), [source], output, values), np.array([expected]), seed, output)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["quantize", "rectify"])
def test_rescaling_of_every_integer(seed, kind):
    case = Case(seed)
    source = case.tensor(0, (1, 256))
    output = case.tensor(1, (1, 256))
    values = np.arange(case.element.minimum, case.element.maximum + 1).astype(case.element.dtype)[np.newaxis]
    activation = Activation.NONE if kind == "quantize" else (Activation.RELU, Activation.RELU6)[seed % 2]
    op = Quantize(0, (0,), (1,)) if kind == "quantize" else Rectify(0, (0,), (1,), activation)
    ratio = source.scale / output.scale if kind == "quantize" else np.float32(source.scale) / np.float32(output.scale)
    multiplier = quantize_multiplier(float(ratio))
    expected = [clamped(multiply(int(v) - source.zero_point, *multiplier), activation, output) for v in values.flat]
    check(run(op, [source], output, values), np.array([expected]), seed, output)


def test_quantize_between_unsigned_and_signed():
    unsigned = Tensor(0, "u", (1, 256), UINT8, 0.5, 128)
    signed = Tensor(1, "s", (1, 256), INT8, 0.5, 0)
    values = np.arange(256, dtype=np.uint8)[np.newaxis]
    result = run(Quantize(0, (0,), (1,)), [unsigned], signed, values)
    np.testing.assert_array_equal(result, np.arange(-128, 128)[np.newaxis])
    assert result.dtype == np.int8


def test_moves_of_elements():
    source = Tensor(0, "x", (1, 2, 3, 2), INT8, 0.5, -7)
    values = np.arange(12, dtype=np.int8).reshape(source.shape)
    padded = run(Pad(0, (0,), (1,), Padding(1, 0, 2, 1)), [source], Tensor(1, "y", (1, 3, 6, 2), INT8, 0.5, -7), values)
    np.testing.assert_array_equal(padded[:, 1:, 2:5], values)
    assert padded.sum() == values.sum() - 7 * (36 - 12)
    flat = run(Reshape(0, (0,), (1,)), [source], Tensor(1, "y", (1, 12), INT8, 0.5, -7), values)
    np.testing.assert_array_equal(flat, np.arange(12)[np.newaxis])
    turned = run(Transpose(0, (0,), (1,), (0, 3, 1, 2)), [source], Tensor(1, "y", (1, 2, 2, 3), INT8, 0.5, -7), values)
    np.testing.assert_array_equal(turned[0, 1], values[0, :, :, 1])
    real = run(Dequantize(0, (0,), (1,)), [source], Tensor(1, "y", source.shape, INT8, 1.0, 0), values)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, (values.astype(np.float32) + 7) / 2)


@pytest.mark.parametrize("element", [INT8, UINT8])
def test_softmax_is_near_the_exponential(element):
    """Exact equality is for the oracle's tests; here the kernel is what it claims, within one step of 1/256."""
    rng = np.random.default_rng(7)
    source = Tensor(0, "x", (1, 60), element, 0.08, 3)
    output = Tensor(1, "y", (1, 60), element, 1 / 256, element.minimum)
    values = rng.integers(element.minimum, element.maximum + 1, (1, 60)).astype(element.dtype)
    result = run(Softmax(0, (0,), (1,), 0.5), [source], output, values)
    exponentials = np.exp(0.5 * 0.08 * values.astype(np.float64))
    exact = exponentials / exponentials.sum() * 256
    assert np.abs(result.astype(np.int64) - element.minimum - exact).max() < 1


def test_softmax_goes_on_where_the_reference_aborts():
    source = Tensor(0, "x", (1, 20000), INT8, 0.01, 0)
    output = Tensor(1, "y", (1, 20000), INT8, 1 / 256, -128)
    result = run(Softmax(0, (0,), (1,)), [source], output, np.zeros((1, 20000), np.int8))
    np.testing.assert_array_equal(result, np.full((1, 20000), -128))


@pytest.mark.parametrize("magnitude", [1 << 3, 1 << 9, 1 << 15, 1 << 28])
def test_matrix_products_are_exact_at_every_size(magnitude):
    """The magnitudes lead to float32, float64 and integer products."""
    rng = np.random.default_rng(magnitude)
    a = rng.integers(-magnitude, magnitude, (3, 50))
    b = np.concatenate([rng.integers(-magnitude, magnitude, (50, 4)), np.full((50, 1), magnitude - 1)], axis=1)
    a[0] = magnitude - 1
    expected = [[sum(int(x) * int(y) for x, y in zip(row, column, strict=True)) for column in b.T] for row in a]
    np.testing.assert_array_equal(exact_product(a, b), expected, err_msg=f"seed {magnitude}")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"no values were given for input 0 \(x\)"),
        ({0: np.zeros((1, 2), np.int8), 5: np.zeros(1)}, "tensor 5 is no input"),
        ({0: np.zeros((1, 3), np.int8)}, r"has shape \(1, 2\), but values of shape \(1, 3\)"),
        ({0: np.zeros((1, 2), np.float32)}, "float32 were given; quantise them"),
        ({0: np.array([[0, 128]])}, "int8, -128 to 127, but values from 0 to 128"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, message):
    source, output = Tensor(0, "x", (1, 2), INT8, 0.5, 0), Tensor(1, "y", (2, 1), INT8, 0.5, 0)
    graph = Graph("one", {0: source, 1: output}, (Reshape(0, (0,), (1,)),), (0,), (1,))
    with pytest.raises(GraphError, match=message):
        golden.run(graph, inputs)
