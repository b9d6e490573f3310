"""Places along an axis that are made alike, so that one instruction has all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_APART = 16
"""The largest distance of places of one line that is tried."""


@dataclass(frozen=True)
class Line:
    """Places at equal distances, each made of ``weights`` of elements from ``source`` on.

    Attributes:
        source: the first place's first element; less than 0: before the map.
        step: elements from that of a place to that of the next.
        weights: of the elements of a place, in their order.
        first, apart, count: of the places.
    """

    source: int
    step: int
    weights: tuple[int, ...]
    first: int
    apart: int
    count: int

    @property
    def places(self) -> range:
        return range(self.first, self.first + self.apart * self.count, self.apart)

    @property
    def single(self) -> list[Line]:
        """A line for each place."""
        return [
            Line(self.source + number * self.step, 1, self.weights, place, 1, 1)
            for number, place in enumerate(self.places)
        ]


def lines(made: Sequence[tuple[int, tuple[int, ...]]]) -> list[Line]:
    """The fewest lines, of places at a distance of their own, that make up an axis.

    Args:
        made: of each place its first element and the weights.
    """
    return min((_lines(made, apart) for apart in range(1, min(len(made), _MOST_APART) + 1)), key=len)


def _lines(made: Sequence[tuple[int, tuple[int, ...]]], apart: int) -> list[Line]:
    found: list[Line] = []
    for phase in range(apart):
        places = range(phase, len(made), apart)
        start = 0
        while start < len(places):
            source, weights = made[places[start]]
            end = start + 1
            step = made[places[end]][0] - source if end < len(places) else 1
            while end < len(places) and step > 0 and made[places[end]] == (made[places[end - 1]][0] + step, weights):
                end += 1
            count = end - start
            found.append(Line(source, step if count > 1 else 1, weights, places[start], apart, count))
            start = end
    return found


def whole(size: int) -> list[Line]:
    """All of an axis as it is."""
    return [Line(0, 1, (1,), 0, 1, size)]
