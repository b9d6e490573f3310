"""The schedule: queue depths, window capacities, interval and latency of a folded network, by counting tokens.

Sizes come from sources paced at the interval and queues without limit: whatever is then waiting at once is what a
queue must hold. Stages are fixed-rate dataflow, so that capacities which admit this schedule cannot deadlock, and under
any stalls lose no throughput (E. Lee, D. Messerschmitt, "Synchronous data flow", 1987). The latency is counted with
these capacities and sources that are always valid, back-pressure included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mbconv.hdl.fifo import RegisterQueue

from ..graph.graph import GraphError
from ..graph.shown import Shown
from ..stages.network import Network
from .edge_timing import InputEdgeTiming, OutputEdgeTiming
from .event_graph import Events, Times
from .network_events import Edge, NetworkEvents, QueueLatency, bounded_events, edges, paced_events
from .steady import steady_interval
from .timing import StageTiming

__all__ = ["Edge", "Schedule", "edges", "make_schedule"]


@dataclass(frozen=True)
class Schedule(Shown):
    """What counting gives.

    Attributes:
        interval: cycles between frames.
        latency: cycles from the first input beat accepted to the last output beat of the first frame.
        frames: back to back, after which the interval shows (:func:`.steady.steady_interval`): those in flight, and
            where outputs wait for each other as many more as their rhythm takes to settle.
        depths: beats of the queue on each edge, 0 for none.
        reasons: why each queue is there.
        capacities: pixels of each window's ring, by node name.
    """

    interval: int
    latency: int
    frames: int
    depths: dict[Edge, int]
    reasons: dict[Edge, str]
    capacities: dict[str, int]

    def shown(self) -> dict[str, object]:
        queues = sum(depth > 0 for depth in self.depths.values())
        return {"interval": self.interval, "latency": self.latency, "queues": queues}


def make_schedule(
    network: Network,
    lanes: Mapping[int, int],
    timings: Mapping[str, StageTiming],
    interval: int,
    queue_latency: QueueLatency,
    round_capacity: Callable[[str, int], int],
    input_edges: Mapping[int, InputEdgeTiming],
    output_edges: Mapping[int, OutputEdgeTiming],
) -> Schedule:
    """Size every queue and window for ``interval`` and count the latency.

    Args:
        timings: the event model of each node by name, windows with unlimited capacity.
        queue_latency: a queue's latency as a function of its depth.
        round_capacity: ``(node name, pixels)`` → the capacity of the node's window that holds so many.
        input_edges, output_edges: the event models of the AXI4-Stream edges, by the tensor within.

    Raises:
        GraphError: a stage that cannot keep the interval.
    """
    depths = {edge: 0 for readers in edges(network).values() for edge in readers}
    delays: dict[Edge, int] = {}
    count = None
    while True:
        count = _steady(network, lanes, timings, interval, delays, count)
        needed = {edge: _needed(count, edge, interval) for edge in depths if edge[1]}
        # A queue delays what passes it, which other queues must make up for. Delays only grow, and take few values.
        more = {edge: queue_latency(depth) for edge, depth in needed.items() if depth}
        if all(delay <= delays.get(edge, 0) for edge, delay in more.items()):
            break
        delays |= {edge: delay for edge, delay in more.items() if delay > delays.get(edge, 0)}
        depths |= needed
    depths |= {edge: depth for edge, depth in needed.items() if depth and queue_latency(depth) == delays[edge]}
    capacities = {name: round_capacity(name, _live(count, name, interval)) for name in count.rings}
    bounded = {
        name: timing.bounded(capacities[name]) if name in capacities else timing for name, timing in timings.items()
    }
    # The marks of frames wait in a queue of registers at each output.
    count = bounded_events(network, bounded, depths, queue_latency, input_edges, output_edges, RegisterQueue.latency)
    count.graph.settle()
    ends = {tensor: int(events.times[-1]) for tensor, events in count.results.items()}
    latency = max(ends[tensor] + edge.queue_latency for tensor, edge in output_edges.items())
    reasons = {edge: _reason(network, edge) for edge in depths}

    def ends_of(frames: int) -> list[list[int]]:
        """When the frames of each output end."""
        arguments = depths, queue_latency, input_edges, output_edges, RegisterQueue.latency
        further = bounded_events(network, bounded, *arguments, frames)
        further.graph.settle()
        return [events.times.reshape(frames, -1)[:, -1].tolist() for events in further.results.values()]

    frames = max(3, frames_in_flight(latency, interval))
    if len(output_edges) > 1:
        frames = _frames_that_show(interval, frames, ends_of)
    return Schedule(interval, latency, frames, depths, reasons, capacities)


_MOST_FRAMES = 256
"""Counted at most in search of a rhythm; outputs that have found none by then are not as fast as planned."""


def _frames_that_show(interval: int, least: int, ends_of: Callable[[int], list[list[int]]]) -> int:
    """The fewest frames, at least so many, whose outputs show the interval."""
    counted = least
    while counted < _MOST_FRAMES:
        counted = min(2 * counted + 8, _MOST_FRAMES)
        ends = ends_of(counted)
        for frames in range(least, counted + 1):
            if max(steady_interval(output[:frames]) or 0 for output in ends) == interval:
                return frames
    return least


def frames_in_flight(latency: int, interval: int) -> int:
    """Frames begun and not finished at once, at most."""
    return -(-latency // interval) + 2


def _steady(network, lanes, timings, interval, delays, before: NetworkEvents | None) -> NetworkEvents:
    """So many frames, paced at the interval, that the last repeat those before and all further ones will.

    Args:
        before: a count with delays that were no longer.

    Raises:
        GraphError: a stage falls behind for ever.
    """
    count = before or paced_events(network, lanes, timings, interval, 2, delays)
    for edge, delay in delays.items():
        if delay > count.delays[edge].delay:
            count.taken[edge].delay_more(count.delays[edge], delay)
    while True:
        frames, graph = count.frames, count.graph
        memory = graph.memory(frames)
        if memory is not None and memory < frames:
            graph.settle()
            late = [events for events in graph.classes if not _moves(events, frames, memory, interval)]
            if not late:
                return count
            _check_pace(late, frames, memory, interval)
        count = paced_events(network, lanes, timings, interval, 2 * frames, delays)


def _moves(events: Events, frames: int, memory: int, cycles: int) -> bool:
    """Whether each of the last ``memory`` frames is so many cycles after the one before."""
    times = events.times.reshape(frames, -1)[-memory - 1 :]
    return bool((times[1:] - times[:-1] == cycles).all())


def _check_pace(late: list[Events], frames: int, memory: int, interval: int) -> None:
    """Refuse classes that only wait for each other and need more than the interval for each frame.

    Raises:
        GraphError: they do, so that they always will.
    """
    reached, found = [late[0]], 0
    while found < len(reached):
        sources = [rule.source for rule in reached[found].rules]
        reached += [source for source in dict.fromkeys(sources) if source in late and source not in reached]
        found += 1
    times = late[0].times.reshape(frames, -1)
    cycles = int(times[-1, -1] - times[-2, -1])
    if cycles > interval and all(_moves(events, frames, memory, cycles) for events in reached):
        raise GraphError(
            f"the plan cannot keep its interval of {interval:,} cycles: {late[0].name} {cycles:,} cycles later in each"
            " frame than in the one before"
        )


def _needed(count: NetworkEvents, edge: Edge, interval: int) -> int:
    """The beats that an edge's queue holds at once, each until the cycle after it is taken; none if none waits."""
    valid, taken = count.valid[edge[0]].times, count.taken[edge].times
    if np.array_equal(valid, taken):
        return 0
    copies = _copies(valid, taken, interval)
    valid, taken = (_repeated(times, count.frames, interval, copies) for times in (valid, taken))
    return _most_at_once(valid, taken + 1)


def _live(count: NetworkEvents, name: str, interval: int) -> int:
    """The most pixels in a window's ring at once."""
    entered, freed = count.rings[name].times(count.frames)
    copies = _copies(entered, freed, interval)
    entered, freed = (_repeated(times, count.frames, interval, copies) for times in (entered, freed))
    return _most_at_once(entered, freed)


def _copies(begin: Times, end: Times, interval: int) -> int:
    """Further frames that begin until the last has ended."""
    return int((end - begin).max()) // interval + 1


def _repeated(times: Times, frames: int, interval: int, copies: int) -> Times:
    """Times with copies of the last frame behind it, an interval apart."""
    last = times.reshape(frames, -1)[-1]
    return np.concatenate([times, (last + np.arange(1, copies + 1)[:, None] * interval).ravel()])


def _most_at_once(begin: Times, end: Times) -> int:
    """The most things at once of which each is there from its beginning until before its end."""
    left = np.searchsorted(end, begin, side="right")
    return int((np.arange(1, begin.size + 1) - left).max())


def _reason(network: Network, edge: Edge) -> str:
    _, reader, position = edge
    if not reader:
        return "output port"
    node = next(n for n in network.nodes if n.name == reader)
    return node.circuit.reason(node, position)
