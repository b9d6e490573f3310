"""Designs of blocks simulated: int8 and binary fixed point, under stalls and reset, and wrong ones told from right."""

from dataclasses import replace

import numpy as np
import pytest

from mbconv.frames import random_frames
from mbconv.generators.emission.bundle import make_bundle
from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.graph.graph import Graph
from mbconv.generators.readers.block import parse_block
from mbconv.sim.circuits.testbench_case import BURSTS, HALF, LONG_STALLS, RARELY, Pattern
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation.simulate import simulate
from mbconv.sim.simulation.simulation_result import SimulationResult

SPECS = {
    "affine": "block:inverted_residual,height=8,width=7,channels=8,expansion=4",
    "fixed": (
        "block:inverted_residual,height=7,width=8,channels=6,expansion=3,numbers=fixed,activation_bits=6,weight_bits=5"
    ),
}
MULTIPLIERS = 24


@pytest.fixture(scope="module", params=SPECS)
def design(request) -> Design:
    return make_design(parse_block(SPECS[request.param]), multipliers=MULTIPLIERS)


def frames_of(design: Design, seed: int = 0) -> list[dict[int, np.ndarray]]:
    count = design.schedule.frames
    return random_frames(design.graph, count, seed)


def check_data(design: Design, result: SimulationResult, frames: int) -> None:
    assert result.mismatches == 0, result.first_mismatch
    assert result.first_mismatch is None
    shapes = design.network.shapes
    inside = sum(shape.pixels * shape.channels for shape in shapes.values())
    leaving = sum(shapes[tensor].pixels * shapes[tensor].channels for tensor in design.network.outputs)
    assert result.elements == frames * (inside + leaving)
    assert set(result.stream_mismatches) == set(shapes)


def test_numbers_are_those_of_the_scheme():
    graph = parse_block(SPECS["fixed"])
    expansion, depthwise, projection, joined = (graph.tensors[op.outputs[0]] for op in graph.operators)
    for tensor in (expansion, depthwise):  # ReLU6: unsigned, three integer bits
        assert not tensor.element.signed
        assert (tensor.element.maximum + 1) * tensor.scale == 8
    assert projection.element.signed and joined.element.signed


def test_data_and_cycles_are_exact(design):
    frames = frames_of(design)
    result = simulate(design, frames)
    check_data(design, result, len(frames))
    assert result.interval_cycles == result.predicted_interval_cycles == design.schedule.interval
    assert result.latency_cycles == result.predicted_latency_cycles == design.schedule.latency
    assert result.multipliers <= result.budget == MULTIPLIERS
    assert result.mac_efficiency == result.macs / (MULTIPLIERS * result.interval_cycles)


@pytest.mark.parametrize(
    ("source", "sink", "reset_after"),
    [(HALF, BURSTS, None), (RARELY, HALF, None), (LONG_STALLS, LONG_STALLS, None), (HALF, BURSTS, 1_501)],
)
def test_stalls_and_reset_change_no_result(design, source: Pattern, sink: Pattern, reset_after):
    frames = frames_of(design, seed=3)
    result = simulate(design, frames, source=source, sink=sink, seed=5, reset_after=reset_after)
    check_data(design, result, len(frames))


def test_reset_alone_changes_no_cycle(design):
    frames = frames_of(design)
    result = simulate(design, frames, reset_after=777)
    check_data(design, result, len(frames))
    assert result.interval_cycles == design.schedule.interval
    assert result.latency_cycles == design.schedule.latency


# Wrong designs.


def with_weight(graph: Graph, index: int, channel: int) -> Graph:
    """The same with one weight of an output channel changed."""
    operators = list(graph.operators)
    weights = operators[index].weights.copy()
    place = (channel, 0, 0, 1) if weights.ndim == 4 else (1, 1, channel)
    weights[place] = weights[place] + (3 if weights[place] < 0 else -3)
    operators[index] = replace(operators[index], weights=weights)
    return replace(graph, operators=tuple(operators))


def differences(first: list[dict], second: list[dict], tensor: int) -> np.ndarray:
    """``[frame, row, column, channel]`` of every element that differs, in the order of the stream."""
    return np.argwhere(np.stack([a[tensor][0] != b[tensor][0] for a, b in zip(first, second, strict=True)]))


@pytest.mark.parametrize(("index", "name"), [(0, "expansion"), (1, "depthwise"), (2, "projection")])
@pytest.mark.parametrize("numbers", SPECS)
def test_a_changed_weight_is_found_where_it_shows_first(numbers, index, name):
    """The circuit of one graph against the golden model of another: as many mismatches as between the two models, and
    the first of them named."""
    graph = parse_block(SPECS[numbers])
    other = with_weight(graph, index, 4)
    wrong = replace(make_design(other, multipliers=MULTIPLIERS), graph=graph)
    frames = random_frames(graph, 3, seed=1)
    result = simulate(wrong, frames)
    right, changed = ([golden.run(g, frame) | frame for frame in frames] for g in (graph, other))
    for tensor, count in result.stream_mismatches.items():
        twice = 2 if tensor in wrong.network.outputs else 1  # within, and at the edge
        assert count == twice * len(differences(right, changed, tensor)), tensor
    assert result.mismatches == sum(result.stream_mismatches.values()) > 0

    tensor = graph.operators[index].outputs[0]
    assert graph.tensors[tensor].name == name
    assert all(count == 0 for earlier, count in result.stream_mismatches.items() if earlier < tensor)
    frame, row, column, channel = differences(right, changed, tensor)[0]
    assert channel == 4
    stage = next(node.name for node in wrong.network.nodes if node.output == tensor)
    simulated, expected = (run[frame][tensor][0, row, column, channel] for run in (changed, right))
    assert result.first_mismatch == (
        f"{stage} (tensor {tensor}), frame {frame}, row {row}, column {column}, channel {channel}: "
        f"{simulated} instead of {expected}"
    )


@pytest.mark.parametrize("port", ["weights", "requantization"])
def test_a_flipped_bit_of_a_memory_is_found(design, port):
    """The highest bit of a word of the projection's memories: wrong from that channel on, and nothing before."""
    place = next(i for i, stage in enumerate(design.stages) if stage.node.operator.index == 2)
    stage = design.stages[place]
    words = list(stage.sources[port])
    last = max(range(len(words)), key=lambda i: (words[i].bit_length(), i))
    words[last] ^= 1 << (words[last].bit_length() - 1)
    stages = list(design.stages)
    stages[place] = replace(stage, sources={**stage.sources, port: words})
    wrong = replace(design, stages=tuple(stages))
    before, after = make_bundle(design), make_bundle(wrong)
    assert before.verilog == after.verilog and before.memory_files != after.memory_files
    result = simulate(wrong, frames_of(design))
    tensor = stage.node.output
    assert result.stream_mismatches[tensor] > 0
    assert all(count == 0 for earlier, count in result.stream_mismatches.items() if earlier < tensor)
    assert result.first_mismatch.startswith(f"{stage.name} (tensor {tensor}), frame 0, row ")
    assert result.interval_cycles == design.schedule.interval
