"""Maps enlarged by whole factors, equal to the golden model."""

import pytest
from amaranth.hdl import signed
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.graph.graph import UINT8, Graph, GraphError
from mbconv.generators.operators.resize_nearest import ResizeNearest
from mbconv.generators.stages.network import build_network
from mbconv.hdl.resize_nearest import ResizeNearest as ResizeCircuit
from mbconv.sim.bench.bench import run_cases


def graph_of(shape: tuple[int, ...], height: int, width: int, numbers=BYTES, **options) -> Graph:
    def make(*place):
        return ResizeNearest(*place, **options)

    return operator_graph(make, (shape, (1, height, width, shape[3])), [numbers] * 2)


def test_resize_nearest():
    run_cases(
        [
            stage_case("both ways", graph_of((1, 3, 4, 5), 6, 8), 2),
            stage_case("down", graph_of((1, 3, 4, 5), 9, 4), 5),
            stage_case("across", graph_of((1, 2, 3, 4), 2, 9, half_pixel_centers=True), 1),
            stage_case("a pixel", graph_of((1, 1, 1, 4), 3, 2, (UINT8, 0.5, 3)), 4),
            stage_case("a pixel of several beats", graph_of((1, 1, 1, 4), 3, 2), 2),
            stage_case("not at all", graph_of((1, 2, 2, 4), 2, 2, align_corners=True), 2),
            stage_case("another family", graph_of((1, 3, 4, 2), 6, 8), 2, family=OTHER),
        ]
    )


def test_cost_and_refusals():
    circuit = stage_of(graph_of((1, 3, 4, 6), 6, 8), 2).component
    assert circuit.multipliers == 0
    assert circuit.memory_bits == 4 * 3 * 2 * 8 + circuit.queue.memory_bits, "one row is kept"
    with pytest.raises(ValueError, match="at least 1, not"):
        ResizeCircuit(signed(8), 2, (1, 2, 1), (0, 1))
    with pytest.raises(GraphError, match="makes 4×5 of 3×4; enlarging by whole factors"):
        build_network(graph_of((1, 3, 4, 6), 4, 5))
    with pytest.raises(GraphError, match="with aligned corners"):
        build_network(graph_of((1, 3, 4, 6), 6, 8, align_corners=True))
