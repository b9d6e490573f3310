"""Macros on sites by simulated annealing: exchanged, or moved to a free one, ever more rarely for the worse."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

MOVES = 4000
"""Tried for each macro."""

_COLD = 1e-5  # the temperature at the end, of that at the start
_ROUND = 1000  # moves at one temperature

Position = tuple[int, int]
"""Column and row."""

Step = tuple[int, Position, Position]
"""A macro, where it was and where it is."""


class Cost(Protocol):
    """What a placement costs, in a form that tells quickly what a move changes.

    Attributes:
        HOT: the temperature at the start, of the cost a macro.
    """

    HOT: float

    def begin(self, places: Sequence[Position]) -> float:
        """The cost of macros at these places, from which they are moved."""

    def renew(self) -> None:
        """Count anew what moves have added up, with its rounding errors."""

    def change(self, steps: Sequence[Step]) -> float:
        """What a move of one macro, or the exchange of two, adds to the cost; :meth:`keep` or :meth:`undo` follows."""

    def keep(self) -> None:
        """The move is made."""

    def undo(self) -> None:
        """It is not."""


class Annealing:
    """Macros on the sites of their kinds, at first anywhere.

    Args:
        kinds: of each macro.
        sites: column and row of each site, by kind; as many as there are macros of it, or more.
        seed: another gives other places.

    Attributes:
        site: of each macro, the number of its site among those of its kind.
    """

    def __init__(self, kinds: Sequence[str], sites: Mapping[str, Sequence[Position]], cost: Cost, seed: int) -> None:
        self.kinds, self.sites, self.cost = kinds, sites, cost
        self.random = random.Random(seed)
        free = {kind: self.random.sample(range(len(sites[kind])), len(sites[kind])) for kind in sorted(sites)}
        self.site = [free[kind].pop() for kind in kinds]
        self._macro = {kind: [-1] * len(sites[kind]) for kind in sites}
        for macro, (kind, site) in enumerate(zip(kinds, self.site, strict=True)):
            self._macro[kind][site] = macro
        self.first_cost = cost.begin(self.places)

    @property
    def places(self) -> list[Position]:
        """Of each macro."""
        return [self.sites[kind][site] for kind, site in zip(self.kinds, self.site, strict=True)]

    def run(self, doing: Callable[[str], None]) -> None:
        """Place all of them; ``doing`` is called with how far it is."""
        moves = MOVES * len(self.site)
        hot = self.cost.HOT * max(self.first_cost, 1.0) / len(self.site)
        temperature = hot
        for move in range(moves):
            if move % _ROUND == 0:
                doing(f"places of {len(self.site)} macros, {move / moves:.0%}")
                temperature = hot * _COLD ** (move / moves)
                self.cost.renew()
            macro = self.random.randrange(len(self.site))
            target = int(self.random.random() * len(self.sites[self.kinds[macro]]))
            if target != self.site[macro]:
                self.attempt(macro, target, temperature)

    def attempt(self, macro: int, target: int, temperature: float) -> None:
        """Move a macro to another site, and what lies there to where it was, unless that costs too much."""
        sites, there = self.sites[self.kinds[macro]], self._macro[self.kinds[macro]]
        origin, other = self.site[macro], there[target]
        steps = [(macro, sites[origin], sites[target])]
        if other >= 0:
            steps.append((other, sites[target], sites[origin]))
        change = self.cost.change(steps)
        if change <= 0 or self.random.random() < math.exp(-change / temperature):
            self.cost.keep()
            self.site[macro], there[target], there[origin] = target, macro, other
            if other >= 0:
                self.site[other] = origin
        else:
            self.cost.undo()
