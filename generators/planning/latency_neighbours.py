"""Better plans beside a plan: foldings exchanged for each other, the lanes of all streams as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .choices import Choice, stage_choices
from .latency_counts import LatencyCounts
from .plan import Plan
from .plan_cycles import interval_of

_EXCHANGES = 24  # that are counted at once, of those that promise most


class Neighbours:
    """The plans that have a plan's lanes.

    Args:
        limit: cycles that stages may take for a frame.
    """

    def __init__(self, counts: LatencyCounts, plan: Plan, budget: int, limit: int) -> None:
        self.counts, self.plan, self.budget = counts, plan, budget
        network = counts.network
        most = budget - len(network.folded) + 1
        self.choices: dict[int, list[Choice]] = {}
        self.places: dict[int, int] = {}
        for node, circuit in network.folded:
            lanes = plan.lanes[node.inputs[0]], plan.lanes[node.output]
            index = node.operator.index
            self.choices[index] = stage_choices(network, node, circuit, limit, most, lanes)
            cycles = circuit.cycles(network, node, plan.foldings[index], plan.lanes)
            self.places[index] = max(p for p, choice in enumerate(self.choices[index]) if choice.cycles >= cycles)

    def made(self, places: dict[int, int]) -> Plan:
        """The plan with these choices."""
        foldings = {index: self.choices[index][place].folding for index, place in places.items()}
        interval = interval_of(self.counts.network, foldings, self.plan.lanes)
        return replace(self.plan, foldings=foldings, interval=interval)

    def cycles(self, places: dict[int, int]) -> int:
        return self.counts.cycles(self.made(places))

    def descend(self, most: int) -> tuple[Plan, int]:
        """Exchange foldings as long as that makes a lone frame sooner, or as soon with fewer multipliers; the plan and
        its cycles.

        Args:
            most: events that may have been counted before the last exchange.
        """
        now = self.cycles(self.places)
        while self.counts.events < most:
            found = [(self.cycles(places), self._multipliers(places), places) for places in self._exchanges(now)]
            better = min(found, key=lambda one: one[:2], default=None)
            if better is None or better[:2] >= (now, self._multipliers(self.places)):
                break
            now, _, self.places = better
        return self.made(self.places), now

    def _multipliers(self, places: dict[int, int]) -> int:
        return sum(self.choices[index][place].multipliers for index, place in places.items())

    def _exchanges(self, now: int) -> list[dict[int, int]]:
        """The exchanges that promise most, from what each stage's next faster and slower choice alone would do."""
        slack = self.budget - self._multipliers(self.places)
        faster, slower = dict(self._steps(now, 1)), dict(self._steps(now, -1))
        promises: list[tuple[int, int, dict[int, int]]] = []
        cheapest = sorted(slower, key=lambda index: slower[index][0] / slower[index][1])
        for index, (loss, saved) in slower.items():
            promises.append((loss, -saved, {index: -1}))
        for index, (loss, saved) in faster.items():
            lacking = -saved - slack
            for first in [(), *((one,) for one in cheapest if one != index)]:
                taken, left = list(first), lacking - sum(slower[one][1] for one in first)
                for other in cheapest:
                    if left <= 0:
                        break
                    if other not in (index, *taken):
                        taken.append(other)
                        left -= slower[other][1]
                if left <= 0:
                    lost = loss + sum(slower[one][0] for one in taken)
                    promises.append((lost, -left, {index: 1} | dict.fromkeys(taken, -1)))
        promises.sort(key=lambda one: (one[0], one[1], sorted(one[2].items())))
        return [
            {index: place + steps.get(index, 0) for index, place in self.places.items()}
            for _, _, steps in promises[:_EXCHANGES]
        ]

    def _steps(self, now: int, step: int) -> Iterator[tuple[int, tuple[int, int]]]:
        """Of stages with a choice one step on: the cycles that a lone frame loses by it, and the multipliers saved."""
        for index, place in self.places.items():
            if 0 <= place + step < len(self.choices[index]):
                there, here = self.choices[index][place + step], self.choices[index][place]
                loss = self.cycles({**self.places, index: place + step}) - now
                yield index, (loss, here.multipliers - there.multipliers)
