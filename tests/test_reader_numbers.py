"""Numbers as real files have them: operator codes, data outside the tables, pruned channels; equal to LiteRT."""

import flatbuffers
import numpy as np
import pytest

from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.training.tflite_writer import TfliteWriter

pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")


def changed(content: bytes, change) -> bytes:
    """A file with its tables changed as objects."""
    import ai_edge_litert.schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    change(model)
    b = flatbuffers.Builder(1024)
    b.Finish(model.Pack(b), file_identifier=b"TFL3")
    return bytes(b.Output())


def assert_equal_to_litert(path, seed=1):
    graph = read_tflite(path)
    rng = np.random.default_rng(seed)
    inputs = {index: rng.integers(-128, 128, graph.tensors[index].shape).astype(np.int8) for index in graph.inputs}
    results, expected = golden.run(graph, inputs), oracle.run_reference(path, inputs)
    for index, values in results.items():
        if graph.tensors[index].in_file:
            right = expected[index].reshape(-1)
            np.testing.assert_array_equal(values.reshape(-1), right, f"tensor {index}, seed {seed}")
    return graph, results


def convolved(weight_scales, bias, activation="RELU6", weights=None, zero_point=-128) -> TfliteWriter:
    rng = np.random.default_rng(2)
    w = TfliteWriter("net")
    x = w.input("x", (1, 5, 5, 2), 1 / 128, 0)
    if weights is None:
        weights = rng.integers(-127, 128, (len(bias), 3, 3, 2))
    bias = np.array(bias)
    w.output(w.convolution(x, weights, np.array(weight_scales), bias, 6 / 255, zero_point, activation=activation))
    return w


@pytest.mark.parametrize("which", ["builtin_code", "deprecated_builtin_code", "both"])
def test_operator_codes_in_either_field(tmp_path, which):
    """tflite-micro and hand-made writers fill in the newer field alone, old ones the older alone."""

    def change(model):
        for code in model.operatorCodes:
            if which == "builtin_code":
                code.deprecatedBuiltinCode = 0
            elif which == "deprecated_builtin_code":
                code.builtinCode = 0

    path = tmp_path / "net.tflite"
    path.write_bytes(changed(convolved([0.004, 0.003], [10, -20]).to_bytes(), change))
    graph, _ = assert_equal_to_litert(path)
    assert [op.kind for op in graph] == ["CONV_2D"]


@pytest.mark.parametrize("which", ["builtin_code", "both"])
@pytest.mark.parametrize("code", ["FLOOR_DIV", "SQUARED_DIFFERENCE", "DIV", "POW", "ELU", "CUMSUM"])
def test_no_operator_is_taken_for_another(tmp_path, code, which):
    w = TfliteWriter("net")
    x = w.input("x", (1, 4, 4, 3), 0.05, 0)
    w.output(w.operator(code, (x, w.unary("RELU", x)), (1, 4, 4, 3), 0.05, 0))

    def change(model):
        if which == "builtin_code":
            for entry in model.operatorCodes:
                entry.deprecatedBuiltinCode = 0

    path = tmp_path / "net.tflite"
    path.write_bytes(changed(w.to_bytes(), change))
    with pytest.raises(GraphError, match=rf"operator 1 {code} is not supported"):
        read_tflite(path)


def outside(content: bytes, move: int = 0) -> bytes:
    """The file with the data of every buffer behind its tables, as ai-edge-quantizer writes it."""
    data = []

    def empty(model):
        for buffer in model.buffers:
            data.append(bytes(buffer.data) if buffer.data is not None else b"")
            buffer.data = None
            buffer.offset = buffer.size = 1  # so that the fields exist and the file's length is known

    length = len(changed(content, empty))
    places, end = [], -(-length // 16) * 16
    for payload in data:
        places.append(end)
        end += -(-len(payload) // 16) * 16

    def fill(model):
        for buffer, payload, place in zip(model.buffers, data, places, strict=True):
            buffer.data = None
            buffer.offset, buffer.size = (place + move, len(payload)) if payload else (0, 0)

    body = changed(content, fill)
    return b"".join([body.ljust(places[0], b"\0"), *(p.ljust(-(-len(p) // 16) * 16, b"\0") for p in data)])


def test_weights_outside_the_flatbuffer(tmp_path):
    path = tmp_path / "net.tflite"
    content = convolved([0.004, 0.003], [10, -20]).to_bytes()
    path.write_bytes(outside(content))
    assert path.read_bytes() != content
    _, results = assert_equal_to_litert(path)
    path.write_bytes(content)
    _, expected = assert_equal_to_litert(path)
    for index, values in expected.items():
        np.testing.assert_array_equal(results[index], values)


def test_weights_beyond_the_file_are_damage(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(outside(convolved([0.004, 0.003], [10, -20]).to_bytes(), move=1 << 20))
    with pytest.raises(GraphError, match=r"is damaged: tensor 1 has data at \d+ to \d+ of \d+ bytes"):
        read_tflite(path)


STILL = {
    "weight scale 0": ([0.004, 0, 0.005], [100, 0, -300]),
    "weight scale 0 with a bias": ([0.004, 0, 0.005], [100, 77, -300]),
    "ratio of 1e-13": ([0.004, 2.4e-13, 0.005], [100, 9000, -300]),
    "bias at the upper end": ([0.004, 2.4e-13, 0.005], [100, 2**31 - 1, -300]),
    "bias at the lower end": ([0.004, 2.4e-13, 0.005], [100, -(2**31), -300]),
    "all weights 0, bias clipped": ([0.004, 1e-11, 0.005], [100, 2**31 - 1, -300]),
}


@pytest.mark.parametrize("activation", ["NONE", "RELU6"])
@pytest.mark.parametrize("name", STILL)
def test_channels_that_cannot_move(tmp_path, name, activation):
    """A constant in the golden model, and in the circuit, whose constants are proved equal."""
    scales, bias = STILL[name]
    path = tmp_path / "net.tflite"
    convolved(scales, bias, activation, zero_point=-128 if activation == "RELU6" else 7).write(path)
    graph, results = assert_equal_to_litert(path)
    assert np.unique(results[graph.outputs[0]][..., 1]).size == 1
    proof = make_design(graph, multipliers=6).stages[0].requantization.proof
    assert proof.channels == 3 and proof.constant_channels == 1


@pytest.mark.parametrize("bias", [2**31 - 1, -(2**31) + 5, 2**31 - 2000])
@pytest.mark.parametrize("activation", ["NONE", "RELU6"])
def test_accumulators_that_turn_over(tmp_path, bias, activation):
    """LiteRT adds in 32 bits; where that shows the golden model follows it, and no circuit is made."""
    path = tmp_path / "net.tflite"
    convolved([0.004, 1e-9], [100, bias], activation, zero_point=3).write(path)
    graph, results = assert_equal_to_litert(path)
    assert np.unique(results[graph.outputs[0]][..., 1]).size == 2
    with pytest.raises(GraphError, match=r"channel 1: .*turn over"):
        make_design(graph, multipliers=4)


def test_biases_of_zero_may_have_any_scale(tmp_path):
    w = convolved([0.004, 0.003], [0, 0])
    w.tensors[2] = w.tensors[2].__class__(**{**vars(w.tensors[2]), "scales": np.full(2, 17, np.float32)})
    path = tmp_path / "net.tflite"
    w.write(path)
    assert_equal_to_litert(path)
