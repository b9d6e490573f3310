"""What each operator becomes: a circuit, wiring, or the host's work; and what is refused."""

import pytest
from small_networks import GraphBuilder

from mbconv.generators.graph.graph import GraphError, Padding
from mbconv.generators.operators.concatenation import Concatenation
from mbconv.generators.operators.dequantize import Dequantize
from mbconv.generators.operators.quantize import Quantize
from mbconv.generators.operators.resize_bilinear import ResizeBilinear
from mbconv.generators.operators.resize_nearest import ResizeNearest
from mbconv.generators.stages.network import Network, StreamShape, build_network
from mbconv.models import load


def kinds(network: Network) -> list[str]:
    return [node.kind for node in network.nodes]


@pytest.fixture
def g() -> GraphBuilder:
    return GraphBuilder()


MULTIPLYING = {
    "1×1": (lambda g, x: g.convolution(x, 6), "pointwise", 4),
    "1×1 with stride": (lambda g, x: g.convolution(x, 6, strides=(2, 2)), "convolution", 4),
    "3×3": (lambda g, x: g.convolution(x, 6, (3, 3)), "convolution", 36),
    "1×3": (lambda g, x: g.convolution(x, 6, (1, 3)), "convolution", 12),
    "depthwise": (lambda g, x: g.depthwise(x), "depthwise", 9),
    "depthwise 5×3 with strides": (lambda g, x: g.depthwise(x, (5, 3), (2, 1)), "depthwise", 15),
    "fully connected": (lambda g, x: g.fully_connected(x, 6), "pointwise", 6 * 8 * 4),
}


@pytest.mark.parametrize(("make", "kind", "reduction"), MULTIPLYING.values(), ids=MULTIPLYING)
def test_operators_that_multiply(g, make, kind, reduction):
    x = g.input(6, 8, 4)
    y = make(g, x)
    graph = g.graph(y)
    network = build_network(graph)
    (node,) = network.nodes
    assert (node.kind, node.reduction, node.circuit.FOLDED) == (kind, reduction, True)
    assert (node.name, node.inputs, node.output) == (f"layer_00_{kind}", (x,), y)
    operator = graph.operators[0]
    assert node.operator is operator
    if kind != "pointwise":
        assert (node.kernel, node.strides, node.padding) == (operator.kernel, operator.strides, operator.padding)
    shape = network.shapes[y]
    assert network.macs(node) == shape.pixels * shape.channels * reduction == graph.macs(operator)
    assert (network.inputs, network.outputs, network.host) == ({x: x}, (y,), ())


@pytest.mark.parametrize("multiplier", [1, 8])
def test_depthwise_of_one_channel_is_a_convolution(g, multiplier):
    (node,) = build_network(g.graph(g.depthwise(g.input(6, 6, 1), multiplier=multiplier))).nodes
    assert (node.kind, node.reduction) == ("convolution", 9)


def test_elementwise_and_pooling(g):
    x = g.input(6, 6, 4)
    y = g.rectify(g.add(g.convolution(x, 4), x))
    y = g.operator(Quantize, (y,), (6, 6, 4))
    graph = g.graph(g.mean(y), g.pool(y, (6, 6)))
    network = build_network(graph)
    assert kinds(network) == ["pointwise", "add", "lookup", "lookup", "pool", "pool"]
    assert not any(node.circuit.FOLDED or network.macs(node) for node in network.nodes[1:])
    assert network.shapes[graph.outputs[0]] == StreamShape(1, 1, 4)
    assert [node.name for node in network.consumers(x)] == ["layer_00_pointwise", "layer_01_add"]
    assert [node.kind for node in network.consumers(y)] == ["pool", "pool"]


def test_a_tensor_added_to_itself_has_two_readers(g):
    x = g.input(2, 2, 4)
    network = build_network(g.graph(g.add(x, x)))
    assert [node.kind for node in network.consumers(x)] == ["add", "add"]


def test_padding_joins_the_window(g):
    x = g.input(6, 6, 4)
    padded = g.pad(x, Padding(0, 1, 0, 1))
    a, b = g.convolution(padded, 4, (3, 3), (2, 2), Padding(1, 0, 1, 0)), g.convolution(padded, 3)
    network = build_network(g.graph(a, b))
    strided, single = network.nodes
    assert (strided.inputs, strided.padding) == ((x,), Padding(1, 1, 1, 1))
    assert (single.inputs, single.kind, single.padding) == ((x,), "convolution", Padding(0, 1, 0, 1))
    assert padded not in network.shapes


def test_reshape_is_a_name(g):
    x = g.mean(g.input(4, 4, 6))
    y = g.reshape(g.fully_connected(g.reshape(x, 1, 1, 6), 5), 1, 1, 5)
    network = build_network(g.graph(y))
    pool, classifier = network.nodes
    assert (pool.output, classifier.inputs) == (x, (x,))
    assert network.outputs == (classifier.output,)
    assert network.views == {}


@pytest.mark.parametrize("reshaped", [False, True])
def test_a_map_read_as_one_vector(g, reshaped):
    x = g.convolution(g.input(2, 3, 4), 5)
    network = build_network(g.graph(g.fully_connected(g.reshape(x, 30) if reshaped else x, 7)))
    assert (network.nodes[1].inputs, network.nodes[1].reduction) == ((x,), 30)
    assert network.views == {x: (5, 30)}


def test_transpose_becomes_the_order_of_the_port(g):
    x = g.input(3, 6, 5)
    y = g.transpose(x, (0, 2, 3, 1))
    network = build_network(g.graph(g.convolution(y, 4)))
    assert network.inputs == {x: y}
    assert network.shapes[y] == StreamShape(6, 5, 3)
    assert x not in network.shapes


def test_what_follows_softmax_or_dequantize_is_the_hosts(g):
    scores = g.fully_connected(g.input(4), 3)
    probabilities = g.softmax(scores)
    graph = g.graph(g.operator(Dequantize, (probabilities,), (3,)), scores)
    network = build_network(graph)
    assert kinds(network) == ["pointwise"]
    assert network.outputs == (scores,)
    assert [type(op).KIND for op in network.host] == ["SOFTMAX", "DEQUANTIZE"]


def test_a_range_that_cuts_a_residual_has_a_stream_for_each_tensor(g):
    x = g.input(4, 4, 4)
    first = g.convolution(x, 4)
    middle = g.depthwise(first)
    graph = g.graph(g.add(middle, first))
    before, after = build_network(graph.layers(0, 2)), build_network(graph.layers(2, 3))
    assert (before.outputs, after.inputs) == ((first, middle), {middle: middle, first: first})


def _two_orders(g):
    x = g.input(4, 4, 4)
    return g.convolution(x, 4), g.convolution(g.transpose(x, (0, 2, 1, 3)), 4)


def test_an_input_that_the_host_alone_reads_has_no_port(g):
    x, boxes = g.input(4, 4, 4), g.input(4, 4, 2)
    joined = g.operator(Concatenation, (boxes, g.convolution(x, 3)), (4, 4, 5), axis=3)
    network = build_network(g.graph(joined))
    assert network.inputs == {x: x} and [op.kind for op in network.host] == ["CONCATENATION"]


def test_padding_that_no_window_takes_is_a_circuit(g):
    x = g.input(4, 4, 4)
    padded = g.pad(x, Padding(1, 1, 1, 1))
    twice = g.pad(g.pad(x, Padding(1, 0, 0, 0)), Padding(0, 2, 0, 0))
    nodes = build_network(g.graph(g.add(padded, padded), twice)).nodes
    assert [node.kind for node in nodes] == ["pad", "pad", "add"]
    assert nodes[1].padding == Padding(1, 2, 0, 0), "paddings one behind the other are one"


def test_padding_as_large_as_the_kernel_is_a_circuit(g):
    """No window circuit has a first window wholly in the padding."""
    x = g.input(4, 4, 4)
    nodes = build_network(g.graph(g.convolution(g.pad(x, Padding(1, 1, 1, 1)), 4))).nodes
    assert [node.kind for node in nodes] == ["pad", "pointwise"] and nodes[0].padding == Padding(1, 1, 1, 1)


REFUSED = {
    "bilinear": (lambda g: (g.operator(ResizeBilinear, (g.input(6, 6, 4),), (4, 9, 4)),), "makes 4×9 of 6×6"),
    "two orders": (_two_orders, "no single order"),
    "host only": (lambda g: (g.softmax(g.input(4)),), "nothing of this network is left to build"),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_refusals(g, make, reason):
    graph = g.graph(*make(g))
    with pytest.raises(GraphError) as caught:
        build_network(graph)
    assert reason in str(caught.value)


def test_every_refused_operator_is_named(g):
    x = g.operator(ResizeNearest, (g.input(6, 6, 4),), (5, 9, 4))
    with pytest.raises(GraphError) as caught:
        build_network(g.graph(g.operator(ResizeBilinear, (x,), (4, 10, 4))))
    assert "operator 0 RESIZE_NEAREST" in str(caught.value) and "operator 1 RESIZE_BILINEAR" in str(caught.value)


@pytest.mark.parametrize("model", ["digits", "cifar10"])
def test_built_in_models(model):
    graph = load(model)
    network = build_network(graph)
    assert sum(map(network.macs, network.nodes)) == graph.total_macs
    assert kinds(network)[0] == "convolution" and kinds(network)[-1] == "pointwise"
    assert {"pointwise", "depthwise", "convolution", "add", "pool"} == set(kinds(network))
    assert all(op.index not in {node.operator.index for node in network.nodes} for op in network.host)


def test_an_input_that_is_an_output(g):
    """Nothing computes it, and a port cannot be both."""
    x = g.input(6, 6, 4)
    graph = g.graph(g.convolution(x, 3), g.reshape(x, 4, 9, 4))
    with pytest.raises(GraphError, match=f"tensor {graph.outputs[1]} is an output, but an input at most renamed"):
        build_network(graph)
