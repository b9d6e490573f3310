"""The schedule: queue depths, window capacities, interval and latency of a folded network, by counting tokens.

Sizes come from a source paced at the interval and queues without limit: whatever is then waiting at once is what a
queue must hold. Stages are fixed-rate dataflow, so that capacities which admit this schedule cannot deadlock, and under
any stalls lose no throughput (E. Lee, D. Messerschmitt, "Synchronous data flow", 1987). The latency is counted with
these capacities and a source that is always valid, back-pressure included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..graph.graph import GraphError
from ..stages.network import Network, Node
from .edge_timing import InputEdgeTiming, OutputEdgeTiming
from .timing import ConvolutionTiming, DepthwiseTiming, StageTimes, Times, at_least, delayed_by, spaced

Edge = tuple[int, str, int]
"""A tensor, the node that reads it (empty: an output port) and which of the node's inputs it is."""


@dataclass(frozen=True)
class Schedule:
    """What counting gives.

    Attributes:
        interval: cycles between frames.
        latency: cycles from the first input beat accepted to the last output beat of the first frame.
        depths: beats of the queue on each edge, 0 for none.
        reasons: why each queue is there.
        capacities: pixels of each window's ring, by node name.
        stage_cycles: cycles of each node's busiest resource for a frame.
    """

    interval: int
    latency: int
    depths: dict[Edge, int]
    reasons: dict[Edge, str]
    capacities: dict[str, int]


def edges(network: Network) -> dict[int, list[Edge]]:
    """The readers of each tensor, in the order in which a fork serves them."""
    found: dict[int, list[Edge]] = {tensor: [] for tensor in network.shapes}
    for node in network.nodes:
        for position, tensor in enumerate(node.inputs):
            found[tensor].append((tensor, node.name, position))
    for tensor in network.outputs:
        found[tensor].append((tensor, "", 0))
    return found


class TokenCount:
    """Counts a network's tokens forwards and, for back-pressure, backwards until nothing changes."""

    def __init__(self, network: Network, lanes: Mapping[int, int], timings: Mapping[str, object], queue_latency):
        self.network, self.lanes = network, lanes
        self.timings = dict(timings)
        self.queue_latency = queue_latency
        self.edges = edges(network)
        self.depths: dict[Edge, int] = {}
        self.delays: dict[Edge, int] = {}  # of queues without limit
        self.entering: dict[int, InputEdgeTiming] = {}  # by the tensor within; without them beats come from source()
        self.results: dict[str, StageTimes] = {}
        self.valid: dict[int, Times] = {}
        self.popped: dict[Edge, Times] = {}
        self.counted: dict[str, list[tuple[Times, int]]] = {}  # what a node was last counted with

    @property
    def all_edges(self) -> list[Edge]:
        return [edge for readers in self.edges.values() for edge in readers]

    def source(self, frames: int, interval: int) -> None:
        """Input beats spread evenly over each interval; 0: as fast as they are taken."""
        for tensor in self.network.inputs.values():
            beats = self.network.shapes[tensor].beats(self.lanes[tensor])
            within = np.arange(beats, dtype=np.int64) * interval // beats
            self.valid[tensor] = (np.arange(frames)[:, None] * interval + within).ravel()

    def _arrives(self, edge: Edge) -> Times:
        """When each beat of an edge reaches its reader, behind the edge's queue."""
        times = self.valid[edge[0]]
        depth = self.depths.get(edge, 0)
        if not depth:
            return times + self.delays.get(edge, 0)
        limit = delayed_by(self.popped[edge], times.size, depth, 1) if edge in self.popped else None
        entered = spaced(at_least(times, limit), 1)
        return entered + self.queue_latency(depth)

    def _taken(self, tensor: int) -> Times | None:
        """When each beat of a tensor leaves its producer, as far as known: when the last of its readers has it."""
        known = None
        for edge in self.edges[tensor]:
            if edge not in self.popped:
                continue
            popped, depth = self.popped[edge], self.depths.get(edge, 0)
            taken = delayed_by(popped, popped.size, depth, 1) if depth else popped
            if tensor in self.valid:
                taken = spaced(np.maximum(taken, self.valid[tensor]), 1)
            known = at_least(taken, known)
        return known

    def step(self, node: Node, blocking: bool) -> bool:
        """Count one node; whether anything changed."""
        arrivals = [self._arrives((tensor, node.name, position)) for position, tensor in enumerate(node.inputs)]
        result = self.timings[node.name].run(arrivals, self._taken(node.output) if blocking else None)
        before = self.results.get(node.name)
        if before is not None and (
            np.array_equal(before.valid, result.valid) and all(map(np.array_equal, before.accepted, result.accepted))
        ):
            return False
        self.results[node.name] = result
        self.valid[node.output] = result.valid
        for position, tensor in enumerate(node.inputs):
            self.popped[tensor, node.name, position] = result.accepted[position]
        return True

    def enter(self, blocking: bool) -> bool:
        """Count the edges of the inputs, offered AXI4-Stream beats as fast as they take them; whether anything
        changed."""
        changed = False
        for tensor, edge in self.entering.items():
            offered = np.arange(edge.beats_in, dtype=np.int64)
            valid = edge.run(offered, self._taken(tensor) if blocking else None)
            changed |= tensor not in self.valid or not np.array_equal(valid, self.valid[tensor])
            self.valid[tensor] = valid
        return changed

    def forwards(self) -> None:
        """Count every node once, with no back-pressure between stages; those whose input has not changed stay.

        Meant for queues without limit, whose beats arrive ``delays`` later whatever their readers do.
        """
        self.enter(False)
        for node in self.network.nodes:
            edges_in = [(tensor, node.name, position) for position, tensor in enumerate(node.inputs)]
            given = [(self.valid[edge[0]], self.delays.get(edge, 0)) for edge in edges_in]
            before = self.counted.get(node.name, ())
            if len(before) == len(given) and all(
                a is b and x == y for (a, x), (b, y) in zip(before, given, strict=True)
            ):
                continue
            self.counted[node.name] = given
            self.step(node, False)
        for tensor in self.network.outputs:
            self.popped[tensor, "", 0] = spaced(self._arrives((tensor, "", 0)), 1)

    def settle(self, sweeps: int = 50) -> None:
        """Count forwards and backwards until the back-pressure is consistent.

        Raises:
            GraphError: it does not settle, which means a queue too small to make progress.
        """
        self.forwards()
        for _ in range(sweeps):
            changed = [self.step(node, True) for node in reversed(self.network.nodes)]
            changed.append(self.enter(True))
            changed += [self.step(node, True) for node in self.network.nodes]
            for tensor in self.network.outputs:
                self.popped[tensor, "", 0] = spaced(self._arrives((tensor, "", 0)), 1)
            if not any(changed):
                return
        raise GraphError("the schedule does not settle: a queue or window of this plan is too small to make progress")


_SIZING_ROUNDS = 16  # two to four settle it


def _waiting(valid: Times, popped: Times, occupied: int = 0) -> int:
    """The most beats valid and not yet taken, each counted until ``occupied`` cycles after it is taken."""
    left = np.searchsorted(popped + occupied, valid, side="right")
    return int((np.arange(1, valid.size + 1) - left).max())


def make_schedule(
    network: Network,
    lanes: Mapping[int, int],
    timings: Mapping[str, object],
    interval: int,
    queue_latency,
    round_capacity,
    input_edges: Mapping[int, InputEdgeTiming],
    output_edges: Mapping[int, OutputEdgeTiming],
    frames: int = 3,
) -> Schedule:
    """Size every queue and window for ``interval`` and count the latency.

    Args:
        timings: the event model of each node by name, windows with unlimited capacity.
        queue_latency: a queue's latency as a function of its depth.
        round_capacity: ``(node name, pixels)`` → the capacity of the node's window that holds so many.
        input_edges, output_edges: the event models of the AXI4-Stream edges, by the tensor within.
    """
    count = TokenCount(network, lanes, timings, queue_latency)
    count.source(frames, interval)
    count.forwards()
    queued = [edge for edge in count.all_edges if edge[1] and _waiting(count.valid[edge[0]], count.popped[edge])]
    depths = dict.fromkeys(count.all_edges, 0)
    for _ in range(_SIZING_ROUNDS):
        # A queue delays what passes it, which other queues must make up for.
        needed = {edge: _waiting(count.valid[edge[0]], count.popped[edge], 1) for edge in queued}
        if all(needed[edge] <= depths[edge] for edge in queued):
            break
        depths |= {edge: max(needed[edge], depths[edge]) for edge in queued}
        count.delays = {edge: queue_latency(depths[edge]) for edge in queued}
        count.forwards()
    else:
        raise GraphError(f"the queues of this plan are not settled after {_SIZING_ROUNDS} rounds of counting")
    reasons = {edge: _reason(network, edge) for edge in count.all_edges}
    capacities = {
        name: round_capacity(name, result.marks["live_pixels"])
        for name, result in count.results.items()
        if "live_pixels" in result.marks
    }
    bounded = {name: _bounded(timing, capacities.get(name)) for name, timing in timings.items()}
    latency = count_latency(network, lanes, bounded, depths, queue_latency, input_edges, output_edges)
    return Schedule(interval, latency, depths, reasons, capacities)


def _bounded(timing, capacity: int | None):
    if isinstance(timing, (DepthwiseTiming, ConvolutionTiming)):
        return replace(timing, window=replace(timing.window, capacity=capacity))
    return timing


def count_latency(network, lanes, timings, depths, queue_latency, input_edges, output_edges) -> int:
    """Cycles from the first input beat accepted to the last output beat of one frame, the source always valid, the
    sink always ready."""
    count = TokenCount(network, lanes, timings, queue_latency)
    count.depths = dict(depths)
    count.entering = dict(input_edges)
    count.settle()
    return max(int(output_edges[tensor].run(count.popped[tensor, "", 0])[-1]) for tensor in network.outputs)


def _reason(network: Network, edge: Edge) -> str:
    _, reader, _ = edge
    if not reader:
        return "output port"
    node = next(n for n in network.nodes if n.name == reader)
    if node.kind == "add":
        return "residual: waits for the other branch"
    if node.kind in ("depthwise", "convolution"):
        return "burst of the stage before it"
    return "burst of the stage before it, worked off between bursts"
