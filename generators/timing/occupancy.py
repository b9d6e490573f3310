"""How much is somewhere at once, of things that come and go with every frame."""

from __future__ import annotations

import numpy as np

from .events import Times


def most_waiting(valid: Times, taken: Times, frames: int, interval: int) -> int:
    """The beats that a queue holds at once, each until the cycle after it is taken; none if none waits.

    Args:
        valid, taken: of each beat of all frames, the last of which repeats the one before and is repeated for ever.
    """
    if np.array_equal(valid, taken):
        return 0
    return most_at_once(*repeated(valid, taken, frames, interval, until=1))


def most_living(begin: Times, end: Times, frames: int, interval: int) -> int:
    """The most things at once of which each is there from its beginning until before its end; as above."""
    return most_at_once(*repeated(begin, end, frames, interval))


def repeated(begin: Times, end: Times, frames: int, interval: int, until: int = 0) -> tuple[Times, Times]:
    """Times with copies of the last frame behind it, an interval apart: of further frames that begin until the last has
    ended; ends are ``until`` cycles later."""
    copies = int((end - begin).max()) // interval + 1

    def more(times: Times) -> Times:
        last = times.reshape(frames, -1)[-1]
        return np.concatenate([times, (last + np.arange(1, copies + 1)[:, None] * interval).ravel()])

    return more(begin), more(end) + until


def most_at_once(begin: Times, end: Times) -> int:
    """The most things at once of which each is there from its beginning until before its end."""
    left = np.searchsorted(end, begin, side="right")
    return int((np.arange(1, begin.size + 1) - left).max())
