"""Structures as real files have them: constants computed, branches that lead nowhere, ranks, tails; equal to LiteRT."""

from dataclasses import replace

import numpy as np
import pytest
from test_reader_numbers import assert_equal_to_litert

from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.stages.network import build_network
from mbconv.training.tflite_writer import TfliteWriter


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, int)


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(-127, 128, shape)


def convolution(w: TfliteWriter, x: int, channels: int = 3, size: int = 1) -> int:
    kernel = weights(channels, size, size, w.tensors[x].shape[3])
    return w.convolution(x, kernel, 0.004, weights(channels), 0.05, 3)


def started(*shape: int) -> tuple[TfliteWriter, int]:
    w = TfliteWriter("net")
    return w, w.input("x", shape, 1 / 64, 3)


def written(w: TfliteWriter, tmp_path):
    path = tmp_path / "net.tflite"
    w.write(path)
    return path


def integers(w: TfliteWriter, code: str, inputs, shape, options: str = "", **fields) -> int:
    return w.operator(code, inputs, shape, None, 0, options, fields, dtype="int32")


def keras_flatten(w: TfliteWriter, x: int) -> int:
    """What a converter writes for Flatten: the batch taken out of the shape, packed with −1, then RESHAPE."""
    shape = integers(w, "SHAPE", (x,), (4,), "ShapeOptions", OutType=2)
    lists = [w.integers(what, values) for what, values in (("begin", [0]), ("end", [1]), ("strides", [1]))]
    batch = integers(w, "STRIDED_SLICE", (shape, *lists), (), "StridedSliceOptions", ShrinkAxisMask=1)
    rest = w.tensor("rest", (), dtype="int32", data=np.array(-1))
    packed = integers(w, "PACK", (batch, rest), (2,), "PackOptions", ValuesCount=2, Axis=0)
    return w.operator("RESHAPE", (x, packed), (1, int(np.prod(w.tensors[x].shape))), None, None)


def shape_by_arithmetic(w: TfliteWriter, x: int) -> int:
    """A shape put together from products and halves."""
    shape = integers(w, "SHAPE", (x,), (4,), "ShapeOptions", OutType=2)
    begin, size = w.integers("begin", [1]), w.integers("size", [2])
    area = integers(w, "REDUCE_PROD", (integers(w, "SLICE", (shape, begin, size), (2,)), w.integers("axes", [0])), ())
    twice = integers(w, "MUL", (area, w.tensor("two", (), dtype="int32", data=np.array(2))), (), "MulOptions")
    again = integers(w, "FLOOR_DIV", (twice, w.tensor("two_", (), dtype="int32", data=np.array(2))), ())
    one = w.tensor("one", (1,), dtype="int32", data=np.array([1]))
    area = integers(w, "EXPAND_DIMS", (again, w.tensor("axis", (), dtype="int32", data=np.array(0))), (1,))
    last = integers(w, "GATHER", (shape, w.integers("places", [3])), (1,), "GatherOptions")
    joined = integers(w, "CONCATENATION", (one, area, last), (3,), "ConcatenationOptions")
    _, height, width, channels = w.tensors[x].shape
    return w.operator("RESHAPE", (x, joined), (1, height * width, channels), None, None)


def transposed(w: TfliteWriter, x: int, shape: int | None = None, **how) -> int:
    """A TRANSPOSE_CONV, its output's shape from another tensor where one is given."""
    y = w.transpose_convolution(x, weights(4, 3, 3, w.tensors[x].shape[3]), 0.01, weights(4), 0.05, 3, **how)
    if shape is not None:
        w.operators[-1] = replace(w.operators[-1], inputs=(shape, *w.operators[-1].inputs[1:]))
    return y


def test_the_shape_of_a_transposed_convolution_is_computed_too(tmp_path):
    """As Keras writes it: the batch out of the shape, packed with the sizes; then the operator is two in the graph."""
    w, x = started(1, 3, 4, 2)
    shape = integers(w, "SHAPE", (x,), (4,), "ShapeOptions", OutType=2)
    lists = [w.integers(what, values) for what, values in (("begin", [0]), ("end", [1]), ("strides", [1]))]
    batch = integers(w, "STRIDED_SLICE", (shape, *lists), (), "StridedSliceOptions", ShrinkAxisMask=1)
    sizes = [w.tensor(f"size_{n}", (), dtype="int32", data=np.array(n)) for n in (6, 8, 4)]
    packed = integers(w, "PACK", (batch, *sizes), (4,), "PackOptions", ValuesCount=4, Axis=0)
    w.output(transposed(w, x, packed))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert [(op.index, op.kind) for op in graph] == [(3, "PAD"), (3, "TRANSPOSE_CONV")]
    pad, convolution = graph
    assert graph.macs(convolution) == 3 * 4 * 4 * 3 * 3 * 2 and not graph.tensors[pad.outputs[0]].in_file
    assert graph.layers(3, 4).operators == graph.operators


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"size": (7, 8)}, r"makes 7×8 of 3×4, where windows of 3×3 that move by 2×2 over that are 4×4"),
        ({"strides": (0, 1), "size": (3, 4)}, "has strides 0×1; a stride is at least 1"),
    ],
)
def test_transposed_convolutions_that_no_converter_writes(tmp_path, how, message):
    w, x = started(1, 3, 4, 2)
    w.output(transposed(w, x, **how))
    with pytest.raises(GraphError, match=f"operator 0 TRANSPOSE_CONV {message}"):
        read_tflite(written(w, tmp_path))


def test_another_shape_than_asked_for_is_refused(tmp_path):
    w, x = started(1, 3, 4, 2)
    w.output(transposed(w, x, w.integers("asked", [1, 5, 8, 4])))
    with pytest.raises(GraphError, match=r"turns shape \[1, 3, 4, 2\] into \[1, 6, 8, 4\], where \[1, 5, 8, 4\] is"):
        read_tflite(written(w, tmp_path))


@pytest.mark.parametrize("flatten", [keras_flatten, shape_by_arithmetic])
def test_shapes_that_are_computed(tmp_path, flatten):
    w, x = started(1, 3, 4, 2)
    y = flatten(w, convolution(w, x))
    size = int(np.prod(w.tensors[y].shape))
    w.output(w.fully_connected(y, weights(5, size), 0.001, weights(5), 0.1, 0))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert [op.kind for op in graph] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    make_design(graph, multipliers=4)


def test_weights_that_are_turned_and_reshaped(tmp_path):
    w, x = started(1, 3, 4, 2)
    stored = w.tensor("stored", (2, 6), 0.01, 0, "int8", weights(2, 6))
    turned = w.transpose(stored, (1, 0))
    kernel = w.reshape(turned, (6, 1, 1, 2))
    bias = w.tensor("bias", (6,), 0.01 / 64, 0, "int32", weights(6))
    fields = {"StrideH": 1, "StrideW": 1}
    w.output(w.operator("CONV_2D", (x, kernel, bias), (1, 3, 4, 6), 0.05, 3, "Conv2DOptions", fields))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert [op.kind for op in graph] == ["CONV_2D"]
    np.testing.assert_array_equal(graph.operators[0].weights[:, 0, 0], weights(2, 6).T)


def test_a_shape_that_depends_on_the_picture_is_refused(tmp_path):
    w, x = started(1, 4)
    where = w.arg_max(x, 1)
    w.output(w.operator("RESHAPE", (x, where), (4,), None, None))
    with pytest.raises(GraphError, match="operator 1 RESHAPE takes its shape from operator 0 ARG_MAX"):
        read_tflite(written(w, tmp_path))


def test_branches_that_lead_nowhere_are_cut(tmp_path):
    w, x = started(1, 4, 4, 3)
    y = convolution(w, x, 2)
    w.unary("RELU", convolution(w, y, 2), 0.1, 0)
    w.output(convolution(w, y, 4))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert [op.index for op in graph] == [0, 3]


def test_a_tensor_that_is_an_output_twice(tmp_path):
    w, x = started(1, 4, 4, 3)
    y = convolution(w, x, 2)
    w.output(y)
    w.output(y)
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert graph.outputs == (y,) and build_network(graph).outputs == (y,)


def test_one_dimensional_convolutions(tmp_path):
    """Tensors of rank 3 around maps of one row."""
    w, x = started(1, 16, 2)
    y = convolution(w, w.expand_dims(x, 1), 3)
    y = w.squeeze(y, (1,))
    y = w.rectify(y, "RELU", 0.04, -5)
    y = w.squeeze(convolution(w, w.reshape(y, (1, 1, 16, 3)), 4), (1,))
    w.output(w.mean(y, 0.03, 2, axes=(1,)))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    kinds = [node.kind for node in build_network(graph).nodes]
    assert kinds == ["pointwise", "lookup", "pointwise", "pool"]
    make_design(graph, multipliers=4)


@pytest.mark.parametrize("keep", [False, True])
def test_a_batch_that_is_really_pixels(tmp_path, keep):
    """As Edge Impulse writes a 1×1 convolution; with keep_num_dims the map keeps its shape."""
    w, x = started(1, 3, 3, 4)
    y = convolution(w, x, 5)
    if not keep:
        y = w.reshape(y, (9, 5))
    y = w.fully_connected(y, weights(2, 5), 0.01, weights(2), 0.05, 1, keep=keep)
    w.output(y if keep else w.reshape(y, (1, 3, 3, 2)))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    network = build_network(graph)
    assert [(node.kind, node.reduction) for node in network.nodes] == [("pointwise", 4), ("pointwise", 5)]
    assert not network.views
    assert graph.total_macs == 9 * (4 * 5 + 5 * 2)
    make_design(graph, multipliers=4)


def test_a_batch_of_pictures_is_refused(tmp_path):
    w, x = started(4, 10)
    w.output(w.rectify(x, "RELU"))
    with pytest.raises(GraphError, match="has batch size 4; convert the model with batch size 1"):
        read_tflite(written(w, tmp_path))


def test_what_stands_at_the_end_is_the_hosts(tmp_path):
    """LOGISTIC, ARG_MAX, TRANSPOSE, CONCATENATION: two tails of one network, with a reshape between."""
    w, x = started(1, 3, 3, 2)
    y = convolution(w, x, 3)
    w.output(w.transpose(y, (0, 3, 1, 2)))
    a, b = convolution(w, y, 2), convolution(w, y, 2)
    heads = [w.reshape(head, (1, 9, 2)) for head in (a, b)]
    w.output(w.unary("LOGISTIC", w.concatenation(heads, 1), 1 / 256, -128))
    w.output(w.arg_max(w.reshape(a, (1, 18)), 1))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    network = build_network(graph)
    assert [op.kind for op in network.host] == ["TRANSPOSE", "CONCATENATION", "LOGISTIC", "ARG_MAX"]
    assert network.outputs == (y, a, b)


def test_a_sigmoid_within_is_a_table(tmp_path):
    w, x = started(1, 3, 3, 2)
    y = w.unary("LOGISTIC", convolution(w, x, 3), 1 / 256, -128)
    w.output(convolution(w, y, 2))
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert [node.kind for node in build_network(graph).nodes] == ["pointwise", "lookup", "pointwise"]
    part = graph.layers(0, 2)
    assert [node.kind for node in build_network(part).nodes] == ["pointwise", "lookup"], "a range ends, not the network"


def test_a_transposition_of_axes_of_size_one_is_nothing(tmp_path):
    w, x = started(1, 1, 5, 3)
    y = convolution(w, w.transpose(convolution(w, x, 3), (0, 2, 1, 3)), 2)
    w.output(y)
    graph, _ = assert_equal_to_litert(written(w, tmp_path))
    assert [node.kind for node in build_network(graph).nodes] == ["pointwise", "pointwise"]


def test_equal_refusals_are_one_line(tmp_path):
    w, x = started(1, 4, 4, 3)
    x = convolution(w, x)
    for _ in range(5):
        x = w.operator("RESHAPE", (x, x), (1, 4, 4, 3), None, None)
    w.output(x)
    with pytest.raises(GraphError) as caught:
        read_tflite(written(w, tmp_path))
    lines = str(caught.value).splitlines()
    assert lines[1].startswith(
        "  operators 1, 2, 3, 4, 5 RESHAPE: each alike, the first takes its shape from operator 0"
    )
    assert lines[2:] == ["Operator 0 can be used alone: --layers 0:1"]


@pytest.mark.parametrize(("code", "target"), [("edgetpu-custom-op", "Edge TPU"), ("ethos-u", "Ethos-U")])
def test_compiled_files_are_told_apart(tmp_path, code, target):
    import tflite

    w, x = started(1, 4, 4, 3)
    w.output(w.operator("CUSTOM", (x,), (1, 4, 4, 3), 0.1, 0))
    path = written(w, tmp_path)
    from test_reader_numbers import changed

    def named(model):
        assert model.operatorCodes[0].builtinCode == tflite.BuiltinOperator.CUSTOM
        model.operatorCodes[0].customCode = code

    path.write_bytes(changed(path.read_bytes(), named))
    with pytest.raises(GraphError) as caught:
        read_tflite(path)
    text = str(caught.value)
    assert f"compiled for {'the ' if 'Edge' in target else 'an '}{target}" in text
    assert "give the file that it was compiled from" in text and "representative_dataset" not in text


def test_integer_files_get_no_recipe_for_quantisation(tmp_path):
    w, x = started(1, 4, 4, 3)
    real = w.dequantize(convolution(w, x))
    w.output(w.operator("EXP", (real,), (1, 4, 4, 3), None, None, dtype="float32"))
    with pytest.raises(GraphError) as caught:
        read_tflite(written(w, tmp_path))
    assert "operator 2 EXP" in str(caught.value) and "representative_dataset" not in str(caught.value)
    assert "--layers 0:2" in str(caught.value)
