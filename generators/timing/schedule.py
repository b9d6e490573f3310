"""The schedule: queue depths, window capacities, interval and latency of a folded network, by counting tokens.

Sizes come from sources paced at the interval and queues without limit: whatever is then waiting at once is what a
queue must hold. Stages are fixed-rate dataflow, so that capacities which admit this schedule cannot deadlock, and under
any stalls lose no throughput (E. Lee, D. Messerschmitt, "Synchronous data flow", 1987). The latency is counted with
these capacities and sources that are always valid, back-pressure included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mbconv.hdl.axi_stream_output import LEAST_QUEUE
from mbconv.hdl.fifo import RegisterQueue

from ..graph.graph import GraphError
from ..graph.shown import Shown
from ..stages.network import Network
from .drain import Drain, drain_in_turn
from .edge_timing import InputEdgeTiming, OutputEdgeTiming
from .events import Events, Times
from .network_events import Edge, NetworkEvents, QueueLatency, bounded_events, edges, paced_events
from .occupancy import most_living, most_waiting
from .ports import StageTiming
from .steady import steady_interval

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
        drain: how a host that takes the outputs in turn is served.
    """

    interval: int
    latency: int
    frames: int
    depths: dict[Edge, int]
    reasons: dict[Edge, str]
    capacities: dict[str, int]
    drain: Drain

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
    merged: bool = False,
) -> Schedule:
    """Size every queue and window for ``interval`` and count the latency.

    Args:
        timings: the event model of each node by name, windows with unlimited capacity.
        queue_latency: a queue's latency as a function of its depth.
        round_capacity: ``(node name, pixels)`` → the capacity of the node's window that holds so many.
        input_edges, output_edges: the event models of the AXI4-Stream edges, by the tensor within.
        merged: whether all outputs leave by one AXI4-Stream, a packet of each in turn.

    Raises:
        GraphError: a stage that cannot keep the interval.
    """
    depths = {edge: 0 for readers in edges(network).values() for edge in readers}
    delays: dict[Edge, int] = {}
    count = None
    while True:
        count = _steady(network, lanes, timings, interval, delays, count)
        needed = {
            edge: most_waiting(count.valid[edge[0]].times, count.taken[edge].times, count.frames, interval)
            for edge in depths
            if edge[1]
        }
        # A queue delays what passes it, which other queues must make up for. Delays only grow, and take few values.
        more = {edge: queue_latency(depth) for edge, depth in needed.items() if depth}
        if all(delay <= delays.get(edge, 0) for edge, delay in more.items()):
            break
        delays |= {edge: delay for edge, delay in more.items() if delay > delays.get(edge, 0)}
        depths |= needed
    depths |= {edge: depth for edge, depth in needed.items() if depth and queue_latency(depth) == delays[edge]}
    capacities = {
        name: round_capacity(name, most_living(*ring.times(count.frames), count.frames, interval))
        for name, ring in count.rings.items()
    }
    drain = Drain(network.outputs, dict.fromkeys(network.outputs, LEAST_QUEUE), interval)
    if len(network.outputs) > 1:
        drain = drain_in_turn(*_steady_outputs(count, interval), interval, output_edges, queue_latency)
    output_edges = {
        tensor: edge.with_queue(drain.depths[tensor], queue_latency(drain.depths[tensor]))
        for tensor, edge in output_edges.items()
    }
    turns = drain.order if merged else None
    interval = drain.interval if merged else interval
    bounded = {
        name: timing.bounded(capacities[name]) if name in capacities else timing for name, timing in timings.items()
    }
    reasons = {edge: _reason(network, edge) for edge in depths}

    def ends_of(frames: int) -> list[list[int]]:
        """When the frames of each output end, all of them of the last where they are merged."""
        # The marks of frames wait in a queue of registers at each output.
        arguments = depths, queue_latency, input_edges, output_edges, RegisterQueue.latency
        count = bounded_events(network, bounded, *arguments, frames, turns)
        count.graph.settle()
        last = drain.order[-1:] if merged else network.outputs
        return [count.results[tensor].times.reshape(frames, -1)[:, -1].tolist() for tensor in last]

    latency = max(ends[0] for ends in ends_of(1))
    frames = max(3, frames_in_flight(latency, interval))
    if len(output_edges) > 1:
        frames = _frames_that_show(interval, frames, ends_of)
    return Schedule(interval, latency, frames, depths, reasons, capacities, drain)


_MOST_FRAMES = 256
"""Counted at most in search of a rhythm; outputs that have found none by then are not as fast as planned."""


def _frames_that_show(interval: int, least: int, ends_of: Callable[[int], list[list[int]]]) -> int:
    """The fewest frames, at least so many, whose outputs show the interval."""
    counted = least
    while True:
        ends = ends_of(counted)
        for frames in range(least, counted + 1):
            if max(steady_interval(output[:frames]) or 0 for output in ends) == interval:
                return frames
        if counted >= _MOST_FRAMES:
            return least
        counted = min(2 * counted + 8, _MOST_FRAMES)


def _steady_outputs(count: NetworkEvents, interval: int) -> tuple[dict[int, Times], int]:
    """When the outputs' beats are valid, and when the inputs have had all of theirs, in a frame, from its begin."""
    begin = (count.frames - 1) * interval

    def last_frame(tensor: int) -> Times:
        return count.valid[tensor].times.reshape(count.frames, -1)[-1] - begin

    network = count.network
    ends = max(int(last_frame(tensor)[-1]) for tensor in network.inputs.values())
    return {tensor: last_frame(tensor) for tensor in network.outputs}, ends + 1


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


def _reason(network: Network, edge: Edge) -> str:
    _, reader, position = edge
    if not reader:
        return "output port"
    node = next(n for n in network.nodes if n.name == reader)
    return node.circuit.reason(node, position)
