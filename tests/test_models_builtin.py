"""The built-in models: what they promise, and that their files keep it."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from mbconv.fpga.families import find_part
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.graph.mac_operator import MacOperator
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.planning.board_plan import shortages
from mbconv.models import builtin, builtin_models, load
from mbconv.models.digit_pictures import digit_pictures, held_out_digits
from mbconv.sim.golden.compare import compare
from mbconv.sim.golden.model import run

NAMES = [model.name for model in builtin_models()]


def classes(graph, pictures: np.ndarray) -> np.ndarray:
    """The golden model's answers to uint8 pictures, which every input here takes as p - 128."""
    source, target = graph.inputs[0], graph.outputs[0]
    integers = (pictures.astype(np.int16) - 128).astype(np.int8)
    return np.array([run(graph, {source: picture[np.newaxis]})[target].argmax() for picture in integers])


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_bytes_is_taken_less_128(name):
    """The rule for pictures spans the range of scale and zero point: all 256 values, whatever the scale."""
    graph = load(name)
    source = graph.tensors[graph.inputs[0]]
    assert (str(source.element), source.shape[0]) == ("int8", 1)
    assert len(builtin(name).labels) == graph.tensors[graph.outputs[0]].channels


def test_digits_requantises_by_shifts():
    graph = load("digits")

    def exponents(scales) -> np.ndarray:
        mantissas, exponents = np.frexp(np.asarray(scales, np.float64))
        np.testing.assert_array_equal(mantissas, 0.5)
        return exponents

    for tensor in graph.tensors.values():
        exponents(tensor.scale)
    for op in graph:
        if isinstance(op, MacOperator):
            source, result = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
            shifts = exponents(result.scale) - exponents(source.scale) - exponents(op.weight_scales)
            assert (shifts >= 0).all(), f"operator {op.index} shifts left: {shifts}"


def test_digits_is_small_and_has_a_residual_at_expansion_4():
    graph = load("digits")
    macs = [op for op in graph if isinstance(op, MacOperator)]
    assert (len(macs), sum(op.parameters for op in macs), graph.total_macs) == (8, 2716, 67296)
    assert Counter(op.kind for op in graph)["ADD"] == 1
    add = next(op for op in graph if op.kind == "ADD")
    project = graph.producer(add.inputs[1])
    depthwise = graph.producer(project.inputs[0])
    assert isinstance(depthwise, DepthwiseConvolution)
    assert graph.tensors[depthwise.inputs[0]].channels == 4 * graph.tensors[add.inputs[0]].channels


def test_drawn_digits_are_told_apart():
    pictures, labels = digit_pictures()
    assert pictures.dtype == np.uint8
    assert pictures.shape == (10, 8, 8, 1)
    np.testing.assert_array_equal(classes(load("digits"), pictures), labels)


def test_digits_accuracy_is_as_stated():
    pytest.importorskip("sklearn")
    pictures, labels = held_out_digits()
    right = int((classes(load("digits"), pictures) == labels).sum())
    assert right / len(labels) == builtin("digits").accuracy


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["cifar10", "cifar10_v3"])
def test_cifar10_accuracy_is_as_stated(shared, name):
    import io

    from PIL import Image

    graph = load(name)
    with np.load(shared / "data" / "cifar10_jpeg.npz") as data:
        content, offsets, labels = data["test_bytes"].tobytes(), data["test_offsets"], data["test_labels"]
        assert tuple(data["names"]) == builtin(name).labels
    files = [content[start:end] for start, end in pairwise(offsets)]
    right = sum(
        int(classes(graph, np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))[np.newaxis])[0] == label)
        for file, label in zip(files, labels, strict=True)
    )
    assert right / len(labels) == builtin(name).accuracy


def test_cifar10_is_within_its_size():
    graph = load("cifar10")
    assert builtin("cifar10").path.stat().st_size <= 300_000
    assert sum(isinstance(op, MacOperator) for op in graph) == 17


def test_cifar10_v3_is_a_mobilenet_v3():
    """Its operators are those that TensorFlow's converter makes of one."""
    graph = load("cifar10_v3")
    assert builtin("cifar10_v3").path.stat().st_size <= 400_000
    macs = [op for op in graph if isinstance(op, MacOperator)]
    assert (len(macs), sum(op.parameters for op in macs)) == (21, 254_984)
    assert Counter(op.kind for op in graph) == {
        "CONV_2D": 15, "DEPTHWISE_CONV_2D": 5, "FULLY_CONNECTED": 1, "HARD_SWISH": 8, "MEAN": 3, "MUL": 4, "ADD": 3,
        "SOFTMAX": 1,
    }  # fmt: skip
    sizes = [op.weights.shape[0] for op in graph if isinstance(op, DepthwiseConvolution)]
    assert sizes == [3, 3, 5, 5, 3]


def test_cifar10_v3_is_what_litert_computes():
    """Every element of every tensor that an operator computes, of noise and of a picture with large areas."""
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    graph = load("cifar10_v3")
    rows, columns, channels = np.indices((32, 32, 3))
    smooth = (8 * rows + 96 * (columns > 13) * (channels - 1) - 128).clip(-128, 127)
    noise = np.random.default_rng(3).integers(-128, 128, (2, 32, 32, 3))
    frames = [{graph.inputs[0]: frame.astype(np.int8)[np.newaxis]} for frame in (*noise, smooth)]
    found = compare(graph, builtin("cifar10_v3").path, frames)
    assert (found.frames, found.differing) == (3, 0), found.first
    assert found.tensors == len(graph.tensors) - 1


def test_digits_fits_an_ice40up5k():
    device = find_part("iCE40UP5K").resources
    design = make_design(load("digits"), multipliers=8, family=device.circuits)
    assert design.multipliers == 8
    assert not shortages(design, device)
    assert device.block_rams == 30


def test_cifar10_fits_an_ecp5_85():
    design = make_design(load("cifar10"), multipliers=64)
    assert design.mac_efficiency >= 0.8
    device = find_part("LFE5U-85F").resources
    assert not shortages(design, device)
    assert device.block_rams == 208


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("no_such_thing", "'no_such_thing' is no file"),
        ("", "'' is no file"),
        (".", "is a folder"),
        ("block:nonsense", "nonsense"),
    ],
)
def test_what_is_no_model_is_refused(model, message):
    with pytest.raises(GraphError, match=message):
        load(model)


def test_a_path_is_read_like_the_name(tmp_path):
    path = tmp_path / "mine.tflite"
    path.write_bytes(builtin("digits").path.read_bytes())
    assert load(str(path)).total_macs == load("digits").total_macs
