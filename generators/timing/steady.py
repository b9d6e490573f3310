"""How long frames take from one to the next once they do so steadily."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def steady_interval(ends: Sequence[int]) -> int | None:
    """Cycles between the last two of the frames that ended at these cycles; None for fewer.

    An output beside the one that sets the pace may give its frames in a rhythm, some sooner and some later: where the
    last frames repeat one, the interval is its mean, rounded up.
    """
    between = [later - sooner for sooner, later in pairwise(ends)]
    for period in range(1, len(between) // 2 + 1):
        if between[-period:] == between[-2 * period : -period]:
            return -(-sum(between[-period:]) // period)
    return between[-1] if between else None
