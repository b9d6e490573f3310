"""Additive tables: they keep every bound, and there are none only where a cycle of bounds contradicts itself."""

import numpy as np
import pytest

from mbconv.generators.constants.difference_constraints import UNBOUNDED, additive_tables


def contradictory(least: np.ndarray, greatest: np.ndarray) -> bool:
    """Whether a cycle of the bounds has negative length, by all shortest paths (Floyd, Warshall)."""
    rows, columns = least.shape
    distance = np.full((rows + columns,) * 2, UNBOUNDED // 4, np.int64)
    for x in range(rows):
        for y in range(columns):
            if greatest[x, y] < UNBOUNDED:  # first[x] − (−second[y]) ≤ greatest
                distance[rows + y, x] = greatest[x, y]
            if least[x, y] > -UNBOUNDED:
                distance[x, rows + y] = -least[x, y]
    for middle in range(rows + columns):
        distance = np.minimum(distance, distance[:, middle, None] + distance[None, middle, :])
        distance = np.maximum(distance, -UNBOUNDED // 4)
    return bool((np.diag(distance) < 0).any())


@pytest.mark.parametrize("seed", range(6))
def test_tables_exist_unless_the_bounds_contradict_each_other(seed):
    rng = np.random.default_rng(seed)
    found = {True: 0, False: 0}
    for _ in range(60):
        shape = tuple(rng.integers(1, 14, 2))
        sums = rng.integers(-20, 20, shape[0])[:, None] + rng.integers(-20, 20, shape[1])
        least, greatest = sums - rng.integers(0, 3, shape), sums + rng.integers(0, 3, shape)
        least = least + rng.integers(0, 2, shape) * rng.integers(0, 2)  # half of them tighter, often too tight
        least = np.where(rng.random(shape) < 0.2, -UNBOUNDED, least)
        greatest = np.where(rng.random(shape) < 0.2, UNBOUNDED, greatest)
        tables = additive_tables(least, greatest)
        assert (tables is None) == contradictory(least, greatest)
        found[tables is None] += 1
        if tables is not None:
            total = tables[0][:, None] + tables[1]
            assert (least <= total).all() and (total <= greatest).all()
    assert min(found.values()) > 5


@pytest.mark.parametrize("seed", range(4))
def test_a_search_that_begins_at_tables_of_more_bits_finds_the_same(seed):
    """Results of two operands shifted by fewer and fewer bits, with rows and columns that nothing bounds."""
    rng = np.random.default_rng(seed)
    results = np.floor(np.add.outer(np.sort(rng.uniform(-9, 9, 14)), np.sort(rng.uniform(-9, 9, 11)))).astype(np.int64)
    results[:2], results[:, -1:] = results.max(), results.min()

    def tables(shift, above=None):
        least = np.where(results > results.min(), results << shift, -UNBOUNDED)
        greatest = np.where(results < results.max(), ((results + 1) << shift) - 1, UNBOUNDED)
        return additive_tables(least, greatest, above)

    fine = tables(8)
    found = {True: 0, False: 0}
    for shift in range(8) if fine is not None else ():
        above = fine[0] >> (8 - shift), -(-fine[1] >> (8 - shift))
        cold, warm = tables(shift), tables(shift, above)
        assert (cold is None) == (warm is None)
        found[cold is not None] += 1
        if cold is not None:
            assert all(map(np.array_equal, cold, warm))
    assert fine is None or found[True] > 0
