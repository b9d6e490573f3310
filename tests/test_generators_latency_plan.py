"""Plans for a lone frame: counted without limits never later than with them, exact in simulation, the best of all where
all can be tried."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from click.testing import CliRunner
from random_networks import random_network

import mbconv
from mbconv.cli import main
from mbconv.fpga.boards import find_board
from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.board_plan import design_for_target
from mbconv.generators.planning.choices import stage_choices
from mbconv.generators.planning.folding import Folding
from mbconv.generators.planning.latency_counts import LatencyCounts
from mbconv.generators.planning.latency_plan import plan_for_latency
from mbconv.generators.planning.plan_cycles import interval_of
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.planning.targets import make_target, plan_for_target
from mbconv.generators.stages.network import build_network
from mbconv.models import load
from mbconv.sim.simulation.simulate import simulate

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")
BLOCK = "block:inverted_residual,height=5,width=5,channels=4,expansion=2"


def latency(graph, plan) -> int:
    return make_design(graph, plan=plan).schedule.latency


@pytest.mark.parametrize("seed", range(4))
def test_no_design_is_sooner_than_counted_without_limits(tmp_path, seed):
    """Whatever the network branches into, and however often one count serves several plans."""
    drawn = random_network(seed)
    graph = load(str(drawn.write(tmp_path)))
    network = build_network(graph)
    counts, stages = LatencyCounts(network), len(network.folded)
    for multipliers in (stages, stages + 3, 2 * stages):
        plan = replace(plan_for_multipliers(network, multipliers, sharing=False), for_latency=True)
        exact = latency(graph, plan)
        assert 0.9 * exact - 50 <= counts.cycles(plan) <= exact
        assert counts.cycles(plan) == LatencyCounts(network).cycles(plan)


def test_a_lone_frame_is_sooner_within_the_same_multipliers():
    graph = load("digits")
    network = build_network(graph)
    plan = plan_for_latency(network, 12)
    assert (plan.multipliers, plan.interval, plan.budget, plan.for_latency) == (12, 9216, 12, True)
    assert (latency(graph, plan), latency(graph, plan_for_multipliers(network, 12))) == (12_235, 14_542)
    assert plan == plan_for_latency(network, 12)


def test_an_interval_is_kept():
    network = build_network(load("digits"))
    least = plan_for_multipliers(network, 12, sharing=False).interval
    for limit in (least, 20_000):
        assert plan_for_latency(network, 12, limit).interval <= limit
    with pytest.raises(GraphError, match=r"12 multipliers are too few for 9,000 cycles a frame: 9,216 is the least"):
        plan_for_latency(network, 12, 9000)


@pytest.mark.parametrize("multipliers", [5, 8])
def test_nothing_is_better_with_its_lanes(multipliers):
    """All foldings worth having, tried with the lanes that were found: none of their lone frames is sooner by more than
    what queues and windows add."""
    graph = load(BLOCK)
    network = build_network(graph)
    plan = plan_for_latency(network, multipliers)
    counts = LatencyCounts(network)
    best, tried = counts.cycles(plan), 0
    offered = [
        stage_choices(
            network, node, circuit, 1 << 40, multipliers, (plan.lanes[node.inputs[0]], plan.lanes[node.output])
        )
        for node, circuit in network.folded
    ]
    for chosen in product(*offered):
        if sum(choice.multipliers for choice in chosen) <= multipliers:
            tried += 1
            foldings = {n.operator.index: c.folding for (n, _), c in zip(network.folded, chosen, strict=True)}
            other = replace(plan, foldings=foldings, interval=interval_of(network, foldings, plan.lanes))
            assert counts.cycles(other) >= best
    assert tried > 5


def test_simulated():
    graph = load(BLOCK)
    design = mbconv.design(graph, mbconv.Target(multipliers=9, latency=True))
    frames = random_frames(graph, design.schedule.frames, seed=3)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.latency_cycles == design.schedule.latency
    assert result.interval_cycles == design.schedule.interval == design.plan.interval


def test_windows_and_edges_are_as_fast_as_their_stages():
    """What an interval leaves time for is not taken where a lone frame would wait for it."""
    graph = load("digits")
    network = build_network(graph)
    plan = plan_for_multipliers(network, 12, sharing=False)
    foldings = plan.foldings | {0: Folding(9, 1)}
    quick, slow = (
        make_design(graph, plan=replace(plan, foldings=foldings, for_latency=lone)) for lone in (True, False)
    )
    assert quick.stages[0].cycles == slow.stages[0].cycles
    assert quick.stages[0].component.multipliers == slow.stages[0].component.multipliers == 9
    assert quick.schedule.latency <= slow.schedule.latency


def test_targets():
    target = make_target(multipliers=12, latency=True)
    assert str(target) == "the latency of a lone frame: 12 multipliers"
    assert make_target(latency=True).multipliers == 64
    both = make_target(multipliers=12, fps=100, clock_mhz=1, latency=True)
    assert both.interval_limit == 10_000 and "12 multipliers, 100 fps at 1 MHz" in str(both)
    assert plan_for_target(build_network(load("digits")), both).interval <= 10_000
    board = find_board("icebreaker")
    with pytest.raises(GraphError, match="within a number of multipliers or for a board"):
        make_target(multipliers=3, board=board, latency=True)
    with pytest.raises(GraphError, match="a target is one of"):
        make_target(multipliers=3, interval=9)


def test_a_board():
    board = find_board("icebreaker")
    graph = load("digits")
    fastest = design_for_target(graph, make_target(board=board))
    soonest = design_for_target(graph, make_target(board=board, latency=True))
    assert soonest.multipliers <= board.device.multipliers and soonest.plan.for_latency
    assert soonest.schedule.latency <= fastest.schedule.latency
    with pytest.raises(GraphError, match="cannot keep 4,000 cycles a frame"):
        design_for_target(graph, make_target(board=board, interval=4000, latency=True))


def test_the_command_and_its_file(tmp_path):
    file = tmp_path / "plan.json"

    def run(*arguments: str, status: int = 0):
        result = CliRunner().invoke(main, ["plan", "digits", *arguments])
        assert result.exit_code == status, result.output
        return result.output if status else json.loads(result.stdout)

    found = run("--multipliers", "12", "--target", "latency", "-o", str(file), "--json")
    assert (found["latency_cycles"], found["interval_cycles"]) == (12_235, 9216)
    assert found["target"] == "the latency of a lone frame: 12 multipliers"
    assert json.loads(file.read_text())["target"] == {"multipliers": 12, "latency": True}
    again = run("--plan", str(file), "--json")
    assert {k: v for k, v in again.items() if k != "seconds"} == {k: v for k, v in found.items() if k != "seconds"}
    kept = run("--multipliers", "12", "--target", "latency", "--fps", "100", "--clock", "1", "--json")
    assert kept["interval_cycles"] <= 10_000
    assert "--plan and --target exclude each other" in run("--plan", str(file), "--target", "latency", status=2)
    file.write_text(file.read_text().replace("true", "1"))
    assert "latency must be true or false" in run("--plan", str(file), status=2)


def test_choices_are_the_cheapest_of_their_cycles():
    network = build_network(load("digits"))
    for node, circuit in network.folded:
        found = stage_choices(network, node, circuit, 1 << 40, 40, (1, 1))
        cycles, multipliers = ([getattr(c, name) for c in found] for name in ("cycles", "multipliers"))
        assert np.all(np.diff(cycles) < 0) and np.all(np.diff(multipliers) > 0)
