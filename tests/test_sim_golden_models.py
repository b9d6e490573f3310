"""The golden model against LiteRT's reference kernels on real networks: every element of every tensor."""

import numpy as np
import pytest

from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.pictures.pictures import load_picture

pytestmark = pytest.mark.shared

MODELS = [
    "vww_96_int8",
    "person_detect_qdimfix",
    "mobilenet_v1_0.25_128_quant",
    "mobilenetv2_160_035_cfu",
    "tf2_mobilenet_v2_1.0_224_ptq",
    "mnv3small_224_keras_randomweights_int8",
    "ppocr_cls_mnv3s035_int8",
    "ssdlite_mnv2_ped_int8",
]
PICTURES = ["grace_hopper.bmp", "parrot.jpg", "sunflower.bmp"]


def assert_equal(graph, results, expected, what):
    for index, values in results.items():
        assert values.dtype == expected[index].dtype and values.shape == expected[index].shape, (what, index)
        different = np.argwhere(values != expected[index])
        assert not len(different), (
            f"{what}: tensor {index}, {len(different)} of {values.size} differ, the first at {different[0]}"
        )


@pytest.mark.parametrize("model", MODELS)
def test_outputs_equal_the_stored_ones(shared, model):
    graph = read_tflite(shared / "models" / f"{model}.tflite")
    stored = np.load(shared / "golden" / f"{model}.npz")
    assert len(stored["inputs"]) == 2
    for number, picture in enumerate(stored["inputs"]):
        results = golden.run(graph, {graph.inputs[0]: picture[np.newaxis]})
        for place, output in enumerate(graph.outputs):
            np.testing.assert_array_equal(results[output], stored[f"out{place}"][number])


@pytest.mark.parametrize("model", MODELS)
def test_every_tensor_equals_the_reference_kernels(shared, model):
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    path = shared / "models" / f"{model}.tflite"
    graph = read_tflite(path)
    source = graph.tensors[graph.inputs[0]]
    reference = oracle.Reference(path)
    seen = set()
    for name in PICTURES:
        inputs = {source.index: load_picture(shared / "images" / "misc" / name, source)}
        results = golden.run(graph, inputs)
        assert set(results) == set(graph.tensors), "a tensor was not computed"
        assert_equal(graph, results, reference.run(inputs), f"{model}, {name}")
        seen.add(results[graph.outputs[0]].tobytes())
    assert len(seen) > 1, "the pictures all give one answer: they prove little"


def test_a_range_of_layers_equals_the_whole(shared):
    graph = read_tflite(shared / "models" / "mobilenetv2_160_035_cfu.tflite")
    source = graph.tensors[graph.inputs[0]]
    whole = golden.run(graph, {source.index: load_picture(shared / "images" / "misc" / PICTURES[0], source)})
    part = graph.layers(9, 13)  # cuts a residual
    assert len(part.inputs) == 2
    results = golden.run(part, {index: whole[index] for index in part.inputs})
    assert set(results) == set(part.tensors)
    assert_equal(part, results, whole, "layers 9:13")
