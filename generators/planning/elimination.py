"""Least total of cost tables that share variables, by elimination (R. Dechter, "Bucket elimination", 1999)."""

from __future__ import annotations

import numpy as np

Factor = tuple[tuple[int, ...], np.ndarray]
"""The variables of a cost table, one for each axis, and the table."""


def minimise(factors: list[Factor], sizes: dict[int, int]) -> dict[int, int] | None:
    """The assignment of least total cost; None if every assignment costs infinity.

    Exact. Time and memory grow with the product of the sizes of the variables that an eliminated one is coupled to:
    two for a chain, a few where a network forks.

    Args:
        sizes: of each variable the number of its values.
    """
    factors = list(factors)
    remaining = set(sizes)
    decisions: list[tuple[int, tuple[int, ...], np.ndarray]] = []
    while remaining:
        neighbours = {
            variable: {v for scope, _ in factors if variable in scope for v in scope} - {variable}
            for variable in remaining
        }
        variable = min(sorted(remaining), key=lambda v: len(neighbours[v]))
        scope = (*sorted(neighbours[variable]), variable)
        total = np.zeros([sizes[v] for v in scope])
        for names, table in factors:
            if variable in names:
                total = total + _expand(names, table, scope)
        factors = [factor for factor in factors if variable not in factor[0]]
        factors.append((scope[:-1], total.min(axis=-1)))
        decisions.append((variable, scope[:-1], total.argmin(axis=-1)))
        remaining.remove(variable)
    if not np.isfinite(sum(float(table) for scope, table in factors if scope == ())):
        return None
    picked: dict[int, int] = {}
    for variable, scope, best in reversed(decisions):
        picked[variable] = int(best[tuple(picked[v] for v in scope)])
    return picked


def _expand(names: tuple[int, ...], table: np.ndarray, scope: tuple[int, ...]) -> np.ndarray:
    """A table over ``names`` as one that broadcasts over ``scope``."""
    order = sorted(range(len(names)), key=lambda position: scope.index(names[position]))
    table = np.transpose(table, order)
    present = [names[position] for position in order]
    return table.reshape([table.shape[present.index(v)] if v in present else 1 for v in scope])
