"""Classes of events and the rules that bind them: event n of one no earlier than event m of another and some cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Times = np.ndarray
"""Cycles, int64, one for each event of a class."""

Positions = range | np.ndarray
"""Ascending indices of events."""

LONG_AGO = -(1 << 40)
"""A lower bound that limits nothing."""


@dataclass(eq=False)
class Rule:
    """Events ``targets`` of a class are no earlier than events ``sources`` of another plus ``delay``."""

    source: Events
    targets: Positions
    sources: Positions
    delay: int | np.ndarray


class Events:
    """A class of ``count`` events, at most one in a cycle.

    Args:
        name: what happens, as a sentence without its end: ``layer_3 takes a beat``.
        spacing: least cycles from one event to the next; None where the rules ensure an order.
        earliest: times before which they do not happen, if any.

    Attributes:
        times: lower bounds while the graph is counted, the times afterwards.
    """

    def __init__(self, name: str, count: int, spacing: int | None = 1, earliest: Times | None = None):
        self.name, self.count, self.spacing, self.earliest = name, count, spacing, earliest
        self.rules: list[Rule] = []
        self.readers: list[tuple[Events, Rule]] = []
        self.times = np.broadcast_to(np.int64(LONG_AGO), count)
        self.settled = 0  # events whose times are known
        self.stale = 0  # from this event on, times may be raised
        self.unreached = False  # a rule begins beyond the last event

    def after(self, source: Events, delay: int = 0, lag: int = 0) -> Rule:
        """Event n is no earlier than event n − ``lag`` of ``source`` plus ``delay``."""
        count = max(min(self.count - lag, source.count), 0)
        return self.after_some(source, delay, range(lag, lag + count), range(count))

    def after_some(self, source: Events, delay: int | np.ndarray, targets: Positions, sources: Positions) -> Rule:
        """Event ``targets[k]`` is no earlier than event ``sources[k]`` of ``source`` plus ``delay`` (or ``delay[k]``).

        Raises:
            ValueError: numbers of positions that differ, or a negative delay.
        """
        if len(targets) != len(sources):
            raise ValueError(f"{len(targets)} events of {self.name} cannot wait for {len(sources)} of {source.name}")
        if np.min(delay, initial=0) < 0:
            raise ValueError(f"{self.name} cannot happen {-np.min(delay)} cycles before what it waits for")
        rule = Rule(source, targets, sources, delay)
        if len(targets):
            self.rules.append(rule)
            source.readers.append((self, rule))
        else:
            self.unreached = True
        return rule

    def delay_more(self, rule: Rule, delay: int) -> None:
        """Lengthen the delay of a rule; counting goes on from the times found."""
        if delay < rule.delay:
            raise ValueError(f"a rule's delay of {rule.delay} cycles can be lengthened, not shortened to {delay}")
        rule.delay = delay
        self.stale = 0

    def last_before(self, span: int) -> int:
        """The first event that cannot be within ``span`` cycles from where all are settled."""
        return min(self.count, self.settled + span)

    def is_stale(self, span: int, horizon: int) -> bool:
        """Whether a time before a horizon, ``span`` cycles on, may have to be raised."""
        return self.stale < self.last_before(span) and bool(self.times[self.stale] < horizon)

    def raise_times(self, span: int, horizon: int) -> None:
        """Raise stale times that can be before a horizon to what the rules demand."""
        first, last = self.stale, self.last_before(span)
        self.stale = last
        new = None if self.earliest is None else self.earliest[first:last].copy()
        for rule in self.rules:
            begin, end = _locate(rule.targets, first), _locate(rule.targets, last)
            if begin == end:
                continue
            delay = rule.delay if isinstance(rule.delay, int) else rule.delay[begin:end]
            whole = new is None and end - begin == last - first  # these become the times
            wanted = np.add(
                rule.source.times[_chosen(rule.sources, begin, end)],
                delay,
                out=None if whole else _SCRATCH.numbers(end - begin),
            )
            far = rule.source.last_before(span)
            if rule.sources[end - 1] >= far:  # beyond the horizon, whatever its time
                late = wanted[max(_locate(rule.sources, far) - begin, 0) :]
                np.maximum(late, horizon, out=late)
            if whole:
                new = wanted
                continue
            if new is None:
                new = np.full(last - first, LONG_AGO, np.int64)
            if isinstance(rule.targets, range):
                where = slice(rule.targets[begin] - first, rule.targets[end - 1] - first + 1, rule.targets.step)
                np.maximum(new[where], wanted, out=new[where])
            elif rule.targets[end - 1] - rule.targets[begin] == end - begin - 1:  # one after the other
                where = slice(rule.targets[begin] - first, rule.targets[end - 1] - first + 1)
                np.maximum(new[where], wanted, out=new[where])
            else:
                where = rule.targets[begin:end] - first
                new[where] = np.maximum(new[where], wanted)
        if new is None:
            new = np.full(last - first, LONG_AGO, np.int64)
        if self.spacing is not None:
            if first:
                new[0] = max(new[0], self.times[first - 1] + self.spacing)
            ramp = _SCRATCH.ramp(new.size)
            if self.spacing != 1:
                ramp = np.multiply(ramp, self.spacing, out=_SCRATCH.numbers(new.size))
            new -= ramp
            np.maximum.accumulate(new, out=new)
            new += ramp
        raised = new != self.times[first:last]
        start = int(raised.argmax())
        if raised[start]:
            if new.size == self.count:
                self.times = new
            else:
                if not self.times.flags.writeable:
                    self.times = self.times.copy()
                self.times[first:last] = new
            self._mark_readers(first + start)

    def _mark_readers(self, start: int) -> None:
        """Events that wait for this class's from ``start`` on are stale."""
        for reader, rule in self.readers:
            place = _locate(rule.sources, start)
            if place < len(rule.targets):
                reader.stale = min(reader.stale, int(rule.targets[place]))

    def settle(self, span: int, horizon: int) -> bool:
        """Count the events before a horizon as settled; whether there were any."""
        last = max(min(self.last_before(span), self.stale), self.settled)
        found = int(np.searchsorted(self.times[self.settled : last], horizon))
        self.settled += found
        return found > 0

    def awaited(self) -> Events:
        """A class whose next event this class's next event waits for."""
        for rule in self.rules:
            place = _locate(rule.targets, self.settled)
            if place == len(rule.targets) or rule.targets[place] != self.settled:
                continue
            if rule.sources[place] >= rule.source.settled:
                return rule.source
        raise AssertionError(f"nothing keeps {self.name} from happening")


def _locate(positions: Positions, value: int) -> int:
    """How many positions are below a value."""
    if isinstance(positions, range):
        return min(max(-(-(value - positions.start) // positions.step), 0), len(positions))
    return int(np.searchsorted(positions, value))


def _chosen(positions: Positions, begin: int, end: int) -> slice | np.ndarray:
    if isinstance(positions, range):
        return slice(positions[begin], positions[end - 1] + 1, positions.step)
    return positions[begin:end]


class _Scratch:
    """Memory that is used again and again: fresh memory of millions of numbers costs more than to compute them."""

    def __init__(self) -> None:
        self._numbers, self._ramp = np.empty(0, np.int64), np.arange(0, dtype=np.int64)

    def numbers(self, count: int) -> Times:
        """So many numbers of any value, until they are asked for again."""
        if self._numbers.size < count:
            self._numbers = np.empty(count, np.int64)
        return self._numbers[:count]

    def ramp(self, count: int) -> Times:
        """0, 1, 2 and so on; to be read only."""
        if self._ramp.size < count:
            self._ramp = np.arange(count, dtype=np.int64)
        return self._ramp[:count]


_SCRATCH = _Scratch()
