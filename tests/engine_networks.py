"""Networks for a simulated engine, and what tests of it share."""

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from random_networks import random_network

from mbconv.frames import random_frames
from mbconv.generators.engine.compile import Program, compile_network
from mbconv.generators.engine.memory_timing import MemoryTiming
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.hdl.engine.parameters import EngineParameters

SMALL = EngineParameters(
    channels=6,
    pixels=6,
    requantizers=2,
    map_words=320,
    weight_words=100,
    constant_words=512,
    tables=8,
    instructions=64,
    weight_bits=9,
    side_bits=8,
    kernel_bits=5,
    group_bits=8,
    port_bytes=2,
    input_elements=2,
    folds=1,
    ranges=1,
    vectors=1,
    products=1,
    depthwise_rows=3,
    depthwise_columns=2,
)
"""An engine on which random networks fit, some with all of their weights and maps: channels, rows and columns that no
map is a multiple of by chance."""

OVERLAPPING = replace(SMALL, overlaps=1, map_words=2016, weight_words=140, instructions=128)
"""An engine that computes two frames at once where their weights come too late; whole maps, so that these matter."""

PLAIN = replace(
    SMALL,
    map_words=4096,
    channels=4,
    pixels=3,
    input_elements=1,
    folds=0,
    ranges=0,
    vectors=0,
    products=0,
    depthwise_rows=1,
    depthwise_columns=1,
    standing_words=5,
)
"""One pixel at a time in DEPTHWISE, one bank; a part of an instruction stands at the program memory's outputs."""

LOADING = replace(OVERLAPPING, loads_tables=1, tables=1, weight_words=420)
"""One whose tables come with the weights, as soon as there are two pairs."""

SPARE = replace(LOADING, spare_registers=2)
"""The same with registers where wires cross a large chip, at the lanes too."""

MEMORY = MemoryTiming(Fraction(3, 4), 20)
"""Of the weights that do not fit."""

FASTER = replace(MEMORY, rate=Fraction(1))
"""One whose loads take about as long as computation."""

NO_INSTRUCTION = (
    "instruction", "two beats of the port", "channels of one pixel", "used together", "it needs tables",
    "products=1", "columns is 0 to", "rows is 0 to",
)  # fmt: skip
"""In a message about what the engine does not compute yet, or a kernel that is larger than its ring of weights or its
fields."""


def random_program(
    seed: int, folder: Path, parameters: EngineParameters = SMALL, timing: MemoryTiming = MEMORY
) -> Program | None:
    """A random network's program; None where it has an operator that is no instruction."""
    graph = read_tflite(random_network(seed, 8000).write(folder))
    try:
        return compile_network(graph, parameters, timing=timing)
    except GraphError as error:
        reasons = str(error).splitlines()[1:]
        assert all(any(part in reason for part in NO_INSTRUCTION) for reason in reasons), f"seed {seed}: {error}"
        return None


def random_work(
    seeds,
    folder: Path,
    frames: int = 2,
    parameters: EngineParameters = SMALL,
    timing: MemoryTiming = MEMORY,
):
    """Programs of random networks with their frames, for one engine."""
    programs = [(seed, random_program(seed, folder, parameters, timing)) for seed in seeds]
    return [(program, random_frames(program.graph, frames, seed)) for seed, program in programs if program is not None]


def first_work(count: int, folder: Path, frames: int = 2):
    """As many programs with their frames, of the first random networks that are all instructions, however networks are
    drawn."""
    programs = (work for seed in itertools.count(20) for work in random_work([seed], folder, frames))
    return list(itertools.islice(programs, count))


def faults(results) -> list[str]:
    """What is wrong with results, for a message."""
    wrong = []
    for result in results:
        for layer in result.layers:
            if layer.mismatches:
                wrong.append(f"{result.model} {layer.name}: {layer.mismatches} of {layer.values}; {layer.first}")
            if result.unstalled and not layer.as_predicted:
                wrong.append(f"{result.model} {layer.name}: {layer.measured} cycles, {layer.predicted} predicted")
        if result.unstalled and result.intervals != result.expected:
            wrong.append(f"{result.model}: intervals {result.intervals}, {result.expected} predicted")
    return wrong
