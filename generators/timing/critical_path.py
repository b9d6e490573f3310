"""Where the time goes until an event: the chain of events of which each waited for the one before."""

from __future__ import annotations

import numpy as np

from .event_graph import LONG_AGO, Events, locate


def critical_path(events: Events, number: int) -> dict[Events, int]:
    """The cycles that an event's delays and spacings have added up to, by the class that had to wait for them, from
    something that waited for no other event on; of a settled graph.

    Every time is the greatest of what its rules demand, so from each event there is a way back to one that it had to
    wait for. Where there are several, the first is taken.
    """
    spent: dict[Events, int] = {}
    seen: set[tuple[Events, int]] = set()
    while (events, number) not in seen:
        seen.add((events, number))
        begin = _begin_of_run(events, number)
        spent[events] = spent.get(events, 0) + int(events.times[number] - events.times[begin])
        number, time = begin, int(events.times[begin])
        for rule in events.rules:
            place = locate(rule.targets, number)
            if place == len(rule.targets) or rule.targets[place] != number:
                continue
            source, wanted = rule.source, int(rule.sources[place])
            delay = rule.delay if isinstance(rule.delay, int) else int(rule.delay[place])
            if source.times[wanted] + delay == time and (source, wanted) not in seen:
                spent[events] += delay
                events, number = source, wanted
                break
    return spent


def _begin_of_run(events: Events, number: int) -> int:
    """The event from which on all follow each other as closely as they may, until a given one."""
    if events.spacing is None or events.times[number] == LONG_AGO:
        return number
    slack = events.times[: number + 1] - events.spacing * np.arange(number + 1)
    return int(np.searchsorted(slack, slack[-1]))
