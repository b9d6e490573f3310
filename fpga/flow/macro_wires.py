"""Places of the macros of a design that is one instance: how strongly each two are joined, and what places cost then.

An engine is no chain of stages: nearly all its macros are in one instance, and what decides is which block RAM feeds
which multiplier through which logic. Here every wire is a spring, and logic is where the springs pull it: two macros
are joined by what is left of the springs between them once the logic is eliminated. The cost of a placement is the sum
of these couplings times squared distances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .annealing import Position, Step

_MOST_NODES = 3000  # of logic that are eliminated: cells that are joined most are merged until there are no more
_MOST_PINS = 64  # nets of more (clock, enables) join everything and say nothing of places


def couplings(cells: Mapping[str, Any], macros: Sequence[str]) -> np.ndarray:
    """The Laplacian of the macros: minus the coupling of each two beside the diagonal, rows that sum to 0.

    A net of k pins counts 1 ÷ (k − 1) for each two of them.

    Args:
        cells: of a flat netlist in Yosys' JSON, by name.
    """
    number = {name: index for index, name in enumerate(dict.fromkeys((*macros, *cells)))}
    edges = _edges(cells, number)
    owner = _merged(edges, len(macros), len(number))
    nodes, one, other = int(owner.max()) + 1, owner[edges[0]], owner[edges[1]]
    laplacian = np.zeros((nodes, nodes))
    apart = one != other
    one, other, weight = one[apart], other[apart], edges[2][apart]
    for first, second, sign in ((one, other, -1), (other, one, -1), (one, one, 1), (other, other, 1)):
        np.add.at(laplacian, (first, second), sign * weight)
    count = len(macros)
    inner = laplacian[count:, count:] + 1e-6 * np.eye(nodes - count)  # parts without any macro hang on nothing
    return laplacian[:count, :count] - laplacian[:count, count:] @ np.linalg.solve(inner, laplacian[count:, :count])


def _edges(cells: Mapping[str, Any], number: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of cells that share nets, with the sum of their weights."""
    nets: dict[int, set[int]] = defaultdict(set)
    for name, cell in cells.items():
        for bits in cell["connections"].values():
            for bit in bits:
                if isinstance(bit, int):
                    nets[bit].add(number[name])
    found: dict[tuple[int, int], float] = defaultdict(float)
    for pins in nets.values():
        if 2 <= len(pins) <= _MOST_PINS:
            ends = sorted(pins)
            for place, first in enumerate(ends):
                for second in ends[place + 1 :]:
                    found[first, second] += 1 / (len(ends) - 1)
    pairs = np.array(list(found), np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], np.array(list(found.values()))


def _merged(edges: tuple[np.ndarray, np.ndarray, np.ndarray], macros: int, count: int) -> np.ndarray:
    """By cell its node: a macro its own, in their order; of other cells those that are joined most are one."""
    owner = np.arange(count)
    nodes = count
    while nodes - macros > _MOST_NODES:
        one, other = owner[edges[0]], owner[edges[1]]
        low, high = np.minimum(one, other), np.maximum(one, other)
        inside = (low >= macros) & (low != high)
        keys, place = np.unique(low[inside] * nodes + high[inside], return_inverse=True)
        weight = np.bincount(place, edges[2][inside])
        sizes = np.bincount(owner, minlength=nodes)
        low, high = keys // nodes, keys % nodes
        order = np.lexsort((keys, -weight / (sizes[low] * sizes[high])))  # small ones first, so that none takes all
        partner = np.arange(nodes)
        free = np.ones(nodes, bool)
        left = nodes - macros - _MOST_NODES
        for index in order:
            first, second = low[index], high[index]
            if free[first] and free[second]:
                partner[second] = first
                free[first] = free[second] = False
                left -= 1
                if not left:
                    break
        kept, owner_of = np.unique(partner, return_inverse=True)
        if len(kept) == nodes:
            break
        owner, nodes = owner_of[owner], len(kept)
    return owner


class WireCost:
    """The cost is p · L · p of places p in both directions: a step s of one macro changes it by 2 s · (L p) + s² L.

    Args:
        laplacian: of :func:`couplings`.
    """

    HOT = 0.3

    def __init__(self, laplacian: np.ndarray) -> None:
        self.laplacian = laplacian
        self.diagonal = laplacian.diagonal().tolist()

    def begin(self, places: Sequence[Position]) -> float:
        self.places = np.array(places, float)
        self.renew()
        return float(np.sum(self.places * self.pull))

    def renew(self) -> None:
        self.pull = self.laplacian @ self.places

    def change(self, steps: Sequence[Step]) -> float:
        self.steps = steps
        macro, here, there = steps[0]
        self.across, self.up = across, up = there[0] - here[0], there[1] - here[1]
        pulled, stiff = self.pull[macro], self.diagonal[macro]
        if len(steps) > 1:
            other = steps[1][0]
            pulled = pulled - self.pull[other]
            stiff += self.diagonal[other] - 2 * self.laplacian[macro, other]
        return 2 * (across * pulled[0] + up * pulled[1]) + (across * across + up * up) * stiff

    def keep(self) -> None:
        row = self.laplacian[self.steps[0][0]]
        if len(self.steps) > 1:
            row = row - self.laplacian[self.steps[1][0]]
        self.pull += row[:, None] * (self.across, self.up)
        for macro, _, there in self.steps:
            self.places[macro] = there

    def undo(self) -> None:
        """Nothing was changed."""
