"""A lone frame between queues and windows without limit: how soon it can be done."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import count

import numpy as np

from ..stages.network import Network, Node
from .edge_timing import InputEdgeTiming, OutputEdgeTiming
from .event_graph import EventGraph
from .events import Times
from .ports import StageTiming

_MOST_BYTES = 1 << 28  # of times that are kept


class LoneFrames:
    """Counts of a lone frame in many plans of one network.

    Without limits to what waits no stage waits for those behind it. So when its beats leave depends only on itself and
    on what comes before it, and is counted once for all plans that agree so far.

    Attributes:
        events: how many were counted.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.events = network, 0
        self._known: dict[Hashable, tuple[int, Times]] = {}  # a number for what it was counted of, and the beats' times
        self._numbers, self._bytes = count(), 0

    def cycles(
        self,
        timings: Mapping[str, tuple[Hashable, StageTiming]],
        input_edges: Mapping[int, InputEdgeTiming],
        output_edges: Mapping[int, OutputEdgeTiming],
    ) -> int:
        """From the first beat of the frame at the inputs to the last at the outputs, at least: what queues and windows
        have of delay and of finite size is not counted.

        Args:
            timings: by node, what its event model depends on, and that.
            input_edges, output_edges: as of :func:`~mbconv.generators.timing.schedule.make_schedule`.
        """
        valid: dict[int, tuple[int, Times]] = {}
        for tensor, edge in input_edges.items():
            valid[tensor] = self._once(("input", tensor, edge), lambda edge=edge: _offered(edge))
        for node in self.network.nodes:
            key, timing = timings[node.name]
            inputs = [valid[tensor] for tensor in node.inputs]
            known = node.name, key, *(number for number, _ in inputs)
            valid[node.output] = self._once(
                known,
                lambda node=node, timing=timing, inputs=inputs: self._passed(node, timing, [t for _, t in inputs]),
            )
        return max(
            int(self._once(("output", edge, valid[tensor][0]), lambda e=edge, t=tensor: e.run(valid[t][1]))[1][-1])
            for tensor, edge in output_edges.items()
        )

    def _once(self, key: Hashable, find: Callable[[], Times]) -> tuple[int, Times]:
        if key not in self._known:
            if self._bytes > _MOST_BYTES:
                self._known.clear()
                self._bytes = 0
            times = find()
            self._known[key] = next(self._numbers), times
            self._bytes += times.nbytes
        return self._known[key]

    def _passed(self, node: Node, timing: StageTiming, inputs: Sequence[Times]) -> Times:
        """When a stage's beats are valid, whose inputs' are at these times."""
        graph = EventGraph()
        offered = [graph.add("a beat comes", times.size, None, times) for times in inputs]
        ports = timing.events(graph, node.name, 1)
        for accepted, events in zip(ports.accepted, offered, strict=True):
            accepted.after(events)
        graph.settle()
        self.events += sum(events.count for events in graph.classes)
        return ports.valid.times


def _offered(edge: InputEdgeTiming) -> Times:
    """When an input's beats are there, whose edge is offered a beat each cycle."""
    return edge.run(np.zeros(edge.gearbox.beats_in, np.int64))
