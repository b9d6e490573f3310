"""Places of macros, the cells that lie in rows of their own (DSP blocks, block RAM), chosen before logic is placed.

nextpnr's analytic placer begins with all cells at one point, since little but three pins holds them, and moves each
macro from there to the nearest free site: in a device that is nearly full those of one stage end up far apart, and the
logic between them is stretched. Here macros are given sites first, those of a stage beside each other and stages that
exchange data side by side; nextpnr then places the logic around them.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .macro_wires import Annealing, couplings
from .stages import stage_of

MOVES = 4000
"""Tried for each macro."""
_HOT, _COLD = 0.5, 1e-5  # temperatures: of the cost a macro at the start, and of that at the end
_MOST_PINS = 64  # nets of more join everything (clock, enables) and say nothing of places
_PINS = 32  # of a usual macro: it is what a distance within a group counts against one between groups
_MOST_OF_ONE = 0.5  # of all macros, in one group: then it is no design of stages, and wires count instead of groups


@dataclass(frozen=True)
class Site:
    """A place for a macro: nextpnr's name, column and row."""

    name: str
    x: int
    y: int


def macro_places(
    netlist: Mapping[str, Any],
    top: str,
    sites: Mapping[str, Sequence[Site]],
    seed: int,
    doing: Callable[[str], None] = lambda text: None,
) -> dict[str, str]:
    """Cell → site of all macros of a flat netlist, by simulated annealing.

    What is made small is the sum, over macros, of their pins times their squared distance from the middle of their
    group, and, over pairs of groups, of the nets between them times the squared distance of their middles. A group are
    the macros of one instance of the design (:func:`~mbconv.fpga.flow.stages.stage_of`); instances without any count
    as part of the group that they share most nets with.

    Of a design that is one instance in the main, as an engine is, groups say nothing: there places follow from the
    wires between single macros (:mod:`.macro_wires`).

    Args:
        netlist: Yosys' JSON.
        sites: of each type of cell that is a macro.
        seed: another gives other places.
        doing: called with how far it is.

    Raises:
        ValueError: there are more macros of a type than sites.
    """
    cells = {name: cell for name, cell in netlist["modules"][top]["cells"].items() if cell["type"] != "$scopeinfo"}
    macros = [name for name, cell in cells.items() if cell["type"] in sites]
    for kind, places in sites.items():
        if (count := sum(cells[name]["type"] == kind for name in macros)) > len(places):
            raise ValueError(f"there are {count} {kind} for {len(places)} sites")
    if not macros:
        return {}
    groups, between = _groups(cells, macros)
    if max(Counter(groups).values()) > _MOST_OF_ONE * len(macros):
        return _by_wires(cells, macros, sites, seed, doing)
    annealing = _Annealing(
        kinds=[cells[name]["type"] for name in macros],
        weights=[_pins(cells[name]) / _PINS for name in macros],
        groups=groups,
        between=between,
        sites=sites,
        seed=seed,
    )
    annealing.run(doing)
    return dict(zip(macros, annealing.names(), strict=True))


def _by_wires(
    cells: Mapping[str, Any],
    macros: Sequence[str],
    sites: Mapping[str, Sequence[Site]],
    seed: int,
    doing: Callable[[str], None],
) -> dict[str, str]:
    """Cell → site by the couplings of single macros."""
    kinds = [cells[name]["type"] for name in macros]
    positions = {kind: [(place.x, place.y) for place in places] for kind, places in sites.items()}
    annealing = Annealing(couplings(cells, macros), kinds, positions, seed)
    annealing.run(doing)
    return {name: sites[kind][site].name for name, kind, site in zip(macros, kinds, annealing.site, strict=True)}


def _pins(cell: Mapping[str, Any]) -> int:
    """Those that are wired to something else than a constant."""
    return max(1, sum(isinstance(bit, int) for bits in cell["connections"].values() for bit in bits))


def _groups(cells: Mapping[str, Any], macros: Sequence[str]) -> tuple[list[int], list[dict[int, float]]]:
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


class _Annealing:
    """Macros on sites, groups by the sums of their macros' weighted places: a move costs a few additions.

    Σ w |p − c|² of a group, with c = Σ w p ÷ Σ w, is Σ w |p|² less |Σ w p|² ÷ Σ w.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        weights: Sequence[float],
        groups: Sequence[int],
        between: Sequence[Mapping[int, float]],
        sites: Mapping[str, Sequence[Site]],
        seed: int,
    ):
        self.weights, self.groups = weights, groups
        self.random = random.Random(seed)
        self.places = [place for kind in sorted(sites) for place in sites[kind]]
        found: dict[str, list[int]] = defaultdict(list)
        for index, kind in enumerate(one for one in sorted(sites) for _ in sites[one]):
            found[kind].append(index)
        self.possible = [found[kind] for kind in kinds]
        free = {kind: self.random.sample(places, len(places)) for kind, places in sorted(found.items())}
        self.site = [free[kind].pop() for kind in kinds]
        self.macro = [-1] * len(self.places)
        for macro, site in enumerate(self.site):
            self.macro[site] = macro
        count = len(between)
        self.total, self.x, self.y = [0.0] * count, [0.0] * count, [0.0] * count
        for macro, group in enumerate(groups):
            place, weight = self.places[self.site[macro]], weights[macro]
            self.total[group] += weight
            self.x[group] += weight * place.x
            self.y[group] += weight * place.y
        self.between = [[(other, nets / _PINS) for other, nets in links.items()] for links in between]

    def names(self) -> list[str]:
        """The site of each macro."""
        return [self.places[site].name for site in self.site]

    def cost(self) -> float:
        squares = sum(
            self.weights[macro] * (self.places[site].x ** 2 + self.places[site].y ** 2)
            for macro, site in enumerate(self.site)
        )
        return squares + sum(self._inside(group) + self._outside(group) / 2 for group in range(len(self.total)))

    def _inside(self, group: int) -> float:
        return -(self.x[group] ** 2 + self.y[group] ** 2) / self.total[group]

    def _outside(self, group: int, without: int = -1) -> float:
        x, y, found = self.x[group] / self.total[group], self.y[group] / self.total[group], 0.0
        for other, nets in self.between[group]:
            if other != without:
                across, up = x - self.x[other] / self.total[other], y - self.y[other] / self.total[other]
                found += nets * (across * across + up * up)
        return found

    def run(self, doing: Callable[[str], None]) -> None:
        """Exchange macros, or move one to a free site, ever more rarely for the worse."""
        moves = MOVES * len(self.site)
        hot = _HOT * max(self.cost(), 1.0) / len(self.site)
        temperature = hot
        for move in range(moves):
            if move % 1000 == 0:
                doing(f"places of {len(self.site)} macros, {move / moves:.0%}")
                temperature = hot * _COLD ** (move / moves)
            macro = self.random.randrange(len(self.site))
            target = self.possible[macro][int(self.random.random() * len(self.possible[macro]))]
            if target != self.site[macro]:
                self._try(macro, target, temperature)

    def _try(self, macro: int, target: int, temperature: float) -> None:
        origin, other = self.site[macro], self.macro[target]
        here, there = self.places[origin], self.places[target]
        moved = [(macro, here, there)] + ([(other, there, here)] if other >= 0 else [])
        groups = list(dict.fromkeys(self.groups[one] for one, _, _ in moved))
        before = [(self.x[group], self.y[group]) for group in groups]
        change = -self._around(groups)
        for one, source, goal in moved:
            group, weight = self.groups[one], self.weights[one]
            change += weight * (goal.x * goal.x + goal.y * goal.y - source.x * source.x - source.y * source.y)
            self.x[group] += weight * (goal.x - source.x)
            self.y[group] += weight * (goal.y - source.y)
        change += self._around(groups)
        if change <= 0 or self.random.random() < math.exp(-change / temperature):
            self.site[macro], self.macro[target], self.macro[origin] = target, macro, other
            if other >= 0:
                self.site[other] = origin
        else:
            for group, (x, y) in zip(groups, before, strict=True):
                self.x[group], self.y[group] = x, y

    def _around(self, groups: Sequence[int]) -> float:
        """What of the cost depends on the places of one or two groups."""
        found = self._inside(groups[0]) + self._outside(groups[0])
        if len(groups) == 2:
            found += self._inside(groups[1]) + self._outside(groups[1], without=groups[0])
        return found
