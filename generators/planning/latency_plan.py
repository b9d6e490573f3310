"""The plan in which a lone frame is done soonest, within a number of multipliers.

A lone frame passes through a pipeline in a chain of waits: for a stage's first rows here, for the rest of another's
pixels there. Late stages, whose maps are small, let it wait for most of their cycles, early ones for a part of them. So
multipliers are worth more in late stages than an interval makes of them.

The search begins with the plan of least interval and with some of longer ones, which leave multipliers for others. In
each, foldings are exchanged for neighbouring ones (:mod:`.latency_neighbours`) until none makes a lone frame sooner;
then the lanes of all streams are chosen anew for the cycles found, which may save multipliers, and it goes on. All this
is counted with queues and windows without limit (:mod:`~mbconv.generators.timing.lone_frame`), with which nothing is
later, and little is sooner. The best plans are made into designs, whose latency is exact, and the one of the least is
taken. No step depends on time or chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..emission.design import make_design
from ..graph.graph import GraphError
from ..stages.network import Network
from .device import Device
from .interval_search import IntervalSearch
from .latency_counts import LatencyCounts
from .latency_neighbours import Neighbours
from .plan import Plan
from .plan_cycles import stage_cycles
from .planner import plan_for_interval, plan_for_multipliers, slowest_interval

_STARTS = 3  # plans to begin with
_LONGER = 32  # of the cycles of one the part that the next takes more, at least
_EXACT = 3  # plans that are made into designs
_EVENTS = 1_500_000_000  # counted from all starts together, so that large networks end in reasonable time


def plan_for_latency(
    network: Network, multipliers: int, limit: int | None = None, device: Device | None = None
) -> Plan:
    """The plan found for a lone frame, with at most ``multipliers`` multipliers; pixels share nothing.

    Args:
        limit: the interval that it must keep.
        device: the FPGA that the design is for.

    Raises:
        GraphError: fewer multipliers than stages that need one, or than the interval needs.
    """
    search = LatencySearch(network, multipliers, limit, device)
    for place, start in enumerate(search.starts()):
        search.improve(start, _EVENTS * (place + 1) // _STARTS)

    def latency(plan: Plan) -> tuple[int, int, int]:
        design = make_design(network.graph, plan=plan, device=device)
        return design.schedule.latency, plan.multipliers, plan.interval

    return min(search.found[:_EXACT], key=latency)


class LatencySearch:
    """The search of plans for a lone frame; arguments as of :func:`plan_for_latency`."""

    def __init__(self, network: Network, budget: int, limit: int | None = None, device: Device | None = None) -> None:
        self.network, self.budget = network, budget
        self.limit = slowest_interval(network) if limit is None else limit
        self.counts = LatencyCounts(network) if device is None else LatencyCounts(network, device.circuits)
        self._found: dict[tuple, tuple[int, Plan]] = {}

    @property
    def found(self) -> list[Plan]:
        """The plans found, the best first."""
        ordered = sorted(self._found.values(), key=lambda one: (one[0], one[1].multipliers, one[1].interval))
        return [plan for _, plan in ordered]

    def starts(self) -> Iterator[Plan]:
        """The plan of least interval, then plans of longer ones.

        Raises:
            GraphError: as :func:`plan_for_latency`.
        """
        plan = plan_for_multipliers(self.network, self.budget, sharing=False)
        if plan.interval > self.limit:
            raise GraphError(
                f"{self.budget:,} multipliers are too few for {self.limit:,} cycles a frame: {plan.interval:,} is the "
                "least interval that they give"
            )
        for _ in range(_STARTS):
            yield plan
            longer = plan.interval + max(plan.interval // _LONGER, 1)
            following = plan_for_interval(self.network, min(longer, self.limit), sharing=False)
            while following is not None and following.interval == plan.interval and longer < self.limit:
                longer += max(longer // _LONGER, 1)
                following = plan_for_interval(self.network, min(longer, self.limit), sharing=False)
            if following is None or following.interval == plan.interval:
                return
            plan = following

    def improve(self, plan: Plan, most: int) -> None:
        """Go on from a plan until nothing makes a lone frame sooner, or ``most`` events have been counted."""
        best = None
        while plan is not None and plan.multipliers <= self.budget:
            plan = replace(plan, budget=self.budget, for_latency=True)
            better, cycles = Neighbours(self.counts, plan, self.budget, self.limit).descend(most)
            self._note(better, cycles)
            if best is not None and cycles >= best:
                return
            best = cycles
            plan = self._with_other_lanes(better)

    def _with_other_lanes(self, plan: Plan) -> Plan | None:
        """The plan of fewest multipliers with stages that take as many cycles as in another."""
        nodes = [node for node, _ in self.network.folded]
        cycles: Mapping[int, int] = {n.operator.index: stage_cycles(self.network, n, plan) for n in nodes}
        return IntervalSearch(self.network, self.limit, sharing=False, fewer=cycles).best()

    def _note(self, plan: Plan, cycles: int) -> None:
        self._found[*plan.foldings.values(), *plan.lanes.values()] = cycles, plan
