"""Binary fixed point in the golden model against exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from mbconv.generators.graph.graph import Activation, Element, Graph, GraphError, Tensor
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.operators.fully_connected import FullyConnected
from mbconv.generators.operators.mean import Mean
from mbconv.sim.golden import model as golden
from mbconv.sim.golden.fixed_arithmetic import limits, rounding_shift

SIGNED_4, SIGNED_8, UNSIGNED_8, SIGNED_16 = Element(4, True), Element(8, True), Element(8, False), Element(16, True)


def tensor(index, shape, element, fraction):
    return Tensor(index, f"t{index}", shape, element, 2.0**-fraction, 0)


def run(op, sources, output, *values):
    tensors = {t.index: t for t in (*sources, output)}
    graph = Graph("one", tensors, (op,), tuple(s.index for s in sources), (output.index,))
    return golden.run(graph, {s.index: v for s, v in zip(sources, values, strict=True)})[output.index]


DEFINED = [Activation.NONE, Activation.RELU, Activation.RELU6]
UNDEFINED = [activation for activation in Activation if activation not in DEFINED]


def expected(real, output, activation=Activation.NONE):
    """A real number (exact) in the output's format: halves up, saturated."""
    value = math.floor(Fraction(real) / Fraction(output.scale) + Fraction(1, 2))
    low, high = output.element.minimum, output.element.maximum
    if activation is not Activation.NONE:
        low = 0
    if activation is Activation.RELU6:
        high = min(high, int(6 / output.scale))
    return max(low, min(high, value))


def values_of(rng, element, shape):
    return rng.integers(element.minimum, element.maximum + 1, shape).astype(element.dtype)


@pytest.mark.parametrize("activation", DEFINED)
@pytest.mark.parametrize(
    ("source_format", "weight_format", "output_format"),
    [
        ((UNSIGNED_8, 5), (SIGNED_8, 6), (SIGNED_8, 2)),
        ((SIGNED_8, 4), (SIGNED_4, 3), (UNSIGNED_8, 5)),
        ((SIGNED_16, 12), (SIGNED_16, 15), (SIGNED_16, 5)),
        ((SIGNED_4, 2), (SIGNED_4, 2), (SIGNED_16, 9)),  # a left shift
    ],
)
def test_fully_connected_and_pointwise(source_format, weight_format, output_format, activation):
    seed = 11
    rng = np.random.default_rng(seed)
    element, fraction = weight_format
    weights = values_of(rng, element, (12, 10))
    fractions = fraction + np.arange(12) % 3  # a scale for each output channel
    fields = {
        "weight_element": element,
        "weight_zero_point": 0,
        "weight_scales": (2.0**-fractions).astype(np.float32),
        "bias": rng.integers(-200, 200, 12).astype(np.int32),
        "activation": activation,
        "numbers": "fixed",
    }
    source = tensor(0, (1, 1, 1, 10), *source_format)
    output = tensor(1, (1, 1, 1, 12), *output_format)
    values = values_of(rng, source.element, source.shape)
    exact = [
        sum(int(a) * int(w) for a, w in zip(values.flat, row, strict=True)) + int(bias)
        for row, bias in zip(weights, fields["bias"], strict=True)
    ]
    want = [
        expected(total * Fraction(source.scale) / 2 ** int(f), output, activation)
        for total, f in zip(exact, fractions, strict=True)
    ]
    for op in (
        FullyConnected(0, (0,), (1,), weights=weights, **fields),
        Convolution(0, (0,), (1,), weights=weights.reshape(12, 1, 1, 10), **fields),
    ):
        result = run(op, [source], output, values)
        assert result.dtype == output.element.dtype
        np.testing.assert_array_equal(result.reshape(-1), want, err_msg=f"seed {seed}")
    assert len(set(want)) > 2


def test_depthwise_saturates_at_six():
    source = tensor(0, (1, 1, 3, 1), UNSIGNED_8, 5)
    output = tensor(1, (1, 1, 3, 1), UNSIGNED_8, 5)
    op = DepthwiseConvolution(
        0,
        (0,),
        (1,),
        weights=np.array([[[2]]], np.int8),
        weight_element=SIGNED_8,
        weight_zero_point=0,
        weight_scales=np.array([2.0**-1], np.float32),
        bias=np.array([-40], np.int32),
        activation=Activation.RELU6,
        numbers="fixed",
    )
    values = np.array([19, 101, 255], np.uint8).reshape(source.shape)
    np.testing.assert_array_equal(run(op, [source], output, values).reshape(-1), [0, 81, 192])


@pytest.mark.parametrize("activation", DEFINED)
def test_add_aligns_to_the_finer_fraction(activation):
    seed = 5
    rng = np.random.default_rng(seed)
    sources = [tensor(0, (1, 2, 3, 30), SIGNED_8, 3), tensor(1, (1, 2, 3, 30), SIGNED_8, 6)]
    output = tensor(2, (1, 2, 3, 30), SIGNED_8, 2)
    values = [values_of(rng, SIGNED_8, s.shape) for s in sources]
    result = run(Add(0, (0, 1), (2,), activation=activation, numbers="fixed"), sources, output, *values)
    want = [
        expected(Fraction(int(a), 8) + Fraction(int(b), 64), output, activation)
        for a, b in zip(values[0].flat, values[1].flat, strict=True)
    ]
    np.testing.assert_array_equal(result.reshape(-1), want, err_msg=f"seed {seed}")


def test_halves_round_up():
    np.testing.assert_array_equal(rounding_shift(np.array([-3, -1, 1, 3]), 1), [-1, 0, 1, 2])
    np.testing.assert_array_equal(rounding_shift(np.array([-6, -5, 5, 6]), 2), [-1, -1, 1, 2])
    np.testing.assert_array_equal(rounding_shift(np.array([-3, 3]), -2), [-12, 12])
    np.testing.assert_array_equal(rounding_shift(np.array([-3, 3]), 0), [-3, 3])


def test_what_has_no_definition_is_refused():
    source, output = tensor(0, (1, 2, 2, 3), SIGNED_8, 3), tensor(1, (1, 3), SIGNED_8, 3)
    values = np.zeros(source.shape, np.int8)
    with pytest.raises(GraphError, match=r"operator 4 \(MEAN\) is not defined in binary fixed point"):
        run(Mean(4, (0,), (1,), numbers="fixed"), [source], output, values)
    joined = Tensor(2, "sum", source.shape, SIGNED_8, 0.3, 0)
    other = tensor(1, source.shape, SIGNED_8, 3)
    with pytest.raises(GraphError, match=r"tensor 2 \(sum\) has scale 0.3; .* a power of two"):
        run(Add(0, (0, 1), (2,), numbers="fixed"), [source, other], joined, values, values)
    shifted = Tensor(2, "sum", source.shape, SIGNED_8, 0.5, 1)
    with pytest.raises(GraphError, match="zero point 1; in binary fixed point it is 0"):
        run(Add(0, (0, 1), (2,), numbers="fixed"), [source, other], shifted, values, values)
    coarse = tensor(2, source.shape, SIGNED_8, -3)
    with pytest.raises(GraphError, match=r"scale 8.0 cannot represent 6; use a scale of at most 2"):
        six = Add(0, (0, 1), (2,), activation=Activation.RELU6, numbers="fixed")
        run(six, [source, other], coarse, values, values)


@pytest.mark.parametrize("activation", UNDEFINED)
def test_an_activation_that_is_not_defined_is_refused(activation):
    output = Tensor(1, "y", (1, 1, 1, 1), Element(8, True), 0.5, 0)
    with pytest.raises(GraphError, match=f"{activation.name}, which is not defined in binary fixed point"):
        limits(activation, output)
