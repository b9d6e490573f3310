"""How soon a lone frame is done in many plans of a network, at least."""

from __future__ import annotations

from mbconv.hdl.family import GENERIC, Family

from ..emission.plan_edges import edge_timings, plan_edges
from ..stages.network import Network
from ..timing.lone_frame import LoneFrames
from .made_stages import MadeStages
from .plan import Plan


class LatencyCounts:
    """Counts of plans; each stage is made once, and what plans have in common is counted once."""

    def __init__(self, network: Network, family: Family = GENERIC) -> None:
        self.network = network
        self._made, self._frames = MadeStages(network, family), LoneFrames(network)
        self._edges: dict[tuple, dict] = {}

    @property
    def events(self) -> int:
        """How many were counted: the work so far, which no clock tells."""
        return self._frames.events

    def cycles(self, plan: Plan) -> int:
        """Of a lone frame, with queues and windows without limit."""
        made = self._made
        timings = {n.name: (made.key(n, plan), made.stage(n, plan).timing) for n in self.network.nodes}
        return self._frames.cycles(timings, **self._edge_timings(plan))

    def _edge_timings(self, plan: Plan) -> dict:
        ends = *self.network.inputs.values(), *self.network.outputs
        known = *(plan.lanes[tensor] for tensor in ends), plan.interval if len(self.network.outputs) > 1 else 0
        if known not in self._edges:
            self._edges[known] = edge_timings(self.network, *plan_edges(self.network, plan, merged=False))
        return self._edges[known]
