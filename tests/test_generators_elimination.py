"""Elimination of variables, against all their values."""

from itertools import product
from math import inf

import numpy as np

from mbconv.generators.planning.elimination import minimise


def test_elimination_is_exact_on_cycles():
    rng = np.random.default_rng(5)
    for _ in range(50):
        sizes = dict(enumerate(rng.integers(1, 5, 5).tolist()))
        scopes = [tuple(rng.permutation(5)[: rng.integers(1, 4)].tolist()) for _ in range(7)] + [(v,) for v in sizes]
        factors = [(scope, rng.integers(0, 50, [sizes[v] for v in scope]).astype(float)) for scope in scopes]

        def total(values, factors=factors):
            return sum(table[tuple(values[v] for v in scope)] for scope, table in factors)

        best = min(total(values) for values in product(*(range(size) for size in sizes.values())))
        picked = minimise(factors, sizes)
        assert total(picked) == best
    assert minimise([((0,), np.array([inf, inf]))], {0: 2}) is None
