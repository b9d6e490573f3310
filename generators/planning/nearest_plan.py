"""Of the plans of a network, the fastest that fits a device, or else the one that comes nearest to it: that needs its
scarcest resource the fewest times.

To count a design takes most of a second or more, and a network has hundreds of plans. So each plan has a lower bound of
what it needs, which is sharpened only while it is the least of all (best first, as A* does; P. Hart, N. Nilsson and
B. Raphael, 1968):

1. the memories of its weights, from the foldings alone;
2. its stages with their constants, windows in the least size that works, and no queues: each stage is made once for all
   plans that share it;
3. the design, counted.

A design that comes first with its own count is nearest: all others need more. What fits is sought from the shortest
interval on, past all plans that a bound excludes. As many are counted at once as there are processors.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from math import inf

from mbconv.hdl.cost import NOTHING, Cost, MemoryCost
from mbconv.hdl.processes import in_processes, processors

from ..constants.weights import effective_weights, weight_bits
from ..emission.design import Design, shared_stages
from ..stages.network import Network, Node
from ..stages.stage import Stage
from .device import Device
from .folding import ceil_div
from .made_stages import MadeStages
from .plan import Plan
from .planner import plan_for_interval, slowest_interval
from .rom_pieces import PORT, pieces_of
from .use import Use, scarcest, uses


def list_plans(network: Network, shortest: int, budget: int | None) -> tuple[Plan, ...]:
    """The plans of fewest multipliers for every interval from ``shortest`` on, the longest interval first.

    In none of them pixels share groups of outputs: that saves a few multipliers and takes LUTs and block RAM, which are
    what devices are short of.

    Few intervals have a plan of their own: a stage's cycles are products of a few quotients rounded up, and what
    matters is the slowest stage's.

    Args:
        shortest: an interval that a plan exists for.
        budget: of the plans.
    """
    plans: list[Plan] = []
    interval = slowest_interval(network)
    while interval >= shortest:
        plan = plan_for_interval(network, interval, sharing=False)
        assert plan is not None
        plans.append(Plan(plan.foldings, plan.lanes, plan.interval, budget))
        interval = plan.interval - 1
    return tuple(plans)


class NearestSearch:
    """The search among plans of a network for a device.

    Args:
        make: from a plan to its design.
        count: from a design to its cost.

    Attributes:
        counted: how many designs were made and counted.
    """

    def __init__(
        self, network: Network, device: Device, make: Callable[[Plan], Design], count: Callable[[Design], Cost]
    ) -> None:
        self.network, self.device, self._make, self.count = network, device, make, count
        self.counted = 0
        self._found: dict[int, float] = {}  # by interval, what was counted
        self._weights = [(node.operator.index, *self._weight_shape(node)) for node, _ in network.folded]
        self._made = MadeStages(network, device.circuits)
        self._costs: dict[tuple, Cost] = {}

    def nearest(self, plans: Sequence[Plan]) -> Design:
        """The plan whose scarcest resource is needed the fewest times; of equal ones that of the shortest interval."""
        heap: list[tuple[float, int, bool, Plan]] = [
            (self.weights_bound(plan), plan.interval, False, plan) for plan in plans
        ]  # intervals differ, so plans are never compared
        heapq.heapify(heap)
        best: tuple[float, int] = inf, 0
        nearest: Plan | None = None
        while heap and heap[0][:2] < best:
            together: list[Plan] = []
            while heap and heap[0][:2] < best and len(together) < processors():
                bound, interval, sharpened, plan = heapq.heappop(heap)
                if sharpened:
                    together.append(plan)
                else:
                    heapq.heappush(heap, (max(bound, self.stages_bound(plan)), interval, True, plan))
            for plan, times in zip(together, self._counts(together), strict=True):
                if (times, plan.interval) < best:
                    best, nearest = (times, plan.interval), plan
        assert nearest is not None
        return self._make(nearest)

    def _times(self, plan: Plan) -> float:
        """How many times a plan's design needs its scarcest resource."""
        return scarcest(uses(self.count(self._make(plan)), self.device))

    def _counts(self, plans: Sequence[Plan]) -> list[float]:
        """:meth:`_times` of several plans, each counted once, in a process each."""
        new = [plan for plan in plans if plan.interval not in self._found]
        self.counted += len(new)
        self._found |= {plan.interval: times for plan, times in zip(new, in_processes(self._times, new), strict=True)}
        return [self._found[plan.interval] for plan in plans]

    def fastest(self, plans: Sequence[Plan]) -> Design | None:
        """The plan of the shortest interval that fits; None if none does."""
        possible = [plan for plan in plans if not self.impossible(plan)]
        possible.sort(key=lambda plan: plan.interval)
        for first in range(0, len(possible), processors()):
            together = possible[first : first + processors()]
            for plan, times in zip(together, self._counts(together), strict=True):
                if times <= 1:
                    return self._make(plan)
        return None

    def impossible(self, plan: Plan) -> bool:
        """Whether a plan's weights or stages alone are known to need more than there is."""
        return self.weights_bound(plan) > 1 or self.stages_bound(plan) > 1

    def weights_bound(self, plan: Plan) -> float:
        """How many times the scarcest resource is needed at least, for the weights alone."""
        memories = []
        for index, channels, reduction, bits in self._weights:
            folding = plan.foldings[index]
            groups = channels // folding.outputs if folding.pixels > 1 else ceil_div(channels, folding.outputs)
            depth = groups * ceil_div(reduction, folding.inputs)
            memories.append(MemoryCost(folding.multipliers * bits, depth, constant=True))
        return scarcest(uses(Cost(memories=tuple(memories), multipliers=plan.multipliers), self.device))

    def stages_bound(self, plan: Plan) -> float:
        """How many times the scarcest resource is needed at least, without queues and what windows grow."""
        return scarcest(self.stages_uses(plan))

    def stages_uses(self, plan: Plan) -> tuple[Use, ...]:
        """What a plan's stages need, without queues and what windows grow."""
        keys = {node.name: self._made.key(node, plan) for node in self.network.nodes}
        shared = shared_stages(self._made.stages(plan), self.device)
        together = sum((self._cost(keys[name], stage) for name, stage in shared.items()), NOTHING)
        return uses(together, self.device)

    @staticmethod
    def _weight_shape(node: Node) -> tuple[int, int, int]:
        weights = effective_weights(node)
        return *weights.shape, weight_bits(weights)

    def _cost(self, key: tuple, stage: Stage) -> Cost:
        """What a stage takes at least."""
        key = *key, None if stage.mac is None else stage.mac.dsp
        if key not in self._costs:
            pieces = stage.with_rom_pieces({PORT: pieces_of(stage, self.device)})
            self._costs[key] = pieces.least_cost(self.device.circuits)
        return self._costs[key]
