"""A valid graph passes, and each way of making it wrong is named."""

from dataclasses import replace

import numpy as np
import pytest

from mbconv.generators.graph.checks import check_graph
from mbconv.generators.graph.graph import FLOAT32, Activation, Element, Graph, GraphError, Padding
from mbconv.generators.graph.mac_operator import accumulator_bounds
from mbconv.generators.operators.dequantize import Dequantize
from mbconv.generators.operators.softmax import Softmax
from mbconv.generators.readers.block import parse_block

BLOCK = "block:inverted_residual,height=6,width=5,channels=4,expansion=2"
EXPANSION, DEPTHWISE, PROJECTION, ADD = range(4)


def operator(graph: Graph, place: int, /, **changes) -> Graph:
    operators = list(graph.operators)
    operators[place] = replace(operators[place], **changes)
    return replace(graph, operators=tuple(operators))


def tensor(graph: Graph, index: int, **changes) -> Graph:
    return replace(graph, tensors={**graph.tensors, index: replace(graph.tensors[index], **changes)})


def appended(graph: Graph, kind, output_changes: dict, **fields) -> Graph:
    """The graph with one more operator after its output."""
    last = graph.outputs[0]
    output = replace(graph.tensors[last], index=99, **output_changes)
    more = kind(90, (last,), (99,), **fields)
    return replace(graph, tensors={**graph.tensors, 99: output}, operators=(*graph.operators, more), outputs=(99,))


WRONG = {
    "batch": (lambda g: tensor(g, 0, shape=(2, 6, 5, 4)), "tensor 0 'input' has batch size 2"),
    "rank": (lambda g: tensor(g, 0, shape=(1, 30, 4)), "CONV_2D reads shape [1, 30, 4]"),
    "no dimension": (lambda g: tensor(g, 0, shape=()), "has shape []; 1 to 6 dimensions"),
    "dimension": (lambda g: tensor(g, 0, shape=(1, 0, 5, 4)), "has shape [1, 0, 5, 4]"),
    "scale": (lambda g: tensor(g, 2, scale=-0.5), "has scale -0.5"),
    "scale of double precision": (lambda g: tensor(g, 2, scale=0.1), "has scale 0.1"),
    "zero point": (lambda g: tensor(g, 2, zero_point=128), "has zero point 128"),
    "no input": (lambda g: replace(g, inputs=()), "it has no input"),
    "output twice": (lambda g: replace(g, outputs=(4, 4)), "name a tensor twice"),
    "unknown output": (lambda g: replace(g, outputs=(4, 77)), "output 77 is no tensor of it"),
    "input as output": (lambda g: replace(g, outputs=(4, 0)), "output 0 is computed by no operator"),
    "order": (lambda g: replace(g, operators=g.operators[::-1]), "before any operator writes it"),
    "index": (lambda g: operator(g, ADD, index=2), "operator 2 ADD follows operator 2"),
    "cycle": (lambda g: operator(g, DEPTHWISE, inputs=(3,)), "reads tensor 3 before any operator writes it"),
    "two producers": (lambda g: operator(g, ADD, outputs=(3,)), "which operator 2 also writes"),
    "input written": (lambda g: operator(g, ADD, outputs=(0,)), "an input of the network"),
    "loose end": (lambda g: operator(g, ADD, inputs=(0, 0)), "computes tensor 3, which nothing reads"),
    "shape": (lambda g: tensor(g, 4, shape=(1, 5, 6, 4)), "operator 3 ADD writes tensor 4 of shape [1, 5, 6, 4]"),
    "padding": (
        lambda g: operator(g, DEPTHWISE, padding=Padding(1, 0, 1, 1)),
        "with padding 1,0,1,1 makes [1, 5, 5, 8]",
    ),
    "much padding": (lambda g: operator(g, DEPTHWISE, padding=Padding(3, 0, 1, 1)), "less than the kernel 3×3"),
    "strides": (lambda g: operator(g, DEPTHWISE, strides=(0, 1)), "strides 0×1"),
    "multiplier": (lambda g: operator(g, DEPTHWISE, depth_multiplier=2), "depth multiplier 2 make 16"),
    "bias": (lambda g: operator(g, EXPANSION, bias=np.zeros(7, np.int32)), "biases of shape [7]"),
    "float bias": (lambda g: operator(g, EXPANSION, bias=np.zeros(8)), "biases of type float64"),
    "weights": (
        lambda g: operator(g, EXPANSION, weights=np.ones((8, 1, 1, 3), np.int8)),
        "weights for 3 input channels",
    ),
    "wide weights": (
        lambda g: operator(g, EXPANSION, weights=np.full((8, 1, 1, 4), 128, np.int16)),
        "weights 128..128 that are not all int8",
    ),
    "weight scales": (
        lambda g: operator(g, EXPANSION, weight_scales=np.ones(3, np.float32)),
        "3 weight scales for 8 output channels",
    ),
    "weight scale": (
        lambda g: operator(g, EXPANSION, weight_scales=np.full(8, -0.5, np.float32)),
        "weight scale that is neither 0 nor a positive",
    ),
    "weight scale far apart": (
        lambda g: operator(g, EXPANSION, weight_scales=np.full(8, 2.0**60, np.float32)),
        "enlarges its accumulators",
    ),
    "type": (lambda g: tensor(g, 4, element=Element(8, False), zero_point=0), "reads int8 and writes uint8"),
    "width": (
        lambda g: tensor(g, 1, element=Element(4, True), zero_point=0),
        "int4 and int8; int8 and uint8 are supported",
    ),
    "sum": (lambda g: tensor(g, 4, scale=2.0**-30), "too fine"),
    "numbers": (lambda g: operator(g, ADD, numbers="float"), "numbers 'float'"),
    "softmax": (lambda g: appended(g, Softmax, {}), "scale 1/256"),
    "real": (lambda g: appended(g, Dequantize, {}), "turns int8 into int8"),
}
WRONG_FIXED = {
    "zero point": (lambda g: tensor(g, 3, zero_point=1), "zero point is 0"),
    "scale": (lambda g: tensor(g, 3, scale=0.75), "a scale is a power of two"),
    "accumulator": (
        lambda g: operator(g, EXPANSION, bias=np.full(8, 2**31 - 1, np.int32)),
        "beyond 32 bits",
    ),
    "weight scale": (
        lambda g: operator(g, PROJECTION, weight_scales=np.array([0.75], np.float32)),
        "not a power of two",
    ),
    "left shift": (lambda g: tensor(g, 3, scale=2.0**-40), "finer than its accumulators'"),
    "left shift of a sum": (lambda g: tensor(g, 4, scale=2.0**-40), "finer than both of its inputs'"),
    "far shift": (lambda g: tensor(g, 3, scale=2.0**60), "at most 31 are supported"),
    "far shift of a sum": (lambda g: tensor(g, 4, scale=2.0**20), "differ by more than 2^15"),
    "coarse ReLU6": (
        lambda g: operator(tensor(g, 3, scale=4.0), PROJECTION, activation=Activation.RELU6),
        "cannot represent 6",
    ),
    "wide": (lambda g: tensor(g, 4, element=Element(20, True)), "at most 16 bits"),
    "undefined": (lambda g: appended(g, Softmax, {}, numbers="fixed"), "not defined in binary fixed point"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_affine(name):
    change, reason = WRONG[name]
    refused(change(parse_block(BLOCK)), reason)


@pytest.mark.parametrize("name", WRONG_FIXED)
def test_wrong_fixed(name):
    change, reason = WRONG_FIXED[name]
    refused(change(parse_block(f"{BLOCK},numbers=fixed")), reason)


def refused(graph: Graph, reason: str) -> None:
    with pytest.raises(GraphError) as caught:
        check_graph(graph)
    assert reason in str(caught.value)


def test_all_problems_are_listed():
    graph = parse_block(BLOCK)
    graph = operator(operator(graph, EXPANSION, bias=np.zeros(7, np.int32)), PROJECTION, weight_scales=np.ones(9))
    with pytest.raises(GraphError) as caught:
        check_graph(graph)
    assert [line.split(" has ")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  operator 0 CONV_2D",
        "  operator 2 CONV_2D",
    ]


def test_ends_of_the_host_are_accepted():
    graph = appended(parse_block(BLOCK), Dequantize, {"element": FLOAT32, "scale": 1.0, "zero_point": 0})
    check_graph(graph)


def test_every_range_of_a_valid_graph_is_valid():
    graph = parse_block(BLOCK)
    for first in range(4):
        for last in range(first + 1, 5):
            check_graph(graph.layers(first, last))


@pytest.mark.parametrize("numbers", ["affine", "fixed,activation_bits=5,weight_bits=4"])
def test_accumulators_reach_their_bounds_and_no_further(numbers):
    """The bounds are those over every input: found by choosing for each weight the worse end of the input's range."""
    graph = parse_block(f"block:pointwise,height=1,width=1,channels=3,output_channels=6,numbers={numbers}")
    (op,), source = graph.operators, graph.tensors[0]
    ends = np.array([source.element.minimum, source.element.maximum])
    inputs = np.array(np.meshgrid(ends, ends, ends)).reshape(3, -1) - source.zero_point
    accumulators = op.weights.reshape(6, 3).astype(int) @ inputs + op.bias[:, None]
    low, high = accumulator_bounds(op, source)
    np.testing.assert_array_equal(low, accumulators.min(axis=1))
    np.testing.assert_array_equal(high, accumulators.max(axis=1))
