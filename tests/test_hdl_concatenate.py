"""Tensors one behind the other, by channels, columns and rows, equal to the golden model."""

import numpy as np
import pytest
from amaranth.hdl import signed
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.graph.graph import UINT8, Graph
from mbconv.generators.operators.concatenation import Concatenation
from mbconv.generators.planning.lane_groups import LaneGroups, fitting_lanes
from mbconv.generators.stages.network import build_network
from mbconv.hdl.concatenate import Concatenate
from mbconv.sim.circuits.testbench import run_cases


def graph_of(axis: int, *shapes, numbers=BYTES) -> Graph:
    output = list(shapes[0])
    output[axis] = sum(shape[axis] for shape in shapes)

    def make(*place):
        return Concatenation(*place, axis=axis)

    return operator_graph(make, (*shapes, tuple(output)), [numbers] * (len(shapes) + 1))


def case(name, lanes, axis, *shapes, **how):
    return stage_case(name, graph_of(axis, *shapes), lanes, **how)


def test_concatenate():
    run_cases(
        [
            case("channels", 2, 3, (1, 3, 4, 6), (1, 3, 4, 2)),
            case("channels, one lane", 1, 3, (1, 3, 4, 3), (1, 3, 4, 5), (1, 3, 4, 1)),
            case("channels, a beat each", 4, 3, (1, 2, 2, 4), (1, 2, 2, 4)),
            case("columns", 2, 2, (1, 3, 4, 5), (1, 3, 2, 5)),
            case("rows", 3, 1, (1, 3, 4, 5), (1, 1, 4, 5), (1, 2, 4, 5)),
            case("vectors", 2, 1, (1, 8), (1, 2)),
            case("one tensor", 2, 3, (1, 3, 4, 6)),
            case("another family", 2, 3, (1, 3, 4, 2), (1, 3, 4, 4), family=OTHER),
            stage_case("rescaled", rescaled(3), 2),
            stage_case("rescaled rows, another family", rescaled(1), 3, family=OTHER),
        ]
    )


def rescaled(axis: int) -> Graph:
    """Three tensors of uint8, of which two are rescaled, one of them beyond the range."""
    numbers = [(UINT8, 0.03, 100), (UINT8, 0.02, 9), (UINT8, 0.11, 128), (UINT8, 0.02, 9)]
    shapes = [(1, 3, 4, 6)] * 3
    output = tuple(size * (3 if place == axis else 1) for place, size in enumerate(shapes[0]))
    return operator_graph(lambda *place: Concatenation(*place, axis=axis), [*shapes, output], numbers)


def test_tables_of_rescaled_tensors():
    graph = rescaled(3)
    found = graph.operators[0].tables(graph)
    values = np.arange(256)
    assert found[1].tolist() == values.tolist()
    for place, (scale, zero) in ((0, (0.03, 100)), (2, (0.11, 128))):
        real = (values - zero) * scale / 0.02 + 9
        assert np.abs(found[place] - np.clip(real, 0, 255)).max() <= 0.51
    circuit = stage_of(graph, 2).component
    assert circuit.memory_bits == circuit.queue.memory_bits + 2 * 3 * 256 * 8


def test_lanes_leave_no_beat_partly_empty():
    network = build_network(graph_of(3, (1, 3, 4, 6), (1, 3, 4, 4)))
    (members,) = LaneGroups(network).members.values()
    assert fitting_lanes(network, members, dict.fromkeys(members, 999)).tolist() == [1, 2]
    (members,) = LaneGroups(build_network(graph_of(3, (1, 3, 4, 1), (1, 3, 4, 1)))).members.values()
    assert sorted(members) == [0, 1, 2], "channels one by one are not repeated"
    network = build_network(graph_of(2, (1, 3, 4, 6), (1, 3, 2, 6)))
    (members,) = LaneGroups(network).members.values()
    assert fitting_lanes(network, members, dict.fromkeys(members, 999)).tolist() == [1, 2, 3, 4, 5, 6]


def test_cost():
    circuit = stage_of(graph_of(3, (1, 3, 4, 6), (1, 3, 4, 2)), 2).component
    assert circuit.turns == (3, 1) and circuit.multipliers == 0
    assert circuit.memory_bits == circuit.queue.memory_bits
    assert circuit.latency == 1 + circuit.queue.latency


def test_refusals():
    with pytest.raises(ValueError, match="a turn has at least one beat"):
        Concatenate(signed(8), 2, (3, 0))
    with pytest.raises(ValueError, match=r"tables \[2\]\[256\] are needed"):
        Concatenate(signed(8), 2, (3, 1), tables=np.zeros((1, 256), int))
