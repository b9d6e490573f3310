"""The requantisation of pools against the golden model, for every sum that a map can have."""

import numpy as np
import pytest

from mbconv import models
from mbconv.generators.constants.pool_constants import pool_requantization
from mbconv.generators.graph.graph import INT8, UINT8, Activation, Graph, GraphError, Padding, Tensor
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.generators.operators.mean import Mean
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden


def maps_of_every_sum(element, height, width):
    """A map ``[1, height, width, sums]`` whose channels have every sum, from the least to the greatest."""
    pixels = height * width
    sums = np.arange(element.minimum * pixels, element.maximum * pixels + 1)
    share, rest = sums // pixels, sums % pixels
    return (share + (np.arange(pixels)[:, None] < rest)).reshape(1, height, width, sums.size)


def check(op, source, output, size):
    """The circuit's constants, equal to the golden model for every sum; ``source`` is (element, scale, zero point)."""
    x = maps_of_every_sum(source[0], *size)
    tensors = {
        0: Tensor(0, "map", x.shape, source[0], float(np.float32(source[1])), source[2]),
        1: Tensor(1, "mean", (1, 1, 1, x.shape[3]), output[0], float(np.float32(output[1])), output[2]),
    }
    graph = Graph("pool", tensors, (op,), (0,), (1,))
    want = golden.run(graph, {0: x})[1].reshape(1, -1)
    found = pool_requantization(op, graph)
    assert len(found.words) == 1
    np.testing.assert_array_equal(found.format.compute(x.sum((1, 2)), found.words), want)
    return found


@pytest.mark.parametrize("activation", list(Activation))
@pytest.mark.parametrize("element", [INT8, UINT8], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 4), (5, 7), (7, 7)])
def test_average_pool(size, element, activation):
    quantization = (element, 0.0235294122248888, element.minimum + 5)
    op = AveragePool(0, (0,), (1,), kernel=size, activation=activation)
    assert check(op, quantization, quantization, size).proof.accumulators == 255 * size[0] * size[1] + 1


@pytest.mark.parametrize("element", [INT8, UINT8], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (4, 4), (7, 7), (6, 11)])
@pytest.mark.parametrize("scales", [(0.0235294122248888, 0.0190778318792582), (0.1, 0.013), (0.5, 0.5), (0.02, 0.3)])
def test_mean(scales, size, element):
    middle = element.minimum + 128
    check(Mean(0, (0,), (1,)), (element, scales[0], middle + 9), (element, scales[1], middle - 30), size)


def test_a_mean_over_a_power_of_two_is_a_shift():
    found = check(Mean(0, (0,), (1,)), (INT8, 0.25, -128), (INT8, 0.25, -128), (4, 4))
    assert found.form == "shift"


@pytest.mark.parametrize("name", ["digits", "cifar10"])
def test_built_in_models(name):
    check_pools(models.load(name))


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "vww_96_int8",
        "person_detect_qdimfix",
        "mobilenet_v1_0.25_128_quant",
        "mobilenetv2_160_035_cfu",
        "tf2_mobilenet_v2_1.0_224_ptq",
    ],
)
def test_real_pools(shared, name):
    check_pools(read_tflite(shared / "models" / f"{name}.tflite"))


def check_pools(graph):
    pools = [op for op in graph if isinstance(op, (AveragePool, Mean))]
    assert len(pools) == 1
    for op in pools:
        source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
        again = type(op)(**{**vars(op), "inputs": (0,), "outputs": (1,)})
        found = check(again, source.quantization, output.quantization, (source.height, source.width))
        assert found.packed() == pool_requantization(op, graph).packed()


def test_refusals():
    tensors = {
        0: Tensor(0, "map", (1, 4, 4, 2), INT8, 0.1, 0),
        1: Tensor(1, "means", (1, 2, 2, 2), INT8, 0.1, 0),
        2: Tensor(2, "mean", (1, 1, 1, 2), INT8, 0.1, 0),
    }
    graph = Graph("refused", tensors, (), (0,), (1,))
    with pytest.raises(GraphError, match="operator 2 ADD is no pooling"):
        pool_requantization(Add(2, (0, 0), (1,)), graph)
    with pytest.raises(GraphError, match="operator 3 MEAN is not defined in binary fixed point"):
        pool_requantization(Mean(3, (0,), (2,), numbers="fixed"), graph)
    windows = AveragePool(4, (0,), (1,), kernel=(2, 2), strides=(2, 2))
    with pytest.raises(GraphError, match="operator 4 AVERAGE_POOL_2D averages windows of 2×2 over a map of 4×4; only"):
        pool_requantization(windows, graph)
    padded = AveragePool(5, (0,), (1,), kernel=(4, 4), strides=(1, 1), padding=Padding(0, 1, 0, 1))
    with pytest.raises(GraphError, match="operator 5"):
        pool_requantization(padded, graph)
