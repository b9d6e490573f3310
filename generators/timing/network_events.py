"""A network as an event graph: its stages' events, joined by streams with their forks and queues, and its edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..stages.network import Network
from .drain import take_turns
from .edge_timing import InputEdgeTiming, OutputEdgeTiming
from .event_graph import EventGraph
from .events import Events, Rule
from .ports import Ring, StageTiming

Edge = tuple[int, str, int]
"""A tensor, the node that reads it (empty: an output port) and which of the node's inputs it is."""

QueueLatency = Callable[[int], int]
"""A queue's latency, given its depth."""


def edges(network: Network) -> dict[int, list[Edge]]:
    """The readers of each tensor, in the order in which a fork serves them."""
    found: dict[int, list[Edge]] = {tensor: [] for tensor in network.shapes}
    for node in network.nodes:
        for position, tensor in enumerate(node.inputs):
            found[tensor].append((tensor, node.name, position))
    for tensor in network.outputs:
        found[tensor].append((tensor, "", 0))
    return found


class NetworkEvents:
    """The classes of events of a network's streams.

    Attributes:
        valid: by tensor, when its beats are valid.
        taken: by edge, when its reader takes beats.
        rings: by node, of its window.
        delays: by edge, what delays beats on it, where queues have no limit.
        results: by output tensor, when AXI4-Stream beats leave; empty for paced sources.
    """

    def __init__(self, network: Network, frames: int):
        self.network, self.frames = network, frames
        self.graph = EventGraph()
        self.valid: dict[int, Events] = {}
        self.taken: dict[Edge, Events] = {}
        self.rings: dict[str, Ring] = {}
        self.delays: dict[Edge, Rule] = {}
        self.results: dict[int, Events] = {}

    def add_stages(
        self, timings: Mapping[str, StageTiming], give: Callable[[int, Events], None], read: Callable[[Edge], None]
    ) -> dict[int, Callable[[Events], None]]:
        """Add all stages; how each is made to wait for the departure of the tensor that it writes.

        Args:
            give: called with each tensor and its beats, before its readers are added.
            read: called with each edge whose reader has been added.
        """
        holds = {}
        for node in self.network.nodes:
            ports = timings[node.name].events(self.graph, node.name, self.frames)
            for position, (tensor, accepted) in enumerate(zip(node.inputs, ports.accepted, strict=True)):
                self.taken[tensor, node.name, position] = accepted
                read((tensor, node.name, position))
            if ports.ring is not None:
                self.rings[node.name] = ports.ring
            holds[node.output] = ports.hold
            give(node.output, ports.valid)
        return holds


def paced_events(
    network: Network,
    lanes: Mapping[int, int],
    timings: Mapping[str, StageTiming],
    interval: int,
    frames: int,
    delays: Mapping[Edge, int],
) -> NetworkEvents:
    """The events behind sources that spread a frame's beats evenly over each interval, with queues without limit on
    all edges, which delay beats by ``delays``."""
    found = NetworkEvents(network, frames)

    def read(edge: Edge) -> None:
        found.delays[edge] = found.taken[edge].after(found.valid[edge[0]], delays.get(edge, 0))

    paced_sources(found, lanes, interval, found.valid.__setitem__)
    found.add_stages(timings, found.valid.__setitem__, read)
    return found


def paced_sources(
    found: NetworkEvents, lanes: Mapping[int, int], interval: int, give: Callable[[int, Events], None]
) -> None:
    """Add the beats of all inputs, a frame's spread evenly over each interval."""
    for tensor in found.network.inputs.values():
        beats = found.network.shapes[tensor].beats(lanes[tensor])
        within = np.arange(beats, dtype=np.int64) * interval // beats
        times = (np.arange(found.frames)[:, None] * interval + within).ravel()
        give(tensor, found.graph.add(f"tensor {tensor} has a beat", times.size, None, times))


def bounded_events(
    network: Network,
    timings: Mapping[str, StageTiming],
    depths: Mapping[Edge, int],
    queue_latency: QueueLatency,
    input_edges: Mapping[int, InputEdgeTiming],
    output_edges: Mapping[int, OutputEdgeTiming],
    marks_latency: int,
    frames: int = 1,
    turns: Sequence[int] | None = None,
) -> NetworkEvents:
    """The events with given queues and windows between sources that are always valid and sinks that are always ready.

    Args:
        input_edges, output_edges: the AXI4-Stream edges, by the tensor within.
        marks_latency: of the queues in which the marks of frames wait for the frames' ends at the outputs.
        turns: the outputs in the order in which they leave, a packet of each in turn; None: each by itself.
    """
    found = NetworkEvents(network, frames)
    streams = Streams(found, depths, queue_latency)
    inputs = {}
    for tensor, edge in input_edges.items():
        inputs[tensor] = edge.events(found.graph, f"the input of tensor {tensor}", frames)
        streams.give(tensor, inputs[tensor].valid)
    holds = found.add_stages(timings, streams.give, streams.read)
    ends = found.graph.add("all inputs end a frame", frames)
    for tensor, edge in output_edges.items():
        port = tensor, "", 0
        name = f"the output of tensor {tensor}"
        found.taken[port], queued = edge.events(found.graph, name, frames)
        streams.read(port)
        queued.after_some(ends, marks_latency, edge.frame_ends(frames), range(frames))
        found.results[tensor] = edge.given(found.graph, name, queued)
    if turns is not None:
        take_turns(found.results, turns, frames)
    for tensor, events in inputs.items():
        events.connect(streams.left(tensor), ends)
    for tensor, hold in holds.items():
        hold(streams.left(tensor))
    return found


class Streams:
    """The queues and forks of streams.

    A fork gives each beat to every branch once, when that branch is ready, and the next one when all have it.
    """

    def __init__(self, found: NetworkEvents, depths: Mapping[Edge, int], queue_latency: QueueLatency):
        self.found, self.depths, self.queue_latency = found, depths, queue_latency
        self.readers = edges(found.network)
        self.queued: dict[Edge, Events] = {}  # when an edge's queue takes beats
        self.forked: dict[int, Events] = {}  # when all branches have a tensor's beat

    def give(self, tensor: int, valid: Events) -> None:
        """A tensor's beats, before its readers are there."""
        graph = self.found.graph
        self.found.valid[tensor] = valid
        if len(self.readers[tensor]) > 1:
            self.forked[tensor] = graph.add(f"all readers of tensor {tensor} have a beat", valid.count)
        for edge in self.readers[tensor]:
            if self.depths[edge]:
                self.queued[edge] = graph.add(f"the queue of tensor {tensor} for {edge[1]} takes a beat", valid.count)
                self._branch(tensor, self.queued[edge])

    def read(self, edge: Edge) -> None:
        """An edge whose reader is there."""
        reader = self.found.taken[edge]
        if queue := self.queued.get(edge):
            depth = self.depths[edge]
            reader.after(queue, self.queue_latency(depth))
            queue.after(reader, 1, lag=depth)
        else:
            self._branch(edge[0], reader)

    def left(self, tensor: int) -> Events:
        """When a tensor's beats leave their producer, all of whose readers are there."""
        if tensor in self.forked:
            return self.forked[tensor]
        (edge,) = self.readers[tensor]
        return self.queued.get(edge) or self.found.taken[edge]

    def _branch(self, tensor: int, taken: Events) -> None:
        taken.after(self.found.valid[tensor])
        if tensor in self.forked:
            self.forked[tensor].after(taken)
            taken.after(self.forked[tensor], 1, lag=1)
