"""Constants of additions against the golden model, over every pair of operands."""

import dataclasses

import numpy as np
import pytest

from mbconv import models
from mbconv.generators.constants import add_tables
from mbconv.generators.constants.add_tables import add_constants
from mbconv.generators.constants.difference_constraints import UNBOUNDED, additive_tables
from mbconv.generators.graph.graph import INT8, UINT8, Activation, Element, Graph, GraphError, Tensor
from mbconv.generators.operators.add import Add
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.hdl.value_tables import linear, signed_digits
from mbconv.sim.golden import model as golden


def values(element):
    return np.arange(element.minimum, element.maximum + 1)


def addition(elements, scales, zero_points=(0, 0, 0), activation=Activation.NONE, numbers="affine"):
    """A graph that adds every value of its first operand to every value of its second."""
    shape = (1, 1 << elements[0].bits, 1 << elements[1].bits, 1)
    tensors = {
        index: Tensor(index, f"t{index}", shape, element, float(np.float32(scale)), zero)
        for index, (element, scale, zero) in enumerate(zip(elements, scales, zero_points, strict=True))
    }
    return Graph("addition", tensors, (Add(0, (0, 1), (2,), activation=activation, numbers=numbers),), (0, 1), (2,))


def check(graph, op=None):
    """The constants of an ADD, equal to the golden model for all pairs of operands."""
    op = op or graph.operators[0]
    constants = add_constants(op, graph)
    a, b = (graph.tensors[index] for index in op.inputs)
    x1, x2 = np.meshgrid(values(a.element), values(b.element), indexing="ij")
    shape = (1, *x1.shape, 1)
    tensors = {n: dataclasses.replace(graph.tensors[i], index=n, shape=shape) for n, i in enumerate(op.inputs)}
    tensors[2] = dataclasses.replace(graph.tensors[op.outputs[0]], index=2, shape=shape)
    pairs = Graph("pairs", tensors, (dataclasses.replace(op, inputs=(0, 1), outputs=(2,)),), (0, 1), (2,))
    want = golden.run(pairs, {0: x1.reshape(shape), 1: x2.reshape(shape)})[2].reshape(x1.shape)
    found = constants.compute(x1, x2, signed=(a.element.signed, b.element.signed))
    np.testing.assert_array_equal(found, want)
    return constants


def form(constants):
    if constants.positive != constants.negative:
        return "signed tables"
    return "lines" if linear(constants.first) and linear(constants.second) else "tables"


@pytest.mark.parametrize("activation", list(Activation))
@pytest.mark.parametrize("element", [INT8, UINT8], ids=str)
@pytest.mark.parametrize(
    ("scales", "expected"),
    [
        ((0.5, 0.5, 0.5), "lines"),
        ((0.5, 0.5, 1.0), "lines"),  # halves of both signs
        ((0.25, 1.0, 0.0625), "lines"),
        ((0.44114992, 0.35933611, 0.39585912), None),
        ((0.46158937, 0.53400296, 0.65491039), None),
        ((0.02, 1.3, 0.7), None),
    ],
)
def test_every_pair(element, scales, expected, activation):
    zero = (element.minimum + element.maximum + 1) // 2
    constants = check(addition([element] * 3, scales, (zero + 22, zero - 4, zero - 11), activation))
    assert expected in (None, form(constants))


@pytest.mark.parametrize(
    ("scales", "zero_points"),
    [
        ((2 / 3, 1.25, 4 / 7), (117, -58, 116)),
        ((3.0, 2 / 7, 2 / 3), (-121, -7, -57)),
        ((1.4, 1.4, 2 / 3), (-119, 13, -105)),
    ],
)
def test_halves_that_contradict(scales, zero_points):
    """In ratios of small integers so many sums are halves that no one rounding constant serves both signs."""
    assert form(check(addition([INT8] * 3, scales, zero_points))) == "signed tables"


def test_tables_and_lines_are_both_found():
    tables = check(addition([INT8] * 3, (0.46158937, 0.53400296, 0.65491039), (-3, 10, -3)))
    assert form(tables) == "tables"
    assert tables.shift <= 8
    assert max(map(abs, tables.first + tables.second)) < 1 << 15  # a block of 16 bits holds them
    lines = check(addition([INT8] * 3, (0.25, 0.25, 0.5)))
    assert form(lines) == "lines"
    assert lines.shift <= 10
    unequal = check(addition([INT8] * 3, (0.03125, 0.125, 0.125), (-128, 0, 0)))
    assert form(unequal) == "lines"
    assert sum(len(signed_digits(table[1] - table[0])) for table in (unequal.first, unequal.second)) <= 4


@pytest.mark.parametrize("seed", range(20))
def test_random_scales(seed):
    rng = np.random.default_rng(seed)
    element = (INT8, UINT8)[seed % 2]
    ratios = rng.integers(1, 8, 3) / rng.integers(1, 8, 3)
    scales = ratios if seed % 4 < 2 else np.exp(rng.uniform(-3, 3, 3))
    zero_points = [int(zero) for zero in rng.integers(element.minimum, element.maximum + 1, 3)]
    check(addition([element] * 3, scales, zero_points, list(Activation)[seed % 3]))


def test_a_tensor_added_to_itself():
    graph = addition([INT8] * 3, (0.37, 0.37, 0.61), (5, 5, -9))
    op = Add(0, (0, 0), (2,))
    constants = check(graph, op)
    assert constants.compute(np.array([5]), np.array([5])) == [-9]


def test_an_activation_that_leaves_one_output():
    constants = check(addition([INT8] * 3, (0.3, 0.5, 0.7), (0, 0, 127), Activation.RELU))
    assert constants.minimum == constants.maximum == 127


@pytest.mark.parametrize("activation", [Activation.NONE, Activation.RELU, Activation.RELU6])
@pytest.mark.parametrize(
    ("bits", "fractions"),
    [
        ((8, 8, 8), (3, 6, 2)),
        ((8, 8, 8), (4, 4, 4)),
        ((4, 8, 6), (1, 5, 3)),
        ((6, 6, 9), (5, 2, 5)),
        ((2, 3, 4), (0, 1, 1)),
    ],
)
def test_fixed_point(bits, fractions, activation):
    elements = [Element(width, signed) for width, signed in zip(bits, (True, False, True), strict=True)]
    graph = addition(elements, [2.0**-fraction for fraction in fractions], activation=activation, numbers="fixed")
    assert form(check(graph)) == "lines"


def test_fixed_point_of_sixteen_bits():
    rng = np.random.default_rng(3)
    elements, shape = [Element(16, True), Element(16, False), Element(12, True)], (1, 10, 100, 7)
    tensors = {
        index: Tensor(index, f"t{index}", shape, element, 2.0**-fraction, 0)
        for index, (element, fraction) in enumerate(zip(elements, (9, 12, 4), strict=True))
    }
    graph = Graph("wide", tensors, (Add(0, (0, 1), (2,), numbers="fixed"),), (0, 1), (2,))
    x = [rng.integers(element.minimum, element.maximum + 1, shape) for element in elements[:2]]
    want = golden.run(graph, dict(enumerate(x)))[2]
    found = add_constants(graph.operators[0], graph).compute(*x, signed=(True, False))
    np.testing.assert_array_equal(found, want)
    assert len(np.unique(want)) > 100


@pytest.mark.parametrize("name", ["digits", "cifar10"])
def test_built_in_models(name):
    graph = models.load(name)
    additions = [op for op in graph if isinstance(op, Add)]
    assert additions
    for op in additions:
        check(graph, op)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mobilenetv2_160_035_cfu", "tf2_mobilenet_v2_1.0_224_ptq"])
def test_real_residuals(shared, name):
    graph = read_tflite(shared / "models" / f"{name}.tflite")
    additions = [op for op in graph if isinstance(op, Add)]
    assert len(additions) == 10
    for op in additions:
        check(graph, op)


def test_lines_cost_what_their_tables_do():
    graph = models.load("digits")
    (op,) = (op for op in graph if isinstance(op, Add))
    first, second, output = (graph.tensors[index] for index in (*op.inputs, *op.outputs))
    reference = add_tables.affine_reference(first, second, output, (-128, 127))
    found = list(add_tables.straight_lines(reference))
    assert len(found) > 3
    for lines in found:
        assert lines.luts == add_tables._cost(lines.constants(), first.element, second.element)
        reference.prove("these lines", lines.constants())


def test_a_wrong_table_is_found(monkeypatch):
    graph = addition([INT8] * 3, (0.4, 0.5, 0.6))
    constants = add_constants(graph.operators[0], graph)
    second = list(constants.second)
    second[40] += 1 << constants.shift
    wrong = dataclasses.replace(constants, second=tuple(second))
    monkeypatch.setattr(add_tables, "straight_lines", lambda reference: iter([]))
    monkeypatch.setattr(add_tables, "_tables", lambda reference: iter([wrong]))
    with pytest.raises(
        GraphError, match=r"operator 0 ADD: operands -.* and -88 give .* in the circuit and .* in the ref"
    ):
        add_constants(graph.operators[0], graph)


def test_refusals(monkeypatch):
    wide = addition([Element(9, True), INT8, INT8], (0.4, 0.5, 0.6))
    with pytest.raises(GraphError, match="operator 0 ADD: tensor 0 is int9; operands of at most 8 bits"):
        add_constants(wide.operators[0], wide)
    third = addition([INT8] * 3, (0.5, 0.5, 0.3), numbers="fixed")
    with pytest.raises(GraphError, match=r"tensor 2 has scale 0\.3.* a scale is a power of two"):
        add_constants(third.operators[0], third)
    far = addition([INT8] * 3, (2.0**-30, 0.5, 0.5), numbers="fixed")
    with pytest.raises(GraphError, match=r"scales within a factor of 2\^24"):
        add_constants(far.operators[0], far)
    graph = addition([INT8] * 3, (0.4, 0.5, 0.6))
    for search in ("straight_lines", "_tables", "_signed_tables"):
        monkeypatch.setattr(add_tables, search, lambda reference: iter([]))
    with pytest.raises(
        GraphError, match=r"no tables of its operands .* scales 0\.4 and 0\.5 into 0\.6; quantise it again"
    ):
        add_constants(graph.operators[0], graph)


def test_difference_constraints():
    rng = np.random.default_rng(9)
    for _ in range(50):
        first, second = rng.integers(-40, 40, 6), rng.integers(-40, 40, 9)
        sums = first[:, None] + second[None, :]
        least = np.where(rng.random(sums.shape) < 0.7, sums - rng.integers(0, 3, sums.shape), -UNBOUNDED)
        greatest = np.where(rng.random(sums.shape) < 0.7, sums + rng.integers(0, 3, sums.shape), UNBOUNDED)
        a, b = additive_tables(least, greatest)
        found = a[:, None] + b[None, :]
        assert ((least <= found) & (found <= greatest)).all()
        assert max(np.abs(a).max(), np.abs(b).max()) < 1000
    contradiction = np.array([[0, 1], [1, 0]])  # the diagonals of any sum of tables are equal
    assert additive_tables(contradiction, contradiction) is None
