"""A lone frame between queues and windows without limit: how soon it can be done, and which stages it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..stages.network import Network
from .critical_path import critical_path
from .edge_timing import InputEdgeTiming, OutputEdgeTiming
from .network_events import lone_events
from .timing import StageTiming


@dataclass(frozen=True)
class LoneFrame:
    """What counting gives.

    Attributes:
        cycles: from the first beat of the frame at the inputs to the last at the outputs, at least: what queues and
            windows have of finite size and of delay is not counted.
        spent: by node, the cycles of them that pass while the frame waits for it.
    """

    cycles: int
    spent: dict[str, int]


def count_lone_frame(
    network: Network,
    timings: Mapping[str, StageTiming],
    input_edges: Mapping[int, InputEdgeTiming],
    output_edges: Mapping[int, OutputEdgeTiming],
) -> LoneFrame:
    """Count the events of one frame; arguments as of :func:`~mbconv.generators.timing.schedule.make_schedule`."""
    offered = {t: edge.run(np.zeros(edge.gearbox.beats_in, np.int64)) for t, edge in input_edges.items()}
    count = lone_events(network, timings, offered)
    count.graph.settle()
    ends = {t: int(edge.run(count.valid[t].times)[-1]) for t, edge in output_edges.items()}
    last = max(ends, key=lambda tensor: ends[tensor])
    path = critical_path(count.valid[last], count.valid[last].count - 1)
    spent = {name: sum(path.get(events, 0) for events in classes) for name, classes in count.stages.items()}
    return LoneFrame(ends[last], {name: cycles for name, cycles in spent.items() if cycles})
