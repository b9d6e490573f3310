"""Events and what they wait for: the least times of a max-plus system, counted in the order in which they happen.

A class of events is something that happens again and again: a port that takes a beat, a stage that issues a block. Its
n-th event happens at the earliest a fixed time after certain events of other classes, and some cycles after its own
(n − 1)-th (F. Baccelli et al., "Synchronization and Linearity", 1992). A circuit of streams is such a system, and what
it does is the least solution: everything happens as soon as it can.

The solution is reached from below. Times begin as if nothing waited and are raised until every event keeps its rules;
each value on the way is a lower bound, so that what is found is least. Events that wait for events in both directions,
a stage for its reader and the reader for it, may have to be raised once for each turn of such a loop: then the count
goes on in spans of time, each finished before the next is begun. A delay is never negative, so nothing in a span waits
for what comes after it, and the count ends: either every event has its time, or none happens for longer than any delay
lasts. Then no more ever will, and the events that wait for each other are named.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph.graph import GraphError
from .events import Events, Times

_NEVER = 1 << 60
_SWEEPS = 6  # in both directions; more of them for one span means loops, which shorter spans resolve at less cost
_FIRST_SPAN = 1 << 16  # cycles
_LEAST_SPAN = 1 << 9


class Deadlock(GraphError):
    """Events that wait for each other for ever; the message names them."""


class EventGraph:
    """Classes of events, best added in the direction in which data flow, and the count of their times."""

    def __init__(self) -> None:
        self.classes: list[Events] = []

    def add(self, name: str, count: int, spacing: int | None = 1, earliest: Times | None = None) -> Events:
        """A new class; see :class:`Events`."""
        events = Events(name, count, spacing, earliest)
        self.classes.append(events)
        return events

    def memory(self, frames: int) -> int | None:
        """How many frames back an event can wait for another, the classes being so many frames; None where that is
        beyond the first."""
        if any(events.unreached for events in self.classes):
            return None
        rules = [(events, rule) for events in self.classes for rule in events.rules]
        return max(int(rule.targets[0]) // (events.count // frames) for events, rule in rules) + 1

    def settle(self) -> None:
        """Count all times; again, from those found, where a delay was lengthened.

        Raises:
            Deadlock: some events never happen.
        """
        for events in self.classes:
            events.settled = 0
        now, horizon = 0, _NEVER
        while unsettled := [events for events in self.classes if events.settled < events.count]:
            horizon, sweeps = self._settle_until(unsettled, now, horizon)
            moved = [events.settle(horizon - now, horizon) for events in unsettled]
            if not any(moved):
                self._check_progress(unsettled, horizon)
            span = horizon - now
            now, horizon = horizon, horizon + (2 * span if sweeps <= _SWEEPS else span)

    def _settle_until(self, unsettled: Sequence[Events], now: int, horizon: int) -> tuple[int, int]:
        """Raise times until all before a horizon are right; the horizon, nearer if that took long, and the sweeps."""
        sweeps = direction = 0
        while True:
            changed = False
            for events in unsettled if direction == 0 else reversed(unsettled):
                if events.is_stale(horizon - now, horizon):
                    changed = True
                    events.raise_times(horizon - now, horizon)
            if not changed:
                return horizon, sweeps
            direction, sweeps = 1 - direction, sweeps + 1
            if sweeps % _SWEEPS == 0 and horizon - now > _LEAST_SPAN:
                horizon = now + min(_FIRST_SPAN, max((horizon - now) // 4, _LEAST_SPAN))
                for events in unsettled:
                    events.stale = events.settled

    def _check_progress(self, unsettled: Sequence[Events], horizon: int) -> None:
        """Nothing happened for a span: name what never will, if the span is longer than any delay.

        Raises:
            Deadlock: as :meth:`settle`.
        """
        last = max((int(events.times[events.settled - 1]) for events in self.classes if events.settled), default=0)
        longest = max((int(np.max(rule.delay)) for events in self.classes for rule in events.rules), default=0)
        longest = max(longest, *(events.spacing or 0 for events in self.classes))
        offered = any(
            events.earliest is not None and events.earliest[events.settled] >= horizon for events in unsettled
        )
        if offered or horizon <= last + longest + 1:
            return
        chain = [unsettled[0]]
        while True:
            following = chain[-1].awaited()
            if following in chain:
                chain = chain[chain.index(following) :]
                break
            chain.append(following)
        waiting = ", which waits until ".join(f"{events.name} ({events.settled:,} times so far)" for events in chain)
        raise Deadlock(
            f"nothing moves any more after cycle {last:,}: {waiting}, which waits until {chain[0].name}: a queue or "
            "window between them is too small"
        )
