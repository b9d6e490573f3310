"""Resized maps, nearest and bilinear, equal to the golden model, which is LiteRT's (``test_sim_golden_maps.py``)."""

import pytest
from amaranth.hdl import signed
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.graph.graph import UINT8, Graph, GraphError
from mbconv.generators.graph.resized_axis import bilinear_axis
from mbconv.generators.operators.resize_bilinear import ResizeBilinear
from mbconv.generators.operators.resize_nearest import ResizeNearest
from mbconv.generators.stages.network import build_network
from mbconv.hdl.resize import EnlargedAxis, Resize
from mbconv.sim.circuits.testbench import run_cases

UNSIGNED = UINT8, 0.5, 3
ALIGNED, HALF = {"align_corners": True}, {"half_pixel_centers": True}


def graph_of(kind, shape: tuple[int, ...], height: int, width: int, numbers=BYTES, **options) -> Graph:
    def make(*place):
        return kind(*place, **options)

    return operator_graph(make, (shape, (1, height, width, shape[3])), [numbers] * 2)


def nearest(name, lanes, shape, height, width, numbers=BYTES, family=None, **options):
    how = {"family": family} if family else {}
    return stage_case(name, graph_of(ResizeNearest, shape, height, width, numbers, **options), lanes, **how)


def bilinear(name, lanes, shape, height, width, numbers=BYTES, family=None, interval=None, **options):
    how = {"interval": interval} | ({"family": family} if family else {})
    return stage_case(name, graph_of(ResizeBilinear, shape, height, width, numbers, **options), lanes, **how)


def test_nearest():
    run_cases(
        [
            nearest("both ways", 2, (1, 3, 4, 5), 6, 8),
            nearest("down", 5, (1, 3, 4, 5), 9, 4),
            nearest("across", 1, (1, 2, 3, 4), 2, 9, **HALF),
            nearest("a pixel", 4, (1, 1, 1, 4), 3, 2, UNSIGNED),
            nearest("a pixel of several beats", 2, (1, 1, 1, 4), 3, 2),
            nearest("not at all", 2, (1, 2, 2, 4), 2, 2, **ALIGNED),
            nearest("by no whole factor", 2, (1, 3, 4, 3), 5, 7),
            nearest("corners aligned", 3, (1, 3, 4, 3), 6, 8, **ALIGNED),
            nearest("another family", 2, (1, 3, 4, 2), 6, 8, family=OTHER),
            nearest("smaller", 2, (1, 6, 8, 4), 2, 4),
            nearest("smaller, the middle ones", 3, (1, 6, 9, 3), 2, 3, **HALF),
        ]
    )


def test_bilinear():
    run_cases(
        [
            bilinear("twice", 2, (1, 3, 4, 5), 6, 8),
            bilinear("twice, half pixels", 4, (1, 3, 4, 4), 6, 8, **HALF),
            bilinear("corners aligned", 1, (1, 3, 4, 2), 6, 8, **ALIGNED),
            bilinear("3 and 4 times", 3, (1, 3, 2, 3), 9, 8, **HALF),
            bilinear("down", 2, (1, 3, 4, 6), 6, 4, **HALF),
            bilinear("across", 2, (1, 2, 3, 6), 2, 12),
            bilinear("one row and column", 1, (1, 1, 1, 2), 3, 2, **HALF),
            bilinear("a pixel of unsigned elements", 2, (1, 1, 1, 4), 3, 5, UNSIGNED, **ALIGNED),
            bilinear("one column", 2, (1, 4, 1, 2), 8, 1),
            bilinear("by no whole factor", 2, (1, 3, 5, 2), 7, 8),
            bilinear("unsigned", 2, (1, 3, 4, 3), 6, 16, UNSIGNED, **HALF),
            bilinear("not at all", 2, (1, 2, 2, 4), 2, 2),
            bilinear("many beats of a pixel", 1, (1, 2, 3, 40), 4, 6, **HALF),
            bilinear("beats of a pixel in distributed RAM", 1, (1, 2, 3, 9), 4, 6, **HALF),
            bilinear("another family", 1, (1, 2, 3, 12), 4, 9, family=OTHER),
            bilinear("another family, registers", 2, (1, 3, 4, 4), 6, 8, family=OTHER, **HALF),
            bilinear("smaller", 2, (1, 6, 8, 4), 2, 4),
            bilinear("smaller, the middle ones", 3, (1, 6, 9, 3), 2, 3, **HALF),
            bilinear("smaller, means of 4", 2, (1, 6, 4, 3), 3, 2, **HALF),
            bilinear("smaller, means of 2", 2, (1, 8, 6, 2), 2, 2, **HALF),
            bilinear("smaller, two elements a cycle", 1, (1, 8, 8, 2), 2, 2, interval=16, **HALF),
            bilinear("smaller, an element a cycle", 2, (1, 8, 12, 2), 2, 3, interval=99, **HALF),
            bilinear("smaller, unsigned", 2, (1, 4, 8, 2), 2, 2, UNSIGNED, **HALF),
        ]
    )


@pytest.mark.parametrize("options", [{}, ALIGNED, HALF], ids=["plain", "aligned", "half"])
def test_every_whole_factor_has_a_circuit(options):
    for size in range(1, 20):
        for factor in range(1, 9):
            build_network(graph_of(ResizeBilinear, (1, size, 2, 3), size * factor, 4, **options))
            build_network(graph_of(ResizeNearest, (1, size, 2, 3), size * factor, 4, **options))
            if "align_corners" not in options:
                build_network(graph_of(ResizeBilinear, (1, size * factor, 2, 3), size, 1, **options))
                build_network(graph_of(ResizeNearest, (1, size * factor, 2, 3), size, 1, **options))


def test_weights_have_the_fewest_bits():
    axis = bilinear_axis(2, 4, False, True, True)
    assert (axis.newest, axis.weights, axis.bits) == ((0, 1, 1, 1), (0, 3, 1, 0), 2)


def test_cost():
    graph = graph_of(ResizeNearest, (1, 3, 4, 6), 6, 8)
    circuit = stage_of(graph, 2).component
    assert circuit.multipliers == 0
    assert circuit.memory_bits == 4 * 3 * 2 * 8 + circuit.queue.memory_bits, "one row is kept"
    circuit = stage_of(graph_of(ResizeBilinear, (1, 3, 4, 6), 6, 8), 2).component
    between = 9
    assert circuit.memory_bits == 2 * 4 * 3 * 2 * 8 + 3 * 2 * 2 * between + circuit.queue.memory_bits


def test_refusals():
    with pytest.raises(ValueError, match="no pixel"):
        axis = EnlargedAxis((0, 0), (0, 0), 0)
        Resize(signed(8), 0, 1, axis, axis)
    with pytest.raises(ValueError, match="passes every element in turn"):
        EnlargedAxis((0, 2), (0, 0), 0)
    with pytest.raises(ValueError, match="weights of 1 bits for 2 places"):
        EnlargedAxis((0, 1), (0, 2), 1)
    with pytest.raises(GraphError, match="makes 4×5 of 3×6; enlarging, and making smaller by whole factors"):
        build_network(graph_of(ResizeNearest, (1, 3, 6, 6), 4, 5))
    with pytest.raises(GraphError, match="uint8 by powers of two only"):
        build_network(graph_of(ResizeBilinear, (1, 3, 4, 6), 9, 12, UNSIGNED))
