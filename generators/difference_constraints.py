"""Two integer tables whose sums lie within given bounds: a system of difference constraints."""

from __future__ import annotations

import numpy as np

UNBOUNDED = np.int64(1) << 50


def additive_tables(least: np.ndarray, greatest: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Tables with ``least[x, y] <= first[x] + second[y] <= greatest[x, y]`` for all x and y; None if there are none.

    With ``second`` negated each inequality bounds a difference of two unknowns, so a solution is a potential of the
    graph that they span, and a cycle of negative length is all that can prevent one (R. Bellman, 1958; L. R. Ford,
    1956). All inequalities of a side are relaxed at once: ``X + Y`` rounds at most, of ``X · Y`` steps each.

    Args:
        least, greatest: int64 ``[X, Y]``, magnitudes below 2^40, or ∓ :data:`UNBOUNDED` where there is no bound.

    Returns:
        int64 ``[X]`` and ``[Y]``.
    """
    first = np.full(least.shape[0], UNBOUNDED // 2, np.int64)
    negated = np.zeros(least.shape[1], np.int64)
    for _ in range(sum(least.shape) + 1):
        lower_first = np.minimum(first, (greatest + negated).min(1))
        lower_negated = np.minimum(negated, (lower_first[:, None] - least).min(0))
        if np.array_equal(first, lower_first) and np.array_equal(negated, lower_negated):
            # A row without upper bounds is still where it began: its lower bounds place it, or nothing does.
            free = (greatest == UNBOUNDED).all(1)
            lowest = np.where((least > -UNBOUNDED).any(1), (least + negated).max(1), 0)
            return np.where(free, lowest, first), -negated
        first, negated = lower_first, lower_negated
    return None
