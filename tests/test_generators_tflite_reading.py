"""What is read from a file is what the file says: fields, and every tensor as LiteRT's reference kernels compute it."""

from pathlib import Path

import numpy as np
import pytest

from mbconv.generators.graph.checks import check_graph
from mbconv.generators.graph.graph import FLOAT32, INT8, UINT8, Activation, Graph, Padding
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.generators.operators.constant_arithmetic import ConstantArithmetic
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.operators.dequantize import Dequantize
from mbconv.generators.operators.mean import Mean
from mbconv.generators.operators.pad import Pad
from mbconv.generators.operators.reshape import Reshape
from mbconv.generators.operators.transpose import Transpose
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import oracle
from mbconv.sim.golden.model import run
from mbconv.training.tflite_writer import TfliteWriter

needs_oracle = pytest.mark.skipif(not oracle.available(), reason="needs ai-edge-litert")
RELU6_SCALE = 6 / 255


def read(writer: TfliteWriter, folder: Path) -> Graph:
    path = folder / f"{writer.name}.tflite"
    writer.write(path)
    graph = read_tflite(path)
    check_graph(graph)
    return graph


def body(w: TfliteWriter, x: int, rng: np.random.Generator) -> int:
    """Every operator of the reader's but those at the ends, in sizes drawn at random; ends in one vector."""
    unsigned = w.tensors[x].dtype == "uint8"
    zero_weight = int(rng.integers(100, 150)) if unsigned else 0
    lowest = 0 if unsigned else -128

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(0, 256, shape) if unsigned else rng.integers(-127, 128, shape)

    def scales(count: int) -> float | np.ndarray:
        return float(rng.uniform(0.001, 0.01)) if unsigned else rng.uniform(0.001, 0.01, count)

    def bias(count: int) -> np.ndarray:
        return rng.integers(-3000, 3000, count)

    def strides() -> tuple[int, int]:
        return int(rng.integers(1, 4)), int(rng.integers(1, 4))

    common = {"weight_zero_point": zero_weight}
    x = w.constant_arithmetic("MUL", x, np.array(lowest + 200), 0.02, lowest + 90, 0.05, lowest + 128)
    x = w.constant_arithmetic(
        "SUB",
        x,
        rng.integers(lowest, lowest + 256, w.tensors[x].shape[3]),
        0.03,
        lowest + 100,
        0.06,
        lowest + 120,
        constant_first=bool(rng.integers(2)),
    )
    x = w.pad(x, **{side: int(rng.integers(0, 3)) for side in ("top", "bottom", "left", "right")})
    channels = w.tensors[x].shape[3]
    x = w.convolution(
        x, weights(6, 3, 5, channels), scales(6), bias(6), RELU6_SCALE, lowest, strides(), "SAME", "RELU6", **common
    )
    x = w.depthwise(x, weights(3, 3, 12), scales(12), bias(12), 0.04, lowest + 9, strides(), "SAME", "RELU", **common)
    y = w.depthwise(x, weights(5, 3, 12), scales(12), bias(12), 0.05, lowest + 130, (1, 1), "SAME", **common)
    y = w.convolution(y, weights(12, 1, 1, 12), scales(12), bias(12), 0.05, lowest + 100, **common)
    x = w.add(x, y, 0.07, lowest + 90, "RELU" if rng.integers(2) else "NONE")
    x = w.rectify(x, "RELU6" if rng.integers(2) else "RELU", 0.03, lowest)
    x = w.average_pool(x, (2, 2), (1, 1), "SAME" if rng.integers(2) else "VALID")
    x = w.mean(x, 0.025, lowest + 5, keep=bool(rng.integers(2)))
    x = w.reshape(x, (1, 12))
    return w.fully_connected(x, weights(7, 12), float(rng.uniform(0.005, 0.01)), bias(7), 0.1, lowest + 128, **common)


@needs_oracle
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("seed", range(6))
def test_every_tensor_is_what_the_reference_kernels_compute(tmp_path, dtype, seed):
    rng = np.random.default_rng(seed)
    w = TfliteWriter(f"network_{dtype}_{seed}")
    shape = (1, int(rng.integers(7, 15)), int(rng.integers(7, 15)), int(rng.integers(1, 4)))
    source = w.input("picture", shape, 0.03, int(rng.integers(0, 100)), dtype)
    x = body(w, source, rng)
    w.output(w.softmax(x))
    graph = read(w, tmp_path)
    limits = graph.tensors[source].element
    picture = rng.integers(limits.minimum, limits.maximum + 1, shape).astype(dtype)
    expected = oracle.run_reference(w.to_bytes(), {source: picture})
    found = run(graph, {source: picture})
    assert len(found) == len(graph.operators) + 1
    for index, values in found.items():
        np.testing.assert_array_equal(
            values, expected[index], err_msg=f"seed {seed}: tensor {index} {graph.tensors[index].name}"
        )


@needs_oracle
@pytest.mark.parametrize("transposed", [False, True])
def test_float_ends_are_the_hosts(tmp_path, transposed):
    """A default TFLiteConverter file begins with QUANTIZE and ends in DEQUANTIZE."""
    rng = np.random.default_rng(4)
    w = TfliteWriter("float_ends")
    port = w.input("picture", (1, 2, 5, 6) if transposed else (1, 5, 6, 2), dtype="float32")
    x = w.transpose(port, (0, 2, 3, 1)) if transposed else port
    source = w.quantize(x, 0.02, -7)
    x = w.convolution(source, rng.integers(-127, 128, (3, 1, 1, 2)), 0.01, np.zeros(3, int), 0.05, 4)
    w.output(w.dequantize(w.mean(x)))
    graph = read(w, tmp_path)
    assert graph.inputs == ((port,) if transposed else (source,))
    port_tensor = graph.tensors[graph.inputs[0]]
    assert (port_tensor.element, port_tensor.zero_point) == (INT8, -7)
    assert port_tensor.shape == w.tensors[port].shape
    assert [type(op) for op in graph.operators] == [Transpose] * transposed + [Convolution, Mean, Dequantize]
    assert graph.tensors[graph.outputs[0]].element == FLOAT32
    picture = rng.uniform(-2, 2, port_tensor.shape).astype(np.float32)
    expected = oracle.run_reference(w.to_bytes(), {port: picture})
    quantised = expected[source].transpose(0, 3, 1, 2) if transposed else expected[source]
    found = run(graph, {graph.inputs[0]: quantised})
    for index in set(found) - {port}:
        np.testing.assert_array_equal(found[index], expected[index], err_msg=f"tensor {index}")


def test_fields_are_the_files(tmp_path):
    rng = np.random.default_rng(1)
    w = TfliteWriter("fields")
    source = w.input("picture", (1, 3, 8, 9), 0.5, 3)
    x = w.transpose(source, (0, 2, 3, 1))
    x = w.pad(x, top=1, right=2)
    weights, scales, bias = (
        rng.integers(-127, 128, (6, 3, 3, 3)),
        np.arange(1, 7) / 64,
        rng.integers(-(2**31), 2**31, 6),
    )
    x = w.convolution(x, weights, scales, bias // 64, 40.0, -128, (2, 3), "VALID", "RELU6")
    taps = rng.integers(-127, 128, (3, 3, 12))
    x = w.depthwise(x, taps, 0.25, None, 0.7, 5, (2, 1), "SAME", "RELU")
    x = w.constant_arithmetic("SUB", x, np.arange(12).reshape(1, 1, 1, 12), 0.1, 2, 0.8, 6, constant_first=True)
    x = w.average_pool(x, (2, 2), (2, 2), "SAME")
    x = w.reshape(x, (1, int(np.prod(w.tensors[x].shape))))
    w.output(x)
    graph = read(w, tmp_path)
    transpose, pad, convolution, depthwise, subtraction, pool, reshape = graph.operators
    assert [op.index for op in graph] == list(range(7))
    assert isinstance(transpose, Transpose) and transpose.permutation == (0, 2, 3, 1)
    assert isinstance(pad, Pad) and pad.padding == Padding(1, 0, 0, 2)
    assert isinstance(convolution, Convolution)
    np.testing.assert_array_equal(convolution.weights, weights)
    np.testing.assert_array_equal(convolution.weight_scales, scales.astype(np.float32))
    np.testing.assert_array_equal(convolution.bias, bias // 64)
    assert (convolution.strides, convolution.padding) == ((2, 3), Padding())
    assert (convolution.activation, convolution.weight_element) == (Activation.RELU6, INT8)
    assert isinstance(depthwise, DepthwiseConvolution)
    np.testing.assert_array_equal(depthwise.weights, taps)
    # Of 4 rows at stride 2 one row is added, after; of 3 columns at stride 1 two, one each side.
    assert graph.tensors[depthwise.inputs[0]].shape == (1, 4, 3, 6)
    assert (depthwise.padding, depthwise.depth_multiplier) == (Padding(0, 1, 1, 1), 2)
    np.testing.assert_array_equal(depthwise.bias, np.zeros(12))
    assert isinstance(subtraction, ConstantArithmetic)
    assert (subtraction.operation, subtraction.constant_first, subtraction.constant.shape) == ("SUB", True, (12,))
    assert isinstance(pool, AveragePool) and pool.padding == Padding(0, 0, 0, 1)
    assert isinstance(reshape, Reshape)
    assert not convolution.weights.flags.writeable


SHARED = {
    "vww_96_int8": (31, 7_489_664, INT8),
    "person_detect_qdimfix": (31, 7_157_888, INT8),
    "mobilenet_v1_0.25_128_quant": (31, 13_570_304, UINT8),
    "mobilenetv2_160_035_cfu": (68, 29_597_360, INT8),
    "tf2_mobilenet_v2_1.0_224_ptq": (68, 300_775_552, UINT8),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", SHARED)
def test_real_files(shared, name):
    graph = read_tflite(shared / "models" / f"{name}.tflite")
    check_graph(graph)
    operators, macs, element = SHARED[name]
    assert (len(graph.operators), graph.total_macs) == (operators, macs)
    assert graph.tensors[graph.inputs[0]].element == element


@pytest.mark.shared
def test_an_axis_out_of_range_is_harmless_where_there_is_one_axis(shared):
    """person_detect as published differs in that only; LiteRT refuses it."""
    published, mended = (
        read_tflite(shared / "models" / f"{name}.tflite") for name in ("person_detect", "person_detect_qdimfix")
    )
    assert published.tensors == mended.tensors
    for a, b in zip(published, mended, strict=True):
        assert (type(a), a.inputs, a.outputs) == (type(b), b.inputs, b.outputs)
        if isinstance(a, (Convolution, DepthwiseConvolution)):
            for field in ("weights", "weight_scales", "bias"):
                np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
