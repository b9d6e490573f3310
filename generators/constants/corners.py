"""The few steps of a staircase that bound the straight lines through it.

A line keeps on one side of all of a channel's points if it does so of the corners of their convex hull: of the 254
steps of a requantisation about ten. So whoever asks which multipliers and constants reproduce the steps asks the
corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_APART = 1, 2


@dataclass(frozen=True, eq=False)
class Corners:
    """Sums and levels of the corners of C channels, ``[C, K]``, where there are that many."""

    sums: np.ndarray
    levels: np.ndarray
    exists: np.ndarray

    def __getitem__(self, channels: np.ndarray) -> Corners:
        return Corners(self.sums[channels], self.levels[channels], self.exists[channels])


def corners(sums: np.ndarray, levels: np.ndarray, exists: np.ndarray, *, least: bool) -> Corners:
    """The corners that bound lines of slopes that are not negative.

    A step between two others is left out where it is on the straight line between them, or on its idle side: then one
    of those two binds every line at least as much. Of steps that bind a line alike the first is thus never left out,
    and all that are left out at once were superfluous.

    Args:
        sums: int64 ``[C, J]``, of each channel rising with the levels.
        levels: int64 ``[J]``, one after the other.
        exists: which steps there are.
        least: the corners at the least sums, where levels must be reached; else those at the greatest.
    """
    kept = exists.copy()
    for apart in _APART:  # most are on the idle side of two neighbours, which is soon seen
        bend = 2 * sums[:, apart:-apart] - sums[:, : -2 * apart] - sums[:, 2 * apart :]
        idle = bend >= 0 if least else bend <= 0
        kept[:, apart:-apart] &= ~(idle & exists[:, : -2 * apart] & exists[:, 2 * apart :])
    channel, place = np.nonzero(kept)
    x, y = sums[channel, place], levels[place]
    while x.size > 2:
        run, rise = np.diff(x), np.diff(y)
        bend = run[:-1] * rise[1:] - run[1:] * rise[:-1]
        idle = (bend >= 0 if least else bend <= 0) & (channel[2:] == channel[:-2])
        if not idle.any():
            break
        kept = np.concatenate(([True], ~idle, [True]))
        channel, x, y = channel[kept], x[kept], y[kept]
    counts = np.bincount(channel, minlength=len(sums))
    place = np.arange(x.size) - np.repeat(np.cumsum(counts) - counts, counts)
    found = Corners(*(np.zeros((len(sums), counts.max(initial=1)), kind) for kind in (np.int64, np.int64, bool)))
    found.sums[channel, place], found.levels[channel, place], found.exists[channel, place] = x, y, True
    return found
