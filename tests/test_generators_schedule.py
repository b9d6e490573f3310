"""The schedule of networks: queues that are as deep as they must be and no deeper, frames that repeat, deadlocks."""

from functools import cache

import numpy as np
import pytest
from random_networks import random_network

from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.stages.network import build_network
from mbconv.generators.timing.event_graph import Deadlock
from mbconv.generators.timing.events import Events
from mbconv.generators.timing.network_events import Edge, NetworkEvents, Streams, edges, paced_sources
from mbconv.generators.timing.schedule import _frames_that_show, frames_in_flight
from mbconv.generators.timing.steady import steady_interval
from mbconv.hdl.fifo import Fifo
from mbconv.models import load


@cache
def queue_latency(depth: int) -> int:
    return Fifo(1, depth).latency


def network_of(seed: int, folder) -> Design:
    network = random_network(seed)
    graph = read_tflite(network.write(folder))
    return make_design(graph, multipliers=network.multipliers(len(build_network(graph).folded)))


def paced_times(design: Design, depths: dict[Edge, int] | None) -> dict[str, np.ndarray]:
    """When everything happens between sources paced at the interval and sinks that are always ready, with queues of the
    given depths and the design's windows, or without limits but with the delays of the design's queues."""
    network, schedule = design.network, design.schedule
    frames = frames_in_flight(schedule.latency, schedule.interval) + 1
    timings = {stage.name: stage.timing for stage in design.stages}
    if depths is not None:
        timings |= {name: timings[name].bounded(capacity) for name, capacity in schedule.capacities.items()}
    found = NetworkEvents(network, frames)
    ends = {tensor: (tensor, "", 0) for tensor in network.outputs}

    def leave(tensor: int) -> Events:
        events = found.graph.add(f"output {tensor} leaves", found.valid[tensor].count)
        found.taken[ends[tensor]] = events
        return events

    if depths is None:
        delays = {edge: queue_latency(depth) for edge, depth in schedule.depths.items() if depth}

        def read(edge: Edge) -> None:
            found.taken[edge].after(found.valid[edge[0]], delays.get(edge, 0))

        paced_sources(found, design.plan.lanes, schedule.interval, found.valid.__setitem__)
        found.add_stages(timings, found.valid.__setitem__, read)
        for tensor in ends:
            leave(tensor).after(found.valid[tensor])
    else:
        streams = Streams(found, depths, queue_latency)
        paced_sources(found, design.plan.lanes, schedule.interval, streams.give)
        holds = found.add_stages(timings, streams.give, streams.read)
        for tensor, end in ends.items():
            leave(tensor)
            streams.read(end)
        for tensor, hold in holds.items():
            hold(streams.left(tensor))
    found.graph.settle()
    entered = {edge: found.valid[edge[0]] for edge in design.schedule.depths}
    if depths is not None:
        entered |= streams.queued
    return {
        f"{what} {name}": events.times
        for what, classes in (("valid", found.valid), ("entered", entered), ("taken", found.taken))
        for name, events in classes.items()
    }


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)


def designs(folder):
    yield make_design(load("digits"), multipliers=16)
    yield make_design(load("cifar10"), multipliers=64)
    for seed in range(12):
        yield network_of(seed, folder)


def test_queues_and_windows_hold_nothing_up(tmp_path):
    """At the interval everything happens as if queues and windows had no limit: they lose no cycle."""
    for design in designs(tmp_path):
        free = paced_times(design, None)
        assert same(free, paced_times(design, design.schedule.depths)), design.name


def test_no_queue_is_deeper_than_it_must_be(tmp_path):
    """With one place less in any queue, a beat would have to wait before it, or nothing would move any more."""
    queues = 0
    for design in designs(tmp_path):
        free = paced_times(design, None)
        for edge, depth in design.schedule.depths.items():
            if depth > 1 and queue_latency(depth - 1) == queue_latency(depth):
                queues += 1
                shallower = design.schedule.depths | {edge: depth - 1}
                try:
                    bounded = paced_times(design, shallower)
                except Deadlock:
                    continue
                name = f"entered {edge}"
                assert not np.array_equal(free[name], bounded[name]), (design.name, edge, depth)
    assert queues > 10


def test_a_queue_that_is_too_small_is_named():
    """The residual of a block without its queue: the addition waits for the branch that waits for it."""
    design = make_design(load("block:inverted_residual,height=8,width=8,channels=4,expansion=2,stride=1"), 8)
    (residual,) = (edge for edge, depth in design.schedule.depths.items() if depth and "add" in edge[1])
    with pytest.raises(Deadlock, match=r"layer_03_add takes a beat .* which waits until"):
        paced_times(design, design.schedule.depths | {residual: 0})


def test_readers_are_those_of_the_network():
    design = make_design(load("block:inverted_residual,height=8,width=8,channels=4,expansion=2,stride=1"), 8)
    found = edges(design.network)
    assert [reader for _, reader, _ in found[0]] == ["layer_00_pointwise", "layer_03_add"]
    assert all(reader == "" for _, reader, _ in found[design.network.outputs[0]])


def test_frames_that_show_the_interval():
    """Of outputs in a rhythm, whose first frames fill what is between them."""
    ends = [[0, 60, 130, 200, 280, 350, 425, 505, 575, 650, 730, 800, 875], [75 * n for n in range(13)]]

    def ends_of(frames):
        further = range(frames - 13)
        return [output + [output[-1] + 75 * (n + 1) for n in further] if frames > 13 else output[:frames]
                for output in ends]  # fmt: skip

    found = _frames_that_show(75, 4, ends_of)
    assert found == min(n for n in range(4, 40) if max(map(steady_interval, (o[:n] for o in ends_of(n)))) == 75)
    assert _frames_that_show(74, 4, ends_of) == 4, "an interval that never shows: the simulation says so"
