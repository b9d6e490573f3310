"""Tables of unary operators against the golden model, over every value of an element."""

from itertools import product

import numpy as np
import pytest

from mbconv.generators.constants.lookup_tables import lookup_tables
from mbconv.generators.graph.graph import INT8, UINT8, Activation, Element, Graph, GraphError, Tensor
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.constant_arithmetic import ConstantArithmetic
from mbconv.generators.operators.quantize import Quantize
from mbconv.generators.operators.rectify import Rectify
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden


def values(element):
    return np.arange(element.minimum, element.maximum + 1)


def check(op, source, output):
    """The tables of an operator, equal to the golden model in every channel for every value.

    ``source`` and ``output`` are (element, scale, zero point).
    """
    channels = max(1, np.size(getattr(op, "constant", 0)))
    x = np.repeat(values(source[0])[:, None], channels, axis=1).reshape(1, -1, 1, channels)
    tensors = {
        index: Tensor(index, f"t{index}", x.shape, element, float(np.float32(scale)), zero)
        for index, (element, scale, zero) in enumerate((source, output))
    }
    graph = Graph("unary", tensors, (op,), (0,), (1,))
    want = golden.run(graph, {0: x})[1].reshape(-1, channels).T
    tables = lookup_tables(op, graph)
    assert tables.dtype == np.int64
    np.testing.assert_array_equal(tables, want)
    return tables


@pytest.mark.parametrize("elements", list(product([INT8, UINT8], repeat=2)), ids=lambda pair: "-".join(map(str, pair)))
@pytest.mark.parametrize("scales", [(0.0078125, 0.0078125), (0.3, 0.17), (0.11, 0.9), (1.0, 2.0)])
def test_quantize(elements, scales):
    source, output = (
        (e, s, (e.minimum + e.maximum + z) // 2) for e, s, z in zip(elements, scales, (7, -9), strict=True)
    )
    check(Quantize(0, (0,), (1,)), source, output)


def test_the_types_of_a_byte_differ_in_one_bit():
    """uint8 to int8 of the same scale, as at the input of files made by a post-training quantiser."""
    tables = check(Quantize(0, (0,), (1,)), (UINT8, 0.0078125, 127), (INT8, 0.0078125, -1))
    np.testing.assert_array_equal(tables, [values(INT8)])


@pytest.mark.parametrize("activation", [Activation.RELU, Activation.RELU6])
@pytest.mark.parametrize("element", [INT8, UINT8], ids=str)
@pytest.mark.parametrize("scales", [(0.05, 0.05), (0.1, 0.0235294122248888), (0.03, 0.07)])
def test_rectify(scales, element, activation):
    middle = element.minimum + 128
    check(
        Rectify(0, (0,), (1,), activation=activation),
        (element, scales[0], middle - 11),
        (element, scales[1], element.minimum),
    )
    check(Rectify(0, (0,), (1,), activation=activation), (element, scales[0], middle), (element, scales[1], middle + 3))


@pytest.mark.parametrize("activation", list(Activation))
@pytest.mark.parametrize("constant_first", [False, True])
@pytest.mark.parametrize("operation", ["MUL", "SUB", "ADD"])
@pytest.mark.parametrize("element", [INT8, UINT8], ids=str)
@pytest.mark.parametrize("channels", [1, 5])
def test_constant_arithmetic(channels, element, operation, constant_first, activation):
    rng = np.random.default_rng([channels, element.signed, constant_first, len(operation)])
    for scales in ((0.4, 0.03, 0.5), (0.25, 0.25, 0.5), *rng.uniform(0.01, 1, (4, 3))):
        zero_points = [int(zero) for zero in rng.integers(element.minimum, element.maximum + 1, 3)]
        constant = rng.integers(element.minimum, element.maximum + 1, channels).astype(element.dtype)
        op = ConstantArithmetic(
            0,
            (0,),
            (1,),
            operation=operation,
            constant=constant if channels > 1 else constant.reshape(()),
            constant_element=element,
            constant_scale=float(np.float32(scales[1])),
            constant_zero_point=zero_points[1],
            constant_first=constant_first,
            activation=activation,
        )
        tables = check(op, (element, scales[0], zero_points[0]), (element, scales[2], zero_points[2]))
        assert tables.shape == (channels, 256)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "count"), [("mobilenetv2_160_035_cfu", 2), ("tf2_mobilenet_v2_1.0_224_ptq", 2)])
def test_real_operators(shared, name, count):
    graph = read_tflite(shared / "models" / f"{name}.tflite")
    unary = [op for op in graph if isinstance(op, (Quantize, Rectify, ConstantArithmetic))]
    assert len(unary) == count
    for op in unary:
        source, output = (graph.tensors[index].quantization for index in (op.inputs[0], op.outputs[0]))
        again = type(op)(**{**vars(op), "inputs": (0,), "outputs": (1,)})
        np.testing.assert_array_equal(lookup_tables(op, graph), check(again, source, output))


def test_refusals():
    tensors = {index: Tensor(index, "t", (1, 1, 1, 1), Element(17, True), 1.0, 0) for index in range(3)}
    graph = Graph("wide", tensors, (), (0,), (1,))
    with pytest.raises(GraphError, match="operator 3 ADD is no function of one element"):
        lookup_tables(Add(3, (0, 1), (2,)), graph)
    with pytest.raises(GraphError, match="operator 4 QUANTIZE is not defined in binary fixed point"):
        lookup_tables(Quantize(4, (0,), (1,), numbers="fixed"), graph)
    with pytest.raises(GraphError, match="operator 5 RELU reads int17; a table has at most 16 bits"):
        lookup_tables(Rectify(5, (0,), (1,)), graph)
