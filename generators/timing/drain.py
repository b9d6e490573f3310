"""Outputs drained by a host that takes a packet of each in turn: in which order, and what waits meanwhile.

The outputs of a network are one frame a packet each, and end at different times. A host that takes them one after the
other lets the others wait, in queues of AXI4-Stream beats. Those are counted here as all queues are: with a schedule in
which every frame is an interval after the one before, whatever is then waiting at once is what a queue must hold. So it
loses nothing and, under any stalls, cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mbconv.hdl.axi_stream_output import LEAST_QUEUE
from mbconv.hdl.fifo import RegisterQueue

from .edge_timing import OutputEdgeTiming
from .event_graph import EventGraph
from .events import Events, Times
from .occupancy import most_waiting


@dataclass(frozen=True)
class Drain:
    """How outputs are drained.

    Attributes:
        order: the outputs' tensors, those first whose frames end first: a packet of each in turn.
        depths: AXI4-Stream beats that can wait at each.
        interval: cycles from frame to frame: the planned ones, unless all outputs' beats are more.
        latency: cycles from a frame's first beat to the last that is drained of it, at that pace.
    """

    order: tuple[int, ...]
    depths: dict[int, int]
    interval: int
    latency: int = 0


def take_turns(drained: Mapping[int, Events], order: Sequence[int], frames: int) -> None:
    """Make outputs wait for each other: each gives a whole packet, then the next in order, one beat a cycle."""
    beats = {tensor: drained[tensor].count // frames for tensor in order}
    for place, tensor in enumerate(order):
        before = order[place - 1]
        wait = place == 0  # the first of a frame waits for the last of the one before
        targets = range(beats[tensor] * wait, drained[tensor].count, beats[tensor])
        sources = range(beats[before] - 1, drained[before].count - beats[before] * wait, beats[before])
        drained[tensor].after_some(drained[before], 1, targets, sources)


def drain_in_turn(
    valid: Mapping[int, Times],
    input_ends: int,
    interval: int,
    output_edges: Mapping[int, OutputEdgeTiming],
    queue_latency: Callable[[int], int],
) -> Drain:
    """Count what waits at the outputs.

    Args:
        valid: by output tensor, when its beats are valid in one frame of the steady schedule, from that frame's begin.
        input_ends: when all inputs of the frame have had their last beat.
        interval: as planned. Frames that are further apart keep all rules that they keep at this pace.
    """
    interval = max(interval, sum(edge.gearbox.beats_out for edge in output_edges.values()))
    order = tuple(sorted(valid, key=lambda tensor: int(valid[tensor][-1])))
    depths = dict.fromkeys(order, LEAST_QUEUE)
    frames = 4
    while True:
        offered, drained = _drained(valid, input_ends, interval, output_edges, order, depths, queue_latency, frames)
        if not all(_is_steady(times, frames, interval) for times in drained.values()):
            frames *= 2
            continue
        needed = {t: max(LEAST_QUEUE, most_waiting(offered[t], drained[t], frames, interval)) for t in order}
        more = {t: depth for t, depth in needed.items() if queue_latency(depth) > queue_latency(depths[t])}
        if not more:
            begin = (frames - 1) * interval
            return Drain(order, needed, interval, max(int(times[-1]) for times in drained.values()) + 1 - begin)
        depths |= more  # a queue delays what passes it, so that more may wait elsewhere


def _drained(
    valid: Mapping[int, Times],
    input_ends: int,
    interval: int,
    output_edges: Mapping[int, OutputEdgeTiming],
    order: Sequence[int],
    depths: Mapping[int, int],
    queue_latency: Callable[[int], int],
    frames: int,
) -> tuple[dict[int, Times], dict[int, Times]]:
    """When AXI4-Stream beats enter the outputs' queues, which are without limit, and when they are drained."""
    graph = EventGraph()

    def offer(name: str, times: Times) -> Events:
        all_frames = (np.arange(frames)[:, None] * interval + times).ravel()
        return graph.add(name, all_frames.size, None, all_frames)

    ends = offer("all inputs end a frame", np.array([input_ends]))
    entered, drained = {}, {}
    for tensor in order:
        edge = output_edges[tensor]
        taken, entered[tensor] = edge.events(graph, f"the output of tensor {tensor}", frames)
        taken.after(offer(f"tensor {tensor} has a beat", valid[tensor]))
        entered[tensor].after_some(ends, RegisterQueue.latency, edge.frame_ends(frames), range(frames))
        drained[tensor] = graph.add(f"the host takes a beat of tensor {tensor}", entered[tensor].count)
        drained[tensor].after(entered[tensor], queue_latency(depths[tensor]))
    take_turns(drained, order, frames)
    graph.settle()
    return tuple({tensor: events.times for tensor, events in found.items()} for found in (entered, drained))


def _is_steady(times: Times, frames: int, interval: int) -> bool:
    last = times.reshape(frames, -1)[-2:]
    return bool((last[1] - last[0] == interval).all())
