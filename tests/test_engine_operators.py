"""Operators of which the engine makes a result in parts: every element as the golden model has it."""

from dataclasses import replace

import numpy as np
import pytest
from engine_networks import LOADING, MEMORY, PLAIN, SMALL, faults
from test_networks_every_operator import ENDS, MIDDLES, Small, written

from mbconv.frames import random_frames
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.lines import Line, lines
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.circuits.testbench_case import ALWAYS, HALF
from mbconv.sim.engine.simulate import simulate_programs
from mbconv.sim.golden import model as golden

PARTS = (
    "mean of any window", "mean over rows", "mean over columns", "joined by rows", "padded", "padded channels",
    "padded before a sum", "STRIDED_SLICE", "SLICE", "SPLIT", "nearest", "bilinear", "TRANSPOSE of 1",
    "TRANSPOSE_CONV",
)  # fmt: skip
PAIRS = ("map by map", "MAXIMUM", "MINIMUM")
REWRITTEN = (
    "map and vector",
    "vector less map",
    "map and one column",
    "map and one channel",
    "mean over both, reversed",
    "joined by channels",
)
REFUSED = {
    "PRELU": "constants of each channel's own",
    "map by map": "needs products=1",
    "MAXIMUM": "needs products=1",
    "MINIMUM": "needs products=1",
    "bilinear, half pixels": "parts of 1,024 of an element",
    "bilinear, corners": "parts of 1,024 of an element",
}


def graph_of(name, folder):
    path = folder / f"{len(list(folder.iterdir()))}.tflite"
    written([name]).write(path)
    return read_tflite(path)


def work_of(names, folder, parameters):
    """Programs of an operator each, with a frame of extreme values and one of any."""
    work = []
    for name in names:
        program = compile_network(graph_of(name, folder), parameters, timing=MEMORY if parameters.port_bytes else None)
        frames = random_frames(program.graph, 2, 4)
        for values in frames[0].values():
            values[:] = np.where(values > np.median(values), values.max(), values.min())
        work.append((program, frames))
    return work


def test_parts_in_turn_on_one_engine(tmp_path):
    work = work_of((*PARTS, *PAIRS, *REWRITTEN), tmp_path, SMALL)
    assert not faults(simulate_programs([*work, by_single_rows(tmp_path), *copies(tmp_path)]))


def by_single_rows(folder):
    """A network whose maps fit only where the first layers are computed a row at a time."""
    w = Small("chain")
    x = w.mixed(w.input("x", (1, 12, 14, 3), 1 / 64, 3), 6)
    x = w.mixed(w.mixed(w.filtered(x, (3, 3)), 6), 6)
    w.output(w.mixed(w.max_pool(w.filtered(x, (3, 3)), (2, 2), (2, 2)), 4))
    w.write(folder / "chain.tflite")
    program = compile_network(read_tflite(folder / "chain.tflite"), SMALL, timing=MEMORY)
    first = [one.rows for one in program.instructions if one.name == program.instructions[1].name]
    assert first == [(row, row + 1) for row in range(12)]
    return program, random_frames(program.graph, 2, 4)


def copies(folder):
    """What is stored alike and means something else: under another zero point, by SUB of a constant as MobileNets from
    Keras begin with, read once or twice; and of another type, behind which means are rounded by the sign."""
    for number, twice in enumerate((False, True)):
        w = Small("moved")
        x = w.input("x", (1, 6, 5, 3), 1 / 64, 3)
        y = w.constant_arithmetic("MUL", x, np.array([1], np.int8), 1 / 2, 0, 1 / 128, 3)
        y = w.constant_arithmetic("SUB", y, np.array([20], np.int8), 1 / 128, 0, 1 / 128, 23)
        weights = w.rng.integers(-127, 128, (6, 3, 3, 3))
        y = w.convolution(y, weights, 0.002, w.rng.integers(-99, 99, 6), 0.03, 5)
        w.output(w.add(y, w.mixed(x, 6), 0.04, 2) if twice else y)
        yield copied(w, folder / f"moved_{number}.tflite", 2)
    w = Small("quantized")
    x = w.quantize(w.input("x", (1, 6, 5, 3), 1 / 64, 120, "uint8"), 1 / 64, -8)
    ends = (
        w.average_pool(x, (3, 2), (1, 2), "SAME"), w.mean(x, 1 / 64, -8, True, axes=(1,)), w.mean(x, 1 / 64, -8, True),
        w.max_pool(x, (2, 2), (2, 2)), w.arithmetic("MUL", x, w.filtered(x, (3, 3)), 0.02, 1),
    )  # fmt: skip
    for end in ends:
        w.output(w.mixed(end, 3))
    yield copied(w, folder / "quantized.tflite", 1)


def copied(w, path, count):
    """A program of a network whose first operators leave every byte as it is, and frames."""
    w.write(path)
    graph = read_tflite(path)
    (frame,) = random_frames(graph, 1, 1)
    right = golden.run(graph, frame)
    for op in graph.operators[:count]:
        offset = 128 * (graph.tensors[graph.inputs[0]].element.minimum == 0)
        assert (right[op.outputs[0]] == frame[graph.inputs[0]].astype(int) - offset).all()
    return compile_network(graph, SMALL, timing=MEMORY), random_frames(graph, 2, 4)


@pytest.mark.slow  # simulators of their own
@pytest.mark.parametrize("parameters", [SMALL, PLAIN, LOADING], ids=["banks", "plain", "loading"])
@pytest.mark.parametrize("pattern", [ALWAYS, HALF], ids=["whole", "stalled"])
def test_every_operator(tmp_path, parameters, pattern):
    names = [name for name in (*MIDDLES, *ENDS) if name not in REFUSED or (parameters.products and name in PAIRS)]
    if not parameters.vectors:
        names = [name for name in names if name not in ("map by vector", "vector by map")]
    work = work_of(names, tmp_path, replace(parameters, weight_words=420))
    assert not faults(simulate_programs(work, source=pattern, sink=pattern, seed=3))


@pytest.mark.parametrize("name", REWRITTEN)
def test_what_is_rewritten_computes_the_same(name, tmp_path):
    """Every tensor of the file, with elements of any value; the golden model of both graphs."""
    graph = graph_of(name, tmp_path)
    made = compile_network(graph, SMALL, timing=MEMORY).graph
    assert len(made.operators) > len(graph.operators)
    for frame in random_frames(graph, 3, 9):
        right, found = golden.run(graph, frame), golden.run(made, frame)
        for tensor, values in right.items():
            np.testing.assert_array_equal(found[tensor], values)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_message(name, tmp_path):
    parameters = replace(SMALL, channels=8, weight_bits=8, products=0)
    with pytest.raises(GraphError) as refused:
        compile_network(graph_of(name, tmp_path), parameters, timing=MEMORY)
    assert str(refused.value).count("\n") == 1 and REFUSED[name] in str(refused.value)


def test_lines_are_few_and_have_every_place():
    """Phases of a map that is doubled, with its edges; zero points between; elements that stay."""
    assert lines([(place, (1,)) for place in range(5)]) == [Line(0, 1, (1,), 0, 1, 5)]
    assert lines([(place // 3, (1,)) for place in range(12)]) == [Line(0, 1, (1,), p, 3, 4) for p in range(3)]
    doubled = [(0, (4,)), *(((place - 1) // 2, (3, 1) if place % 2 else (1, 3)) for place in range(1, 9)), (4, (4,))]
    found = lines(doubled)
    assert len(found) == 4
    for line in found:
        assert [doubled[place] for place in line.places] == [
            (line.source + number * line.step, line.weights) for number in range(line.count)
        ]
    assert sorted(place for line in found for place in line.places) == list(range(10))
    assert lines([(7, (1,))])[0].single == [Line(7, 1, (1,), 0, 1, 1)]
