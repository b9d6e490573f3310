"""Files that cannot be used: one message that names every operator, the reason, and what to do."""

from collections.abc import Callable
from dataclasses import replace

import flatbuffers
import numpy as np
import pytest
import tflite

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers import tflite_file
from mbconv.generators.readers.tflite_content import FileContent, read_content
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.training.tflite_writer import TfliteWriter


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, int)


def convolution(w: TfliteWriter, x: int, channels: int = 3, **fields: int) -> int:
    """A 1×1 convolution whose options may be overridden."""
    x = w.convolution(x, ones(channels, 1, 1, w.tensors[x].shape[3]), 0.01, ones(channels), 0.05, 0)
    w.operators[-1].fields.update(fields)
    return x


def wide(w: TfliteWriter, x: int, **fields: int) -> int:
    """A 3×3 convolution whose options may be overridden."""
    x = w.convolution(x, ones(3, 3, 3, w.tensors[x].shape[3]), 0.01, ones(3), 0.05, 0)
    w.operators[-1].fields.update(fields)
    return x


def message(w: TfliteWriter, tmp_path, content: bytes | None = None) -> str:
    path = tmp_path / "mistake.tflite"
    path.write_bytes(w.to_bytes() if content is None else content)
    with pytest.raises(GraphError) as caught:
        read_tflite(path)
    assert type(caught.value) is GraphError
    assert str(path) in str(caught.value)
    return str(caught.value)


def with_operator(change: Callable[[TfliteWriter, int], int]) -> TfliteWriter:
    w = TfliteWriter("mistake")
    x = w.input("picture", (1, 8, 8, 3), 0.02, -5)
    w.output(change(w, x))
    return w


def constant(w: TfliteWriter, values: np.ndarray, scale: float | None = 0.01, dtype: str = "int8") -> int:
    return w.tensor("constant", values.shape, scale, 0, dtype, values)


def conv_on(w: TfliteWriter, x: int, weights: int, bias: int | None = None, shape=(1, 8, 8, 3)) -> int:
    fields = {"Padding": 0, "StrideH": 1, "StrideW": 1, "FusedActivationFunction": 0}
    inputs = (x, weights) if bias is None else (x, weights, bias)
    return w.operator("CONV_2D", inputs, shape, 0.05, 0, "Conv2DOptions", fields)


REFUSED = {
    "dilation": (lambda w, x: wide(w, x, DilationHFactor=99), "0 CONV_2D has dilation 99×1, which spreads"),
    "no dilation": (lambda w, x: convolution(w, x, DilationWFactor=0), "0 CONV_2D has dilation 1×0; both are at least"),
    "stride 0": (lambda w, x: convolution(w, x, StrideW=0), "0 CONV_2D has strides 1×0"),
    "activation": (lambda w, x: convolution(w, x, FusedActivationFunction=4), "fused activation TANH"),
    "padding": (lambda w, x: convolution(w, x, Padding=7), "padding option 7"),
    "a constant as the output": (lambda w, x: w.reshape(constant(w, ones(1, 4)), (1, 4)), "it has no operators"),
    "a constant to a convolution": (
        lambda w, x: convolution(w, constant(w, ones(1, 4, 4, 3))),
        "uses the constant tensor 1",
    ),
    "weights of float32": (lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 3), None, "float32")), "float32"),
    "weights without a scale": (lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 3), None)), "without a scale"),
    "weights along another axis": (
        lambda w, x: conv_on(w, x, w.tensor("c", (3, 1, 1, 3), np.full(3, 0.1), 0, "int8", ones(3, 1, 1, 3), 3)),
        "3 weight scales along axis 3",
    ),
    "weights computed": (lambda w, x: conv_on(w, x, x), "without data"),
    "bias of int64": (
        lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 3)), constant(w, ones(3), None, "int8")),
        "biases (tensor 2 'constant') of type int8; int32",
    ),
    "bias too short": (
        lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 3)), constant(w, ones(2), None, "int32")),
        "biases of shape [2] for 3 output channels",
    ),
    "bias of another scale": (
        lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 3)), constant(w, ones(3), 0.7, "int32")),
        "whose scale is not input scale × weight scale",
    ),
    "weight zero point": (
        lambda w, x: w.convolution(x, ones(3, 1, 1, 3), 0.01, ones(3), 0.05, 0, weight_zero_point=2),
        "weight zero point 2",
    ),
    "groups": (lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 1))), "grouped convolution (3 groups)"),
    "output shape": (
        lambda w, x: conv_on(w, x, constant(w, ones(3, 1, 1, 3)), shape=(1, 8, 7, 3)),
        "of shape [1, 8, 7, 3] where a 1×1 window with padding 0,0,0,0 makes [1, 8, 8, 3]",
    ),
    "shapes that do not fit": (
        lambda w, x: w.operator("ADD", (x, w.strided_slice(x, (0, 0, 0, 0), (1, 8, 5, 3))), (1, 8, 8, 3), 0.1, 0),
        "1 ADD joins shapes [1, 8, 8, 3] and [1, 8, 5, 3]",
    ),
    "constant that does not fit": (
        lambda w, x: w.constant_arithmetic("ADD", x, ones(1, 8, 7, 1), 0.1, 0, 0.1, 0),
        "constant of shape [1, 8, 7, 1]",
    ),
    "pool rescales": (
        lambda w, x: w.operator(
            "AVERAGE_POOL_2D",
            (x,),
            (1, 4, 4, 3),
            0.03,
            -5,
            "Pool2DOptions",
            {"FilterHeight": 2, "FilterWidth": 2, "StrideH": 2, "StrideW": 2},
        ),
        "pooling does not rescale",
    ),
    "mean over an axis that is not there": (
        lambda w, x: w.operator("MEAN", (x, constant(w, np.array([2, 4]), None, "int32")), (1, 8), 0.1, 0),
        "mean over axes [2, 4]",
    ),
    "pad of the batch": (
        lambda w, x: w.operator(
            "PAD", (x, constant(w, np.array([[0, 1], [0, 0], [0, 0], [0, 0]]), None, "int32")), (1, 8, 8, 3), None, None
        ),
        "padding of the batch",
    ),
    "transpose inside": (
        lambda w, x: convolution(w, w.transpose(convolution(w, x), (0, 3, 1, 2))),
        "operator 2 CONV_2D follows operator 1 TRANSPOSE, which is supported at the end of a network only, where the "
        "host computes it, or at an input: export the model channel-last (NHWC)",
    ),
    "slices of another shape": (
        lambda w, x: w.operator(
            "STRIDED_SLICE",
            (x, *(constant(w, np.full(4, n), None, "int32") for n in (0, 2, 1))),
            (1, 3, 2, 2),
            None,
            None,
            "StridedSliceOptions",
        ),
        "of shape [1, 3, 2, 2] where its slices makes [1, 2, 2, 2]",
    ),
    "an ellipsis": (
        lambda w, x: w.operator(
            "STRIDED_SLICE",
            (x, *(constant(w, np.full(4, n), None, "int32") for n in (0, 2, 1))),
            (1, 2, 2, 2),
            None,
            None,
            "StridedSliceOptions",
            {"EllipsisMask": 1},
        ),
        "has an ellipsis",
    ),
    "resized to another size": (
        lambda w, x: w.operator(
            "RESIZE_BILINEAR", (x, constant(w, np.array([4, 5]), None, "int32")), (1, 5, 4, 3), None, None
        ),
        "asks for [4, 5]",
    ),
    "joined at another scale": (
        lambda w, x: w.concatenation([x, w.rectify(x, "RELU", 0.5, 3)], 3),
        "does not rescale",
    ),
    "joined though shapes differ": (
        lambda w, x: w.concatenation([x, w.strided_slice(x, (0, 0, 0, 0), (1, 8, 5, 3))], 3),
        "joins shapes [1, 8, 8, 3], [1, 8, 5, 3] along axis 3",
    ),
    "hard swish far apart": (lambda w, x: w.unary("HARD_SWISH", x, 0.0001, 0), "128 output scales"),
    "sigmoid of another scale": (lambda w, x: w.unary("LOGISTIC", x, 1 / 128, -128), "scale 1/256"),
    "leak below 0": (
        lambda w, x: w.unary("LEAKY_RELU", x, 0.1, 0, "LeakyReluOptions", {"Alpha": -0.5}),
        "has alpha -0.5",
    ),
    "options of another operator": (
        lambda w, x: w.operator("SOFTMAX", (w.mean(x),), (1, 3), 1 / 256, -128, "AddOptions", {}),
        "carries the options of another operator (AddOptions)",
    ),
    "softmax inside": (
        lambda w, x: w.fully_connected(w.softmax(w.mean(x)), ones(2, 3), 0.1, ones(2), 0.1, 0),
        "operator 2 FULLY_CONNECTED follows operator 1 SOFTMAX, which is supported at the end of a network only",
    ),
    "dequantize inside": (
        lambda w, x: w.quantize(w.dequantize(x), 0.1, 0),
        "which a DEQUANTIZE writes; that is supported at the output only",
    ),
    "no scale": (lambda w, x: convolution(w, w.input("other", (1, 8, 8, 3))), "with no scale"),
    "batch": (lambda w, x: convolution(w, w.input("other", (2, 8, 8, 3), 0.1)), "has batch size 2"),
    "empty dimension": (lambda w, x: w.mean(w.input("other", (1, 0, 8, 3), 0.1)), "has shape [1, 0, 8, 3]"),
    "seven dimensions": (lambda w, x: w.reshape(x, (1, 1, 1, 8, 8, 1, 3)), "1 to 6 dimensions"),
    "huge map": (lambda w, x: w.mean(w.input("other", (1, 65536, 65536, 3), 0.1)), "at most"),
    "zero point": (lambda w, x: w.quantize(x, 0.1, 300), "zero point 300, outside -128..127"),
    "scale 0": (lambda w, x: w.quantize(x, 0.0, 0), "has scale 0.0"),
    "scale infinite": (lambda w, x: w.quantize(x, np.inf, 0), "has scale inf"),
    "scale not a number": (lambda w, x: w.quantize(x, np.nan, 0), "has scale nan"),
    "scales apart": (lambda w, x: w.quantize(x, 1e-30, 0), "enlarges its input"),
    "int32 activations": (lambda w, x: w.quantize(x, 0.1, 0, "int32"), "of type int32"),
    "unused input": (
        lambda w, x: w.mean(w.input("other", (1, 2, 2, 3), 0.1)),
        "input 0 'picture' is read by no operator that an output needs",
    ),
    "softmax scale": (
        lambda w, x: w.operator("SOFTMAX", (w.mean(x),), (1, 3), 0.1, 0, "SoftmaxOptions", {"Beta": 1.0}),
        "scale 1/256",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    change, reason = REFUSED[name]
    assert reason in message(with_operator(change), tmp_path)


def test_every_offender_is_named_with_its_reason(tmp_path):
    w = TfliteWriter("many")
    x = w.input("picture", (1, 8, 8, 3), 0.02, -5)
    for _ in range(2):
        x = w.operator("ELU", (x,), (1, 8, 8, 3), None, None)
        x = wide(w, x, DilationWFactor=77)
    x = w.operator("CUSTOM", (x,), (1, 8, 8, 3), None, None)
    w.output(convolution(w, x))
    lines = message(w, tmp_path).splitlines()
    assert [line.strip() for line in lines[1:4]] == [
        "operators 0, 2 ELU: each is not supported; train with ReLU6 instead",
        "operators 1, 3 CONV_2D: each has dilation 1×77, which spreads 9 weights over 465 places; 8 for each are "
        "supported, since each is a multiplication: train with less",
        "operator 4 CUSTOM is not supported; cut the model before it",
    ]
    assert "CONV_2D" in lines[4], "then what is supported"
    assert lines[5:] == ["Operator 5 can be used alone: --layers 5:6"]
    assert [op.index for op in read_tflite(tmp_path / "mistake.tflite", (5, 6))] == [5]


def network(dtype: str, weights: str) -> TfliteWriter:
    w = TfliteWriter("numbers")
    x = w.input("picture", (1, 4, 4, 2), None if dtype == "float32" else 0.1, 0, dtype)
    scale = None if weights.startswith("float") else 0.1
    filters = w.tensor("weights", (3, 1, 1, 2), scale, 0, weights.replace("16", "32"), ones(3, 1, 1, 2))
    x = conv_on(w, x, filters, shape=(1, 4, 4, 3))
    w.output(w.operator("ELU", (x,), (1, 4, 4, 3), None, None))
    return w


@pytest.mark.parametrize(
    ("dtype", "weights", "description"),
    [
        ("float32", "float32", "is a float file"),
        ("float32", "int8", "is a dynamic-range file"),
        ("int16", "int8", "int16 activations"),
    ],
)
def test_other_numbers_are_named_with_the_recipe(tmp_path, dtype, weights, description):
    text = message(network(dtype, weights), tmp_path)
    assert description in text
    assert "operator 1 ELU is not supported" in text, "the next obstacle is named at once"
    assert "CONV_2D uses" not in text, "one line, not one for each operator"
    for part in ("representative_dataset", "OpsSet.TFLITE_BUILTINS_INT8", "inference_input_type = tf.int8"):
        assert part in text


def test_float_amid_integers_is_named_by_operator(tmp_path):
    w = TfliteWriter("mixed")
    x = convolution(w, w.input("picture", (1, 4, 4, 2), 0.1))
    x = w.dequantize(x)
    w.output(conv_on(w, x, constant(w, ones(3, 1, 1, 3), None, "float32"), shape=(1, 4, 4, 3)))
    text = message(w, tmp_path)
    assert "operator 2 CONV_2D computes with float numbers amid 8-bit integers" in text
    assert "representative_dataset" in text


def test_files_that_are_none(tmp_path):
    (tmp_path / "empty.tflite").touch()
    (tmp_path / "text.tflite").write_text("not a model at all")
    for name, reason in {
        "absent.tflite": "there is no such file",
        "empty.tflite": "is empty",
        "text.tflite": "is not a TFLite file",
        ".": "is a directory",
        "null\0.tflite": "is not a path",
        "x" * 300: "cannot be read",
        "text.tflite/x": "cannot be read",
    }.items():
        with pytest.raises(GraphError, match=reason):
            read_tflite(tmp_path / name)
    with pytest.raises(GraphError, match="is not a regular file"):
        read_tflite("/dev/null")


@pytest.mark.parametrize(
    ("count", "version", "reason"), [(0, 3, "0 subgraphs"), (2, 3, "2 subgraphs"), (1, 2, "version 2")]
)
def test_other_models(tmp_path, count, version, reason):
    b = flatbuffers.Builder(0)
    subgraphs = []
    for _ in range(count):
        tflite.SubGraphStart(b)
        subgraphs.append(tflite.SubGraphEnd(b))
    b.StartVector(4, count, 4)
    for subgraph in subgraphs:
        b.PrependUOffsetTRelative(subgraph)
    vector = b.EndVector()
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, version)
    tflite.ModelAddSubgraphs(b, vector)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    assert reason in message(TfliteWriter("none"), tmp_path, bytes(b.Output()))


def test_a_network_without_operators(tmp_path):
    w = TfliteWriter("empty")
    w.output(w.input("picture", (1, 4, 4, 2), 0.1))
    assert "it has no operators" in message(w, tmp_path)


# What the writer does not write: the content of a file, changed after it was read.


def changed_message(monkeypatch, tmp_path, w: TfliteWriter, change: Callable[[FileContent], FileContent]) -> str:
    monkeypatch.setattr(tflite_file, "read_content", lambda path: change(read_content(path)))
    return message(w, tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dynamic": (1, 2)}, "whose size the file leaves open; convert with a fixed input shape"),
        ({"special": "is sparse"}, "uses tensor 0 'picture', which is sparse"),
        ({"scales": np.ones(3, np.float32)}, "with 3 scales"),
    ],
)
def test_unusable_tensors(monkeypatch, tmp_path, changes, reason):
    def change(content: FileContent) -> FileContent:
        return replace(content, tensors=(replace(content.tensors[0], **changes), *content.tensors[1:]))

    assert reason in changed_message(monkeypatch, tmp_path, with_operator(convolution), change)


def test_float16_weights_are_named(monkeypatch, tmp_path):
    w = TfliteWriter("half")
    x = w.input("picture", (1, 4, 4, 2), dtype="float32")
    half = constant(w, ones(3, 1, 1, 2), None, "float32")
    w.output(conv_on(w, x, w.dequantize(half), shape=(1, 4, 4, 3)))

    def change(content: FileContent) -> FileContent:
        tensors = [replace(t, type="FLOAT16") if t.index == half else t for t in content.tensors]
        return replace(content, tensors=tuple(tensors))

    text = changed_message(monkeypatch, tmp_path, w, change)
    assert "weights are stored as float16" in text and "representative_dataset" in text


def test_weight_zero_points_that_differ(monkeypatch, tmp_path):
    w = with_operator(lambda w, x: w.convolution(x, ones(2, 1, 1, 3), np.array([0.1, 0.2]), ones(2), 0.05, 0))

    def change(content: FileContent) -> FileContent:
        tensors = [replace(t, zero_points=np.array([0, 1])) if "weights" in t.name else t for t in content.tensors]
        return replace(content, tensors=tuple(tensors))

    assert "zero points differ among channels" in changed_message(monkeypatch, tmp_path, w, change)
