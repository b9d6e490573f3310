"""Slices of maps and means of rows or columns: equal to the golden model, cycles as counted."""

import pytest
from amaranth.hdl import signed
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case

from mbconv.generators.graph.graph import INT8, Graph, GraphError, Tensor
from mbconv.generators.graph.kept import whole_beats
from mbconv.generators.operators.mean import Mean
from mbconv.generators.operators.split import Split
from mbconv.generators.operators.strided_slice import StridedSlice
from mbconv.generators.stages.network import build_network
from mbconv.hdl.family import GENERIC
from mbconv.hdl.slice import Slice
from mbconv.sim.circuits.testbench import run_cases

WHOLE = (1, 5, 6, 8)
OTHERS = INT8, 0.031, 12


def sliced(slices, shape=WHOLE, dropped=()):
    counts = [count for axis, (_, _, count) in enumerate(slices) if axis not in dropped]
    return operator_graph(lambda *place: StridedSlice(*place, slices=slices), [shape, tuple(counts)], [BYTES, BYTES])


def all_of(shape, **axes):
    """Slices of a shape, whole but for those named ``a1`` and so on."""
    return tuple(axes.get(f"a{axis}", (0, 1, size)) for axis, size in enumerate(shape))


CASES = [
    (sliced(all_of(WHOLE)), 4),
    (sliced(all_of(WHOLE, a1=(1, 1, 3))), 8),
    (sliced(all_of(WHOLE, a2=(2, 1, 4), a3=(4, 1, 4))), 4),
    (sliced(all_of(WHOLE, a1=(1, 2, 2), a2=(0, 3, 2), a3=(2, 1, 6))), 2),
    (sliced(all_of(WHOLE, a3=(1, 3, 2))), 1),
    (sliced(all_of(WHOLE, a3=(5, 1, 1))), 1),
    (sliced(all_of(WHOLE, a1=(4, -1, 1))), 2),
    (sliced(all_of(WHOLE, a1=(4, 1, 1)), dropped=(1,)), 2),
    (sliced(all_of((1, 7, 6), a1=(0, 2, 3)), (1, 7, 6)), 3),
]


def test_slices():
    run_cases(cases(CASES[3:6]))


@pytest.mark.slow
def test_slices_of_every_kind():
    run_cases(cases(CASES))


def cases(chosen):
    made = []
    for number, (graph, lanes) in enumerate(chosen):
        name = f"{number}: {graph.operators[0].slices} at {lanes} lanes"
        made.append(stage_case(name, graph, lanes, family=OTHER if number % 2 else GENERIC))
    return made


def test_means_of_rows_and_of_columns():
    made = []
    for axes, shape in (((1,), (1, 1, 6, 5)), ((2,), (1, 4, 1, 5)), ((2,), (1, 4, 5))):
        graph = operator_graph(
            lambda *place, axes=axes: Mean(*place, axes=axes), [(1, 4, 6, 5), shape], [BYTES, OTHERS]
        )
        made.append(stage_case(f"over {axes} to {shape}", graph, 2 if len(shape) == 4 else 5))
    run_cases(made)


@pytest.mark.parametrize(
    ("operator", "shapes", "message"),
    [
        (lambda *p: StridedSlice(*p, slices=((0, 1, 1), (4, -1, 5), (0, 1, 6), (0, 1, 8))), [WHOLE, WHOLE],
         "takes elements backwards"),
        (lambda *p: StridedSlice(*p, slices=((0, 1, 1), (0, 1, 5), (0, 1, 6), (3, 1, 1))), [WHOLE, (1, 5, 6)],
         "drops the channels"),
        (lambda *p: Mean(*p, axes=(3,)), [WHOLE, (1, 5, 6, 1)], "the mean over channels has none"),
        (lambda *p: Mean(*p, axes=(0, 2)), [(2, 3, 4, 5), (1, 3, 1, 5)], "axes with others between them"),
    ],
)  # fmt: skip
def test_what_has_no_circuit(operator, shapes, message):
    graph = operator_graph(operator, shapes, [BYTES, BYTES])
    with pytest.raises(GraphError, match=message):
        build_network(graph)


def test_a_split_is_a_slice_for_each_part():
    tensors = {index: Tensor(index, f"t{index}", shape, *BYTES) for index, shape in
               enumerate([(1, 3, 4, 6), (1, 3, 4, 2), (1, 3, 4, 2), (1, 3, 4, 2)])}  # fmt: skip
    op = Split(5, (0,), (1, 2, 3), axis=3)
    network = build_network(Graph("split", tensors, (op,), (0,), (1, 2, 3), frozenset((1, 2, 3))))
    assert [node.name for node in network.nodes] == [f"layer_05_slice_{place}" for place in range(3)]
    assert [node.output for node in network.nodes] == [1, 2, 3]
    assert [op.kept(network.graph, part)[2] for part in (1, 2, 3)] == [(0, 1, 2), (2, 1, 2), (4, 1, 2)]


def test_lanes_of_channels_that_are_kept():
    assert whole_beats((0, 1, 6)) == (6,) and whole_beats((4, 1, 6)) == (4, 6) and whole_beats((1, 2, 3)) == (1,)


def test_what_a_circuit_refuses():
    with pytest.raises(ValueError, match="3 from 2 on by 1 do not lie within 4"):
        Slice(signed(8), 1, (4, 1, 1), ((2, 1, 3), (0, 1, 1), (0, 1, 1)))
    with pytest.raises(ValueError, match="at least one lane, not 0"):
        Slice(signed(8), 0, (4, 1, 1), ((0, 1, 4), (0, 1, 1), (0, 1, 1)))


def test_cost():
    circuit = Slice(signed(8), 2, (4, 3, 2), ((1, 2, 2), (0, 1, 3), (1, 1, 1)))
    assert (circuit.multipliers, circuit.cycles_per_frame, circuit.memory_bits, circuit.latency) == (0, 24, 32, 1)
