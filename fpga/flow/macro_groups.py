"""Places of the macros of a design of stages: the group of each, and what places cost then.

The cost is the sum, over macros, of their pins times their squared distance from the middle of their group, and, over
pairs of groups, of the nets between them times the squared distance of their middles.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from .annealing import Position, Step
from .stages import stage_of

_MOST_PINS = 64  # nets of more join everything (clock, enables) and say nothing of places
_PINS = 32  # of a usual macro: it is what a distance within a group counts against one between groups


def pins(cell: Mapping[str, Any]) -> int:
    """Those that are wired to something else than a constant."""
    return max(1, sum(isinstance(bit, int) for bits in cell["connections"].values() for bit in bits))


def groups_of(cells: Mapping[str, Any], macros: Sequence[str]) -> tuple[list[int], list[dict[int, float]]]:
    """The group of each macro, and for each group the nets to others."""
    instance = {name: stage_of(f"{name}.port") for name in cells}
    nets: dict[int, list[str]] = defaultdict(list)
    for name, cell in cells.items():
        for bits in cell["connections"].values():
            for bit in bits:
                if isinstance(bit, int):
                    nets[bit].append(instance[name])
    shared: dict[str, Counter] = {name: Counter() for name in sorted(set(instance.values()))}
    for pins in nets.values():
        ends = sorted(set(pins)) if len(pins) <= _MOST_PINS else []
        for index, one in enumerate(ends):
            for other in ends[index + 1 :]:
                shared[one][other] += 1 / (len(ends) - 1)
                shared[other][one] += 1 / (len(ends) - 1)
    holding = {instance[name] for name in macros}
    for name in [name for name in shared if name not in holding]:
        neighbours = shared.pop(name)
        closest = max(sorted(neighbours), key=lambda other: neighbours[other], default=None)
        for other, count in neighbours.items():
            del shared[other][name]
            if other != closest:
                shared[closest][other] += count
                shared[other][closest] += count
    number = {name: index for index, name in enumerate(shared)}
    between = [{number[other]: count for other, count in shared[name].items()} for name in shared]
    return [number[instance[name]] for name in macros], between


class GroupCost:
    """Groups by the sums of their macros' weighted places: a move costs a few additions.

    Σ w |p − c|² of a group, with c = Σ w p ÷ Σ w, is Σ w |p|² less |Σ w p|² ÷ Σ w.

    Args:
        pins: of each macro.
        groups: of each macro.
        between: of each group, the nets to others.
    """

    HOT = 0.5

    def __init__(self, pins: Sequence[int], groups: Sequence[int], between: Sequence[Mapping[int, float]]) -> None:
        self.weights, self.groups = [count / _PINS for count in pins], groups
        self.between = [[(other, nets / _PINS) for other, nets in links.items()] for links in between]

    def begin(self, places: Sequence[Position]) -> float:
        count = len(self.between)
        self.total, self.x, self.y = [0.0] * count, [0.0] * count, [0.0] * count
        for group, weight, (x, y) in zip(self.groups, self.weights, places, strict=True):
            self.total[group] += weight
            self.x[group] += weight * x
            self.y[group] += weight * y
        squares = sum(weight * (x**2 + y**2) for weight, (x, y) in zip(self.weights, places, strict=True))
        return squares + sum(self._inside(group) + self._outside(group) / 2 for group in range(count))

    def renew(self) -> None:
        """A move that is undone leaves no error; those of the others stay small."""

    def change(self, steps: Sequence[Step]) -> float:
        groups = list(dict.fromkeys(self.groups[macro] for macro, _, _ in steps))
        self.before = [(group, self.x[group], self.y[group]) for group in groups]
        change = -self._around(groups)
        for macro, here, there in steps:
            group, weight = self.groups[macro], self.weights[macro]
            change += weight * (there[0] * there[0] + there[1] * there[1] - here[0] * here[0] - here[1] * here[1])
            self.x[group] += weight * (there[0] - here[0])
            self.y[group] += weight * (there[1] - here[1])
        return change + self._around(groups)

    def keep(self) -> None:
        """It is made already."""

    def undo(self) -> None:
        for group, x, y in self.before:
            self.x[group], self.y[group] = x, y

    def _inside(self, group: int) -> float:
        return -(self.x[group] ** 2 + self.y[group] ** 2) / self.total[group]

    def _outside(self, group: int, without: int = -1) -> float:
        x, y, found = self.x[group] / self.total[group], self.y[group] / self.total[group], 0.0
        for other, nets in self.between[group]:
            if other != without:
                across, up = x - self.x[other] / self.total[other], y - self.y[other] / self.total[other]
                found += nets * (across * across + up * up)
        return found

    def _around(self, groups: Sequence[int]) -> float:
        """What of the cost depends on the places of one or two groups."""
        found = self._inside(groups[0]) + self._outside(groups[0])
        if len(groups) == 2:
            found += self._inside(groups[1]) + self._outside(groups[1], without=groups[0])
        return found
