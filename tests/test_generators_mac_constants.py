"""The constants of multiply-accumulate stages: for every input that an operator can have they give the golden model's
output."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from mbconv.generators.constants.mac_constants import mac_constants
from mbconv.generators.constants.requantization import Requantization
from mbconv.generators.constants.weights import effective_weights
from mbconv.generators.graph.graph import INT8, UINT8, Activation, Element, Graph, GraphError, Tensor
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.operators.fully_connected import FullyConnected
from mbconv.generators.readers.block import parse_block
from mbconv.generators.stages.network import build_network
from mbconv.sim.golden import model as golden

CHANNELS = 6


def every_input(element: Element, count: int) -> np.ndarray:
    """All combinations of ``count`` elements ``[combinations, count]``."""
    values = range(element.minimum, element.maximum + 1)
    return np.array(list(itertools.product(values, repeat=count)), element.dtype)


def one_operator(
    kind: type,
    source: tuple[Element, float, int],
    output: tuple[Element, float, int],
    weights: np.ndarray,
    *,
    scales: np.ndarray,
    bias: np.ndarray,
    weight_element: Element = INT8,
    weight_zero_point: int = 0,
    activation: Activation = Activation.NONE,
    numbers: str = "affine",
    pixels: int = 1,
) -> Graph:
    """A graph of one operator over ``pixels`` in a row; ``weights`` ``[Co][reduction]``."""
    reduction = weights.shape[1]
    shaped, depth, fields = weights, reduction, {}
    if kind is Convolution:
        shaped = weights.reshape(-1, 1, 1, reduction)
    elif kind is DepthwiseConvolution:  # a kernel of one tap
        shaped, depth = weights.reshape(1, 1, -1), CHANNELS
    shapes = (
        ((1, depth), (1, CHANNELS)) if kind is FullyConnected else ((1, 1, pixels, depth), (1, 1, pixels, CHANNELS))
    )
    tensors = {
        index: Tensor(index, f"t{index}", shape, element, float(np.float32(scale)), zero)
        for index, (shape, (element, scale, zero)) in enumerate(zip(shapes, (source, output), strict=True))
    }
    operator = kind(
        5,
        (0,),
        (1,),
        weights=shaped.astype(weight_element.dtype),
        weight_element=weight_element,
        weight_zero_point=weight_zero_point,
        weight_scales=np.asarray(scales, np.float32),
        bias=np.asarray(bias, np.int32),
        activation=activation,
        numbers=numbers,
        **fields,
    )
    return Graph("one", tensors, (operator,), (0,), (1,))


@dataclass
class Constants:
    """What a stage has of an operator: weights ``[Co][reduction]`` in so many bits, and the requantisation."""

    weights: np.ndarray
    weight_bits: int
    requantization: Requantization


def constants(graph: Graph, lanes: int = 1, interval: int = 1) -> Constants:
    network = build_network(graph)
    (node,) = network.nodes
    found = mac_constants(network, node, lanes=lanes, interval=interval)
    return Constants(effective_weights(node), found.weight_bits, found.requantization)


def circuit(found: Constants, x: np.ndarray) -> np.ndarray:
    """What weights and words give for inputs ``[pixels][reduction]`` or, depthwise, ``[pixels][Co]``."""
    x = x.astype(np.int64)
    sums = found.weights * x.T if found.weights.shape[1] == 1 else found.weights @ x.T
    return found.requantization.format.compute(sums, found.requantization.words).T


def check(graph: Graph, x: np.ndarray) -> Constants:
    """Equal to the golden model for pixels ``x`` ``[pixels][channels]``."""
    found = constants(graph)
    (operator,) = graph.operators
    if isinstance(operator, FullyConnected):
        want = np.concatenate([golden.run(graph, {0: row[None]})[1] for row in x])
    else:
        want = golden.run(graph, {0: x[None, None]})[1][0, 0]
    assert np.array_equal(circuit(found, x), want)
    assert np.unique(want).size > 8, "outputs that hardly move verify nothing"
    lowest = -(1 << (found.weight_bits - 1))
    assert lowest <= found.weights.min() and found.weights.max() < -lowest
    return found


@pytest.mark.parametrize("activation", list(Activation))
@pytest.mark.parametrize("seed", range(2))
def test_int8_per_channel(activation, seed):
    """All 65,536 pixels of two channels."""
    rng = np.random.default_rng([seed, len(activation.value)])
    x = every_input(INT8, 2)
    graph = one_operator(
        Convolution,
        (INT8, 0.0471, int(rng.integers(-128, 128))),
        (INT8, 0.0235, -128 if activation is Activation.RELU6 else 11),
        rng.integers(-127, 128, (CHANNELS, 2)),
        scales=0.004 * 2.0 ** rng.uniform(-3, 1, CHANNELS),
        bias=rng.integers(-6000, 6000, CHANNELS),
        activation=activation,
        pixels=len(x),
    )
    found = check(graph, x)
    assert found.weight_bits <= 8
    assert found.requantization.proof.channels == CHANNELS


def test_uint8_with_weight_zero_point():
    """Weights less their zero point are signed, of 9 bits."""
    rng = np.random.default_rng(7)
    x = every_input(UINT8, 2)
    weights = rng.integers(0, 256, (CHANNELS, 2))
    weights[0] = 0, 255
    graph = one_operator(
        Convolution,
        (UINT8, 6 / 255, 0),
        (UINT8, 6 / 255, 0),
        weights,
        scales=np.array([0.0173]),
        bias=rng.integers(-4000, 4000, CHANNELS),
        weight_element=UINT8,
        weight_zero_point=131,
        activation=Activation.RELU6,
        pixels=len(x),
    )
    found = check(graph, x)
    assert np.array_equal(found.weights, weights - 131)
    assert found.weight_bits == 9


def test_depthwise():
    rng = np.random.default_rng(8)
    x = np.repeat(every_input(INT8, 1), CHANNELS, 1)
    graph = one_operator(
        DepthwiseConvolution,
        (INT8, 0.02, -5),
        (INT8, 0.03, 4),
        rng.integers(40, 128, (CHANNELS, 1)),
        scales=0.01 * 2.0 ** rng.uniform(-2, 1, CHANNELS),
        bias=rng.integers(-900, 900, CHANNELS),
        pixels=len(x),
    )
    check(graph, x)


@pytest.mark.parametrize("per_channel", [False, True])
def test_fully_connected_rounds_once(per_channel):
    """Its multiplier is real: halves away from zero, once."""
    rng = np.random.default_rng(9)
    weights = rng.integers(-127, 128, (CHANNELS, 1))
    weights[:2, 0] = 64, -64
    graph = one_operator(
        FullyConnected,
        (INT8, 0.25, 0),
        (INT8, 0.5, 3),
        weights,
        scales=2.0 ** -rng.integers(5, 8, CHANNELS if per_channel else 1),  # ties occur
        bias=rng.integers(-90, 90, CHANNELS),
    )
    check(graph, every_input(INT8, 1))


@pytest.mark.parametrize("activation", [Activation.NONE, Activation.RELU, Activation.RELU6])
def test_binary_fixed_point(activation):
    """4 bit weights, unsigned 6 bit activations with 3 integer bits: a shift and no multiplier."""
    rng = np.random.default_rng([10, len(activation.value)])
    x = every_input(Element(6, False), 2)
    graph = one_operator(
        Convolution,
        (Element(6, False), 2.0**-3, 0),
        (Element(6, False), 2.0**-3, 0) if activation is Activation.RELU6 else (Element(7, True), 2.0**-2, 0),
        rng.integers(-7, 8, (CHANNELS, 2)),
        scales=np.array([2.0**-4]),
        bias=rng.integers(-50, 300, CHANNELS),
        weight_element=Element(4, True),
        activation=activation,
        numbers="fixed",
        pixels=len(x),
    )
    found = check(graph, x)
    assert found.requantization.form == "shift"
    assert found.requantization.format.multiplier_bits == 0
    assert found.weight_bits <= 4


@pytest.mark.parametrize("spec", ["numbers=affine", "numbers=fixed,activation_bits=5,weight_bits=4"])
def test_every_stage_of_a_block(spec):
    """Random maps through each operator alone; lanes and interval weigh the cost and change no result."""
    graph = parse_block(f"block:inverted_residual,height=4,width=5,channels=4,expansion=3,{spec}")
    rng = np.random.default_rng(11)
    for index in (0, 2):  # the pointwise ones
        part = graph.layers(index, index + 1)
        source, output = part.tensors[part.inputs[0]], part.tensors[part.outputs[0]]
        x = rng.integers(source.element.minimum, source.element.maximum + 1, source.shape).astype(source.element.dtype)
        want = golden.run(part, {source.index: x})[output.index].reshape(20, -1)
        for lanes, interval in ((1, 1), (4, 1), (1, 9)):
            found = constants(part, lanes, interval)
            assert np.array_equal(circuit(found, x.reshape(20, -1)), want)
            assert found.requantization.packed() == constants(part, lanes, interval).requantization.packed()


def test_refusals_name_the_operator():
    graph = one_operator(
        Convolution,
        (INT8, 1.0, 0),
        (INT8, 0.001, 0),
        np.full((CHANNELS, 1), 127),
        scales=np.array([1000.0]),
        bias=np.full(CHANNELS, 1 << 30),
    )
    with pytest.raises(
        GraphError, match=r"operator 5 CONV_2D cannot be computed exactly: channel 0.* overflow the reference's own 32"
    ):
        constants(graph)
