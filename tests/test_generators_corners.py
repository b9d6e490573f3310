"""The corners of staircases bind every line as all of their steps do, and are few."""

import numpy as np
import pytest

from mbconv.generators.constants.corners import corners

LEVELS = np.arange(-90, 100)


def staircase(rng, kind):
    """Rising sums of each level, and which of them there are: those up to, or from, some level of each channel."""
    channels = int(rng.integers(1, 5))
    if kind == "line":
        slope, offset = rng.uniform(0.5, 400, (channels, 1)), rng.uniform(-900, 900, (channels, 1))
        sums = np.ceil(LEVELS * slope + offset).astype(np.int64)
    else:
        sums = np.cumsum(rng.integers(0, 4, (channels, LEVELS.size)), 1) - 200
    ends = rng.integers(0, LEVELS.size + 1, (channels, 1))
    place = np.arange(LEVELS.size)
    return sums, place < ends if rng.random() < 0.5 else place >= ends


@pytest.mark.parametrize("kind", ["line", "random"])
@pytest.mark.parametrize("seed", range(20))
def test_they_bind_as_all_steps_do(seed, kind):
    rng = np.random.default_rng([seed, len(kind)])
    sums, exists = staircase(rng, kind)
    far = np.int64(1) << 60
    for least in (True, False):
        found = corners(sums, LEVELS, exists, least=least)
        sign, extreme = (1, np.max) if least else (-1, np.min)
        for multiplier in (0, 1, 2, 3, 17, 255, 4099):
            for power in (1, 64, 4096, 1 << 20):
                of_all = np.where(exists, LEVELS * power - multiplier * sums, -sign * far)
                of_corners = np.where(found.exists, found.levels * power - multiplier * found.sums, -sign * far)
                assert np.array_equal(extreme(of_all, axis=1), extreme(of_corners, axis=1))
        chosen = [set(zip(s[e].tolist(), v[e].tolist(), strict=True))
                  for s, v, e in zip(found.sums, found.levels, found.exists, strict=True)]  # fmt: skip
        steps = [set(zip(s[e].tolist(), LEVELS[e].tolist(), strict=True)) for s, e in zip(sums, exists, strict=True)]
        assert all(some <= every for some, every in zip(chosen, steps, strict=True))


def test_a_line_has_few_and_a_missing_staircase_none():
    sums = np.ceil(LEVELS[None, :] * 71.37 + 5).astype(np.int64)
    every = np.ones(sums.shape, bool)
    assert corners(sums, LEVELS, every, least=True).exists.sum() < 15
    assert not corners(sums, LEVELS, ~every, least=True).exists.any()
