"""Networks of several outputs: drained at once, one after the other, late, and merged into one stream."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from detectors import detector
from many_designs import ManyDesigns

from mbconv.cli import main
from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.timing.drain import drain_in_turn
from mbconv.generators.timing.edge_timing import OutputEdgeTiming, RegroupTiming
from mbconv.generators.timing.steady import steady_interval
from mbconv.sim.circuits.testbench_case import ALWAYS, IN_TURN, Pattern

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A detector: four maps leave, those of its first map a long time before those of its last."""
    w, boxes, scores = detector(1)
    w.output(boxes)
    w.output(scores)
    path = tmp_path_factory.mktemp("outputs") / "detector.tflite"
    w.write(path)
    return path


@pytest.fixture(scope="module")
def together(path):
    """With outputs apart and merged, in one simulator."""
    graph = read_tflite(path)
    return ManyDesigns([make_design(graph, 24, merge_outputs=merged) for merged in (False, True)])


def drained(together, sink):
    """Each design, what its simulation showed, and the interval that its outputs kept."""
    frames = max(design.schedule.frames for design in together.designs) + 2
    inputs = [random_frames(design.graph, frames, seed) for seed, design in enumerate(together.designs)]
    for design, result in zip(together.designs, together.simulate(inputs, ALWAYS, sink, 1), strict=True):
        names = [design.merged] if design.merged else [edge.name for edge in design.outputs.values()]
        assert result.mismatches == 0, f"{sink.name}: {result.first_mismatch}"
        yield design, result, max(steady_interval(result.record.streams[name].ends) for name in names)


def test_a_host_drains_in_turn_at_the_planned_pace(together):
    for design, result, interval in drained(together, IN_TURN):
        assert interval == design.schedule.interval
        assert design.merged is None or result.latency_cycles == design.schedule.latency


def test_outputs_that_are_all_ready(together):
    for design, result, interval in drained(together, ALWAYS):
        assert (interval, result.latency_cycles) == (design.schedule.interval, design.schedule.latency)


@pytest.mark.parametrize("in_turn", [False, True], ids=["at once", "in turn"])
def test_outputs_that_are_drained_late(together, in_turn):
    late = Pattern("late", late=5000, in_turn=in_turn)
    for design, result, interval in drained(together, late):
        assert result.latency_cycles > 5000 - result.record.first["s_axis"]
        assert interval == design.schedule.interval


def test_stalls_in_turn(together):
    assert len(list(drained(together, Pattern("half, in turn", 0.5, 0.5, in_turn=True)))) == 2


def test_what_waits_is_memory_and_stands_in_the_manifest(path, tmp_path):
    for merged in (False, True):
        folder = tmp_path / str(merged)
        arguments = ["emit", path, "-o", folder, "--multipliers", 24, *(["--merge-outputs"] if merged else [])]
        assert CliRunner().invoke(main, list(map(str, arguments))).exit_code == 0
        manifest = json.loads((folder / "manifest.json").read_text())
        outputs = [port for port in manifest["ports"] if port["direction"] == "output"]
        assert manifest["drain"]["merged"] == merged
        assert manifest["drain"]["order"] == [port["tensor"] for port in outputs]
        assert len({port["name"] for port in outputs}) == (1 if merged else 4)
        design = make_design(read_tflite(path), 24, merge_outputs=merged)
        bits = sum(port["queue_beats"] * (8 * port["data_bytes"] + 2) for port in outputs)
        assert bits == design.output_queue_bits > 0
        others = sum(stage.memory_bits for stage in design.stages) + design.queue_bits
        assert manifest["memory_bits"] == others + bits
        assert sum(port["beats"] for port in outputs) <= manifest["interval_cycles"]


def edge(beats: int) -> OutputEdgeTiming:
    return OutputEdgeTiming(RegroupTiming(beats, 1, 1, 1, 1, 0, None, 1), 2, 1)


def test_what_waits_is_what_another_output_takes():
    """An output of ten beats at once waits while one that ends later gives its five."""
    valid = {1: np.arange(10), 2: np.array([20, 30, 40, 50, 60])}
    drain = drain_in_turn(valid, 0, 100, {1: edge(10), 2: edge(5)}, lambda depth: 1)
    assert drain.order == (1, 2)
    # Frame n's last beat of tensor 2 is taken at 61, before the next frame's of tensor 1 come: nothing waits long.
    assert drain.depths == {1: 2, 2: 2} and drain.latency == 62
    # At an interval of 40 the next frame's ten beats come at 40 to 49, and wait until after 61.
    drain = drain_in_turn(valid, 0, 40, {1: edge(10), 2: edge(5)}, lambda depth: 1)
    assert drain.depths[1] == 10
    # A host that takes 15 beats in turn cannot do it every 14 cycles: it has a pace of its own.
    drain = drain_in_turn(valid, 0, 14, {1: edge(10), 2: edge(5)}, lambda depth: 1)
    assert drain.interval == 15


def test_in_turn_at_the_command_line(path):
    result = CliRunner().invoke(main, ["sim", str(path), "--multipliers", "24", "--in-turn", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 0 and found["mismatches"] == 0
    assert found["interval_cycles"] == found["predicted_interval_cycles"]
    assert found["latency_cycles"] > found["predicted_latency_cycles"]
