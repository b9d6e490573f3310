"""Networks that nobody chose, from file to circuit: numbers as LiteRT has them, cycles as counted."""

import numpy as np
import pytest
from many_designs import ManyDesigns
from random_networks import RandomNetwork, random_network

from mbconv.frames import random_frames
from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.stages.network import build_network
from mbconv.generators.timing.steady import steady_interval
from mbconv.sim.circuits.testbench_case import ALWAYS, Pattern
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.simulation.simulation_result import SimulationResult

TOGETHER = 8
STALLS = [Pattern(f"{stall} {resume}", stall, resume) for stall, resume in ((0.5, 0.5), (0.1, 0.02), (0.9, 0.3))]


def designed(network: RandomNetwork, folder) -> Design:
    """The network's design for a random number of multipliers."""
    graph = read_tflite(network.write(folder))
    frame = random_frames(graph, 1, network.seed)[0]
    reference = oracle.Reference(folder / f"random_{network.seed}.tflite").run(frame)
    for tensor, values in golden.run(graph, frame).items():
        if not graph.tensors[tensor].in_file:
            continue
        different = int((values != reference[tensor].reshape(values.shape)).sum())
        assert different == 0, f"seed {network.seed}: {different} elements of tensor {tensor} differ from LiteRT's"
    return make_design(graph, multipliers=network.multipliers(len(build_network(graph).folded)))


def shown_interval(design: Design, result: SimulationResult) -> int:
    """What as many frames show as the schedule says, however many more were simulated."""
    ends = [result.record.streams[edge.name].ends for edge in design.outputs.values()]
    return max(steady_interval(output[: design.schedule.frames]) for output in ends)


def check(seeds, folder) -> None:
    """Simulate networks side by side, with nothing stalling and with random stalls."""
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    designs = [designed(random_network(seed), folder) for seed in seeds]
    print(f"seeds {list(seeds)}, multipliers {[design.budget for design in designs]}")  # shown when something fails
    count = max(design.schedule.frames for design in designs)
    frames = [random_frames(design.graph, count, seed) for design, seed in zip(designs, seeds, strict=True)]
    together = ManyDesigns(designs)
    wrong = []
    for seed, design, result in zip(seeds, designs, together.simulate(frames, ALWAYS, ALWAYS, 1), strict=True):
        measured = result.mismatches, shown_interval(design, result), result.latency_cycles
        if measured != (0, design.schedule.interval, design.schedule.latency):
            wrong.append(f"seed {seed} at {design.budget} multipliers: {result}, {result.first_mismatch}")
    rng = np.random.default_rng(seeds[0])
    source, sink = STALLS[rng.integers(3)], STALLS[rng.integers(3)]
    few = [own[:3] for own in frames]
    for seed, design, result in zip(seeds, designs, together.simulate(few, source, sink, seeds[0]), strict=True):
        if result.mismatches:
            wrong.append(f"seed {seed} at {design.budget} multipliers, stalled: {result}, {result.first_mismatch}")
    assert not wrong, "\n".join(wrong)


def test_random_networks(tmp_path):
    check(range(4), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(4, 4 + 30 * TOGETHER, TOGETHER))
def test_hundreds_of_random_networks(tmp_path, first):
    check(range(first, first + TOGETHER), tmp_path)
