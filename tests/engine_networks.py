"""Networks for a simulated engine, and what tests of it share."""

from pathlib import Path

from random_networks import random_network

from mbconv.frames import random_frames
from mbconv.generators.engine.compile import Program, compile_network
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.hdl.engine.parameters import EngineParameters

SMALL = EngineParameters(
    channels=4,
    pixels=3,
    requantizers=2,
    map_words=4096,
    weight_words=4096,
    constant_words=512,
    tables=8,
    instructions=64,
    weight_bits=9,
    side_bits=8,
    kernel_bits=4,
    group_bits=8,
)
"""An engine on which random networks fit; three pixels, as no map is a multiple of them by chance."""

NO_INSTRUCTION = ("instruction", "channels of one pixel")
"""In a message about what the engine does not compute yet."""


def random_program(seed: int, folder: Path, parameters: EngineParameters = SMALL) -> Program | None:
    """A random network's program; None where it has an operator that is no instruction."""
    graph = read_tflite(random_network(seed, 8000).write(folder))
    try:
        return compile_network(graph, parameters)
    except GraphError as error:
        reasons = str(error).splitlines()[1:]
        assert all(any(part in reason for part in NO_INSTRUCTION) for reason in reasons), f"seed {seed}: {error}"
        return None


def random_work(seeds, folder: Path, frames: int = 2, parameters: EngineParameters = SMALL):
    """Programs of random networks with their frames, for one engine."""
    programs = [(seed, random_program(seed, folder, parameters)) for seed in seeds]
    return [(program, random_frames(program.graph, frames, seed)) for seed, program in programs if program is not None]


def faults(results) -> list[str]:
    """What is wrong with results, for a message."""
    wrong = []
    for result in results:
        for layer in result.layers:
            if layer.mismatches:
                wrong.append(f"{result.model} {layer.name}: {layer.mismatches} of {layer.values}; {layer.first}")
            if result.unstalled and not layer.as_predicted:
                wrong.append(f"{result.model} {layer.name}: {layer.measured} cycles, {layer.predicted} predicted")
        if result.unstalled and set(result.intervals) - {result.interval}:
            wrong.append(f"{result.model}: intervals {result.intervals}, {result.interval} predicted")
    return wrong
