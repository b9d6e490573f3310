"""A stage in the event graph: what its ports wait for, and what a window holds meanwhile.

The model of each circuit stands in its file (:mod:`mbconv.generators.stages`).

A stage adds its classes of events to an :class:`~mbconv.generators.timing.event_graph.EventGraph` and returns its
:class:`Ports`: when it takes beats, which may be made to wait for their arrival, and when its output beats are valid.
:meth:`Ports.hold` makes it wait for its reader; without it the output is a queue without limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from .event_graph import EventGraph
from .events import Events, Times


@dataclass(frozen=True)
class Ring:
    """The pixels that a window holds: those whose first beat was taken, less those that ended output pixels released.

    Attributes:
        taken: when beats are taken, ``beats`` a pixel.
        ended: when output pixels are issued, ``steps`` events each.
        released: pixels of a frame released in all once each of its output pixels is done.
        pixels: of a frame.
        delay: cycles from an output pixel's last event to its pixels' places being free.
    """

    taken: Events
    beats: int
    ended: Events
    steps: int
    released: np.ndarray
    pixels: int
    delay: int

    def times(self, frames: int) -> tuple[Times, Times]:
        """When each pixel takes its place, and when each is released."""
        counts = (np.arange(frames)[:, None] * self.pixels + self.released).ravel()
        freeing = np.searchsorted(counts, np.arange(1, frames * self.pixels + 1))
        return self.taken.times[:: self.beats], self.ended.times[self.steps - 1 :: self.steps][freeing] + self.delay


@dataclass(frozen=True)
class Ports:
    """A stage's events.

    Attributes:
        accepted: for each input when its beats are taken.
        valid: when output beats would be valid if earlier ones had left.
        hold: makes the stage wait for the departure of its output beats.
        ring: of its window, if it has one.
    """

    accepted: Sequence[Events]
    valid: Events
    hold: Callable[[Events], None]
    ring: Ring | None = None


class StageTiming(Protocol):
    """What the schedule asks of a stage."""

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        """Add the classes of a stage of this name to a graph, for so many frames."""

    def bounded(self, capacity: int) -> Self:
        """The stage with a window that holds so many pixels; asked only of one that has a ring."""
