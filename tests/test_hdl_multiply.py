"""Products of two tensors as a stage: element by element and repeated in every way, equal to the golden model."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.constants.product_constants import product_requantization
from mbconv.generators.graph.graph import INT8, UINT8, Activation, GraphError
from mbconv.generators.operators.multiply import Multiply
from mbconv.hdl.multiply import Multiply as MultiplyCircuit
from mbconv.hdl.multiply import product_bits
from mbconv.hdl.operand import Broadcast, Operand
from mbconv.sim.circuits.testbench import run_cases

GATE = INT8, 1 / 256, -128
UNSIGNED = UINT8, 0.031, 128
MAP = 1, 3, 4, 6


def case(name, shapes, lanes, numbers=(BYTES, GATE, BYTES), activation=Activation.NONE, **how):
    def make(*fields):
        return Multiply(*fields, activation=activation)

    return stage_case(f"multiply, {name}", operator_graph(make, shapes, numbers), lanes, **how)


def test_multiply():
    vector, one, shape = (1, 1, 1, 6), (1, 1, 1, 1), MAP
    run_cases(
        [
            case("equal shapes", (shape, shape, shape), 2),
            case("a vector for each frame", (shape, vector, shape), 2),
            case("a vector first", (vector, shape, shape), 4, (GATE, BYTES, BYTES)),
            case("a vector of one beat", (shape, vector, shape), 6),
            case("a vector of lower rank", (shape, (1, 6), shape), 1),
            case("one pixel", (vector, vector, vector), 3),
            case("one number", (shape, one, shape), 3),
            case("one number for each pixel", (shape, (1, 3, 4, 1), shape), 2),
            case("a row for each frame", (shape, (1, 1, 4, 6), shape), 2),
            case("a column for each frame", (shape, (1, 3, 1, 6), shape), 3),
            case("numbers of a row", (shape, (1, 1, 4, 1), shape), 2),
            case("a row and a column", ((1, 1, 4, 6), (1, 3, 1, 6), shape), 2),
            case("uint8 with ReLU", (shape, vector, shape), 2, (UNSIGNED,) * 3, Activation.RELU),
            case("every third cycle", (shape, vector, shape), 2, interval=3 * 36 + 5),
            case("every 24th cycle", ((1, 1, 2, 3), (1, 1, 1, 3), (1, 1, 2, 3)), 1, interval=9999),
            case("another family", (shape, vector, shape), 2, family=OTHER),
            case("another family, equal shapes, slow", (shape, shape, shape), 6, family=OTHER, interval=70),
        ]
    )


def test_cost():
    stage = stage_of(operator_graph(Multiply, (MAP, (1, 1, 1, 6), MAP), (BYTES, GATE, BYTES)), 2)
    circuit = stage.component
    assert circuit.multipliers == 0
    assert circuit.memory_bits == 3 * 2 * 8 + circuit.queue.memory_bits
    assert stage.cycles == 36


@pytest.mark.parametrize("seed", range(20))
def test_a_word_exists_for_any_scales(seed):
    """Also where every product but 0 saturates, or none leaves the zero point."""
    rng = np.random.default_rng(seed)
    numbers = [(INT8, float(np.exp(rng.uniform(-9, 1))), int(rng.integers(-128, 128))) for _ in range(2)]
    ratio = float(np.exp2(rng.uniform(-14, 14)))
    output = INT8, numbers[0][1] * numbers[1][1] / ratio, int(rng.integers(-128, 128))
    graph = operator_graph(Multiply, (MAP, MAP, MAP), (*numbers, output))
    if graph.operators[0].problems((graph.tensors[0], graph.tensors[1]), graph.tensors[2]):
        pytest.skip("the reference kernel does not define it")
    assert product_requantization(graph.operators[0], graph).proof.points


def test_broadcast():
    vector = Broadcast.over((3, 4, 5), (True, True, False))
    assert vector.loops == ((12, True), (5, False)) and vector.kept == 5
    assert vector.positions.tolist() == [0, 1, 2, 3, 4]
    number = Broadcast.over((3, 4, 5), (False, False, True), one_lane=True)
    assert number.kept == 1 and number.positions.tolist() == list(range(0, 60, 5))
    row = Broadcast.over((3, 4, 5), (True, False, True), one_lane=True)
    assert row.kept == 4 and row.positions.tolist() == [0, 5, 10, 15]
    column = Broadcast.over((3, 4, 5), (False, True, False))
    assert column.kept == 5 and column.positions[:6].tolist() == [0, 1, 2, 3, 4, 20]
    nearest = Broadcast(((2, False), (2, True), (3, False), (2, True), (1, False)))
    assert nearest.kept == 3 and nearest.positions.tolist() == [0, 2, 4, 12, 14, 16]
    assert not Broadcast.over((3, 1, 1), (False, True, True)).repeats


def test_refusals():
    graph = operator_graph(Multiply, (MAP, MAP, MAP), (BYTES, GATE, BYTES))
    found = product_requantization(graph.operators[0], graph)
    operands = Operand(signed(8), 2), Operand(signed(8), 2)
    with pytest.raises(ValueError, match=r"products need 17 bits, not 16"):
        format = replace(found.format, accumulator_bits=16, sum_bits=None)
        MultiplyCircuit(*operands, (-7, -128), format, found.words)
    with pytest.raises(ValueError, match="one requantisation word serves all channels, not 2"):
        MultiplyCircuit(*operands, (-7, -128), found.format, found.format.words([0, 0]))
    with pytest.raises(ValueError, match="interval must be at least 1, not 0"):
        MultiplyCircuit(*operands, (-7, -128), found.format, found.words, interval=0)
    with pytest.raises(ValueError, match=r"operands of \[2, 3\] lanes give no 2"):
        MultiplyCircuit(operands[0], Operand(signed(8), 3), (-7, -128), found.format, found.words)
    with pytest.raises(ValueError, match="at least one lane, not 0"):
        Operand(signed(8), 0)
    with pytest.raises(ValueError, match=r"at least 1, not \[0, 1\]"):
        Broadcast(((0, True), (1, False)))
    assert product_bits((unsigned(8), unsigned(8)), (0, 0)) == 17
    fixed = replace(graph.operators[0], numbers="fixed")
    with pytest.raises(GraphError, match="not defined in binary fixed point"):
        product_requantization(fixed, graph)
