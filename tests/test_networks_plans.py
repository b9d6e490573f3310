"""No wait and no deadlock: the bottleneck works in every cycle, and plans drawn at random hold what they promise."""

from itertools import product

import numpy as np
import pytest

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.planning.folding import Folding
from mbconv.generators.planning.lane_groups import LaneGroups, fitting_lanes
from mbconv.generators.planning.plan import Plan
from mbconv.generators.planning.plan_cycles import interval_of, stage_cycles
from mbconv.generators.stages.network import Network, build_network
from mbconv.models import load
from mbconv.sim.circuits.testbench_case import BURSTS, HALF
from mbconv.sim.simulation.simulate import simulate

MODELS = ("digits", "block:inverted_residual,height=7,width=6,channels=6,expansion=4")


@pytest.mark.parametrize(("model", "multipliers"), [("digits", 16), ("digits", 9), (MODELS[1], 40)])
def test_the_bottleneck_never_waits(model, multipliers):
    """Once all stages are at work, none of the slowest one's cycles is lost: its frames end as many cycles apart as a
    frame takes it."""
    graph = load(model)
    design = make_design(graph, multipliers=multipliers)
    busy = {node.output: stage_cycles(design.network, node, design.plan) for node in design.network.nodes}
    slowest = [tensor for tensor, cycles in busy.items() if cycles == max(busy.values())]
    frames = random_frames(graph, design.schedule.frames + 2, seed=11)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    for tensor in slowest:
        ends = np.array(result.record.streams[f"stream_t{tensor}"].ends[: len(frames)])
        assert set(np.diff(ends)[1:]) == {max(busy.values())}, f"tensor {tensor}: {ends}"


@pytest.mark.parametrize("multipliers", [pytest.param(22, marks=pytest.mark.slow), 33])
def test_pixels_that_share_groups_of_outputs(multipliers):
    """From both ends of a block whose 1×1 convolutions take several pixels together."""
    graph = load("block:inverted_residual,height=6,width=6,channels=8,expansion=4")
    design = make_design(graph, multipliers=multipliers)
    assert [folding.pixels > 1 for folding in design.plan.foldings.values()] == [True, False, True]
    frames = random_frames(graph, design.schedule.frames, seed=14)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.interval_cycles == design.schedule.interval == design.plan.interval
    assert result.latency_cycles == design.schedule.latency
    for source, sink in ((HALF, BURSTS), (BURSTS, HALF)):
        stalled = simulate(design, frames, source=source, sink=sink, seed=15)
        assert stalled.mismatches == 0, stalled.first_mismatch


def random_plan(network: Network, rng: np.random.Generator) -> Plan:
    """Lanes and foldings drawn from all that the rules allow."""
    groups = LaneGroups(network)
    while True:
        lanes = {}
        for members in groups.members.values():
            drawn = int(rng.choice(fitting_lanes(network, members, dict.fromkeys(members, 1 << 60))))
            lanes |= dict.fromkeys(members, drawn)
        foldings = {}
        for node, circuit in network.folded:
            at, ends = (network, node), (lanes[node.inputs[0]], lanes[node.output])
            inputs, outputs = circuit.allowed_inputs(*at, ends[0]), circuit.allowed_outputs(*at, *ends)
            some = product(inputs, outputs, circuit.allowed_pixels(*at))
            fitting = [f for which in some if not circuit.folding_problem(*at, f := Folding(*which), *ends)]
            if not fitting:
                break
            foldings[node.operator.index] = fitting[rng.integers(len(fitting))]
        else:
            return Plan(foldings, lanes, interval_of(network, foldings, lanes), None)


@pytest.mark.parametrize(
    ("model", "seed"),
    [
        pytest.param(model, seed, marks=[] if (model, seed) == (MODELS[1], 0) else pytest.mark.slow)
        for model in MODELS
        for seed in range(8)
    ],
)
def test_random_plans(model, seed):
    """Interval and latency as predicted without stalls; with stalls at both ends nothing is lost and nothing stands
    still."""
    graph = load(model).layers(1, 8) if model == "digits" else load(model)
    plan = random_plan(build_network(graph), np.random.default_rng(seed))
    design = make_design(graph, plan=plan)
    frames = random_frames(graph, design.schedule.frames, seed)
    result = simulate(design, frames)
    assert result.mismatches == 0, (plan, result.first_mismatch)
    assert result.interval_cycles == design.schedule.interval == plan.interval, plan
    assert result.latency_cycles == design.schedule.latency, plan
    stalled = simulate(design, frames, source=HALF, sink=BURSTS, seed=seed + 1)
    assert stalled.mismatches == 0, (plan, stalled.first_mismatch)


@pytest.mark.slow
def test_stalls_of_a_larger_network():
    graph = load("cifar10")
    design = make_design(graph, multipliers=64)
    frames = random_frames(graph, 3, seed=12)
    for source, sink in ((HALF, BURSTS), (BURSTS, HALF)):
        result = simulate(design, frames, source=source, sink=sink, seed=13)
        assert result.mismatches == 0, result.first_mismatch
