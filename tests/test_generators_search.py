"""The search behind all targets: the least that succeeds, at its ends too, and an end whatever succeeds."""

import pytest

from mbconv.generators.planning.search import find_least


def counted(threshold, limit=200):
    """An attempt that succeeds from a threshold on, and fails the test if it is asked again and again."""
    tried = []

    def attempt(number):
        tried.append(number)
        assert len(tried) == len(set(tried)) < limit, tried
        return (number, number) if number >= threshold else None

    return attempt


@pytest.mark.parametrize("stride", [1, 7, 100])
def test_least(stride):
    for low in (0, 1, 50, 98, 99, 100):
        for threshold in (*range(low + 1, low + 130), 5000):
            for top in (threshold, threshold + 1, threshold + 1000, None):
                assert find_least(low, top, counted(threshold), stride) == threshold
            if threshold - 1 >= low:
                assert find_least(low, threshold - 1, counted(threshold), stride) is None


def test_results_below_what_was_tried():
    """A plan for an interval may be shorter than asked, and even than one that failed for another reason."""
    steps = {number: number // 10 * 10 for number in range(1000)}
    found = find_least(3, 999, lambda n: (steps[n], steps[n]) if n >= 457 else None, 5)
    assert found == 450
    assert find_least(100, 999, lambda n: (40, n), 10) == 110


def test_nothing_succeeds():
    assert find_least(0, 100, lambda number: None, 1) is None
    assert find_least(100, 100, lambda number: (number, number), 1) is None


def test_refuses():
    with pytest.raises(ValueError, match="a stride is at least 1"):
        find_least(0, 1, counted(1), 0)
