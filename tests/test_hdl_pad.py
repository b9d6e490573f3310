"""Padding as a stage: rows, columns, channels before, behind and between, equal to the golden model."""

import pytest
from amaranth.hdl import signed
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.graph.graph import UINT8, Graph, Padding
from mbconv.generators.operators.pad import Pad
from mbconv.generators.planning.lane_groups import LaneGroups, fitting_lanes
from mbconv.generators.stages.network import build_network
from mbconv.hdl.pad import Pad as PadCircuit
from mbconv.hdl.pad import PaddedRaster
from mbconv.sim.circuits.testbench import run_cases


def graph_of(
    padding: tuple[int, ...], channels: tuple[int, int], shape: tuple[int, ...], numbers=BYTES, between=(0, 0)
) -> Graph:
    """A PAD that is an output, which no window takes."""
    top, bottom, left, right = padding
    _, height, width, depth = shape
    rows, columns = height + (height - 1) * between[0], width + (width - 1) * between[1]
    output = 1, rows + top + bottom, columns + left + right, depth + sum(channels)

    def make(*place):
        return Pad(*place, padding=Padding(*padding), channels=channels, between=between)

    return operator_graph(make, (shape, output), [numbers] * 2)


def case(name, lanes, padding, channels, shape, numbers=BYTES, between=(0, 0), **how):
    return stage_case(name, graph_of(padding, channels, shape, numbers, between), lanes, **how)


def test_pad():
    run_cases(
        [
            case("all around", 2, (1, 2, 3, 1), (0, 0), (1, 3, 4, 5)),
            case("rows below", 5, (0, 2, 0, 0), (0, 0), (1, 3, 4, 5)),
            case("columns on the left", 1, (0, 0, 2, 0), (0, 0), (1, 2, 3, 2)),
            case("channels behind", 3, (0, 0, 0, 0), (0, 4), (1, 3, 4, 6)),
            case("channels before", 2, (0, 0, 0, 0), (4, 0), (1, 3, 4, 6)),
            case("everything", 2, (1, 0, 0, 1), (2, 3), (1, 3, 2, 4)),
            case("one pixel", 2, (1, 1, 1, 1), (0, 0), (1, 1, 1, 2), (UINT8, 0.5, 99)),
            case("between rows and columns", 2, (0, 0, 0, 0), (0, 0), (1, 3, 4, 3), between=(1, 2)),
            case("between and around", 2, (1, 2, 3, 1), (0, 0), (1, 3, 4, 2), between=(3, 1)),
            case("between rows alone", 1, (0, 1, 0, 0), (0, 0), (1, 2, 1, 2), between=(2, 5)),
            case("another family", 4, (1, 1, 0, 0), (0, 0), (1, 3, 4, 4), family=OTHER),
        ]
    )


def test_lanes_divide_the_channels_before_and_within():
    network = build_network(graph_of((0, 0, 0, 0), (4, 1), (1, 3, 4, 6)))
    (members,) = LaneGroups(network).members.values()
    assert fitting_lanes(network, members, dict.fromkeys(members, 999)).tolist() == [1, 2]


def test_cost_and_refusals():
    circuit = stage_of(graph_of((1, 1, 1, 1), (0, 0), (1, 3, 4, 5)), 5).component
    assert circuit.multipliers == 0 and circuit.memory_bits == circuit.queue.memory_bits
    with pytest.raises(ValueError, match="are not added to a raster"):
        PaddedRaster((1, 1, 1), (0, -1, 0), (0, 0, 0))
    with pytest.raises(ValueError, match=r"are not added to a raster of \(2, 1, 1\), \(0, 1, 1\) apart"):
        PaddedRaster((2, 1, 1), (0, 0, 0), (0, 0, 0), (0, 1, 1))
    with pytest.raises(ValueError, match="2 lanes of 200 are not added to elements of -128 to 127"):
        PadCircuit(signed(8), 2, PaddedRaster((1, 1, 1), (0, 1, 0), (0, 0, 0)), 200)
