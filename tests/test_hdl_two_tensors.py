"""Sums, differences and extrema of two tensors of which one is repeated: equal to the golden model."""

import pytest
from amaranth.hdl import signed, unsigned
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.graph.graph import INT8, UINT8, Activation
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.maximum import Maximum
from mbconv.generators.operators.minimum import Minimum
from mbconv.generators.operators.subtract import Subtract
from mbconv.hdl.extremum import Extremum
from mbconv.hdl.operand import Operand
from mbconv.sim.circuits.testbench import run_cases

OTHER_BYTES = INT8, 0.0471, 12
UNSIGNED = UINT8, 0.031, 128
MAP, VECTOR, NUMBERS = (1, 3, 4, 6), (1, 1, 1, 6), (1, 3, 4, 1)


def case(name, kind, shapes, lanes, numbers=(BYTES, OTHER_BYTES, BYTES), **how):
    fields = {"activation": Activation.RELU} if "ReLU" in name else {}
    return stage_case(name, operator_graph(lambda *place: kind(*place, **fields), shapes, numbers), lanes, **how)


def test_two_tensors():
    plain = (BYTES, BYTES, BYTES)
    run_cases(
        [
            case("a vector added", Add, (MAP, VECTOR, MAP), 2),
            case("added to a vector", Add, (VECTOR, MAP, MAP), 3),
            case("numbers added, ReLU", Add, (MAP, NUMBERS, MAP), 2),
            case("a difference", Subtract, (MAP, MAP, MAP), 2),
            case("a vector taken away", Subtract, (MAP, VECTOR, MAP), 6),
            case("taken from numbers, ReLU", Subtract, (NUMBERS, MAP, MAP), 4),
            case("a difference, uint8", Subtract, (MAP, VECTOR, MAP), 1, (UNSIGNED,) * 3),
            case("the greater", Maximum, (MAP, MAP, MAP), 4, plain),
            case("the greater, a vector", Maximum, (MAP, VECTOR, MAP), 2, plain),
            case("the smaller, numbers", Minimum, (NUMBERS, MAP, MAP), 2, plain),
            case("the smaller, uint8", Minimum, (MAP, MAP, MAP), 6, (UNSIGNED,) * 3),
            case("another family", Minimum, (VECTOR, MAP, MAP), 2, plain, family=OTHER),
        ]
    )


def test_cost_and_refusals():
    circuit = stage_of(operator_graph(Maximum, (MAP, VECTOR, MAP), (BYTES,) * 3), 3).component
    assert circuit.multipliers == 0 and circuit.own_cost.logic == 2 * 3 * 8
    with pytest.raises(ValueError, match="are not compared"):
        Extremum(Operand(signed(8), 1), Operand(unsigned(8), 1), True)
