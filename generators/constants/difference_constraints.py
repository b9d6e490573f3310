"""Two integer tables whose sums lie within given bounds: a system of difference constraints."""

from __future__ import annotations

import numpy as np

UNBOUNDED = np.int64(1) << 50
_UNBOUNDED_32 = np.int32(1) << 28
_ROUNDS_BETWEEN_LOOKS = 8


def additive_tables(
    least: np.ndarray, greatest: np.ndarray, above: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Tables with ``least[x, y] <= first[x] + second[y] <= greatest[x, y]`` for all x and y; None if there are none.

    With ``second`` negated each inequality bounds a difference of two unknowns, so a solution is a potential of the
    graph that they span, and a cycle of negative length is all that can prevent one (R. Bellman, 1958; L. R. Ford,
    1956). All inequalities of a side are relaxed at once: ``X + Y`` rounds at most, of ``X · Y`` steps each. A cycle
    of unknowns each of which was last lowered by the next has negative length (B. Cherkassky, A. Goldberg, "Negative-
    cycle detection algorithms", 1999); looking for one now and then ends most searches that are in vain early.

    Args:
        least, greatest: int64 ``[X, Y]``, magnitudes below 2^40, or ∓ :data:`UNBOUNDED` where there is no bound.
        above: what the first table is nowhere above, and the second nowhere below, where that is known: the search
            begins there, and ends sooner, with the same tables.

    Returns:
        int64 ``[X]`` and ``[Y]``: of all tables whose second is nowhere negative the greatest first and least second.
    """
    free = (greatest == UNBOUNDED).all(1)
    least, greatest, unbounded = _narrowed(least, greatest, above)
    first = np.full(least.shape[0], unbounded // 2, least.dtype)
    negated = np.zeros(least.shape[1], least.dtype)
    if above is not None:
        first, negated = np.where(free, first, above[0].astype(first.dtype)), -above[1].astype(first.dtype)
    by_second, by_first = np.full(first.size, -1), np.full(negated.size, -1)  # which unknown lowered each one last
    # Of each unknown the bounds lie side by side, where minima are quickest.
    greatest, least_of_second = np.ascontiguousarray(greatest), np.ascontiguousarray(least.T)
    bounds, bounds_of_second = np.empty_like(greatest), np.empty_like(least_of_second)
    rows, rows_of_second = np.arange(first.size), np.arange(negated.size)
    for number in range(sum(least.shape) + 1):
        by = np.add(greatest, negated, out=bounds).argmin(1)
        lower_first = np.minimum(first, bounds[rows, by])
        by_of_second = np.subtract(lower_first, least_of_second, out=bounds_of_second).argmin(1)
        lower_negated = np.minimum(negated, bounds_of_second[rows_of_second, by_of_second])
        if np.array_equal(first, lower_first) and np.array_equal(negated, lower_negated):
            # A row without upper bounds is still where it began: its lower bounds place it, or nothing does.
            lowest = np.where((least > -unbounded).any(1), (least + negated).max(1), 0)
            return np.where(free, lowest, first).astype(np.int64), -negated.astype(np.int64)
        lowered, other_lowered = np.flatnonzero(lower_first < first), np.flatnonzero(lower_negated < negated)
        by_second[lowered], by_first[other_lowered] = by[lowered], by_of_second[other_lowered]
        if number % _ROUNDS_BETWEEN_LOOKS == _ROUNDS_BETWEEN_LOOKS - 1 and _has_cycle(by_second, by_first):
            return None
        first, negated = lower_first, lower_negated
    return None


def _narrowed(
    least: np.ndarray, greatest: np.ndarray, above: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray, np.integer]:
    """The bounds in the fewest bits that hold all sums on the way, with what stands for none: half of it is more than
    any path of bounds is long."""
    finite = (np.abs(bound[np.abs(bound) < UNBOUNDED]).max(initial=0) for bound in (least, greatest))
    start = max((int(np.abs(table).max(initial=0)) for table in above or ()), default=0)
    if start + (sum(least.shape) + 2) * int(max(finite)) >= _UNBOUNDED_32 // 2:
        return least, greatest, UNBOUNDED
    limits = -_UNBOUNDED_32, _UNBOUNDED_32
    return np.clip(least, *limits).astype(np.int32), np.clip(greatest, *limits).astype(np.int32), _UNBOUNDED_32


def _has_cycle(by_second: np.ndarray, by_first: np.ndarray) -> bool:
    """Whether the unknowns that lowered each other last, −1 for none, go in a circle."""
    size = by_second.size
    root = size + by_first.size
    lowered_by = np.concatenate(
        (np.where(by_second < 0, root, size + by_second), np.where(by_first < 0, root, by_first), [root])
    )
    for _ in range(int(root).bit_length()):  # a step of 1, 2, 4 … unknowns: whoever has not arrived then never does
        lowered_by = lowered_by[lowered_by]
    return bool((lowered_by != root).any())
