"""The search that all targets share: the least whole number with which an attempt succeeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

Attempt = Callable[[int], tuple[int, T] | None]
"""From a number to what comes of it: a number no greater that would give the same, and the result; None if it fails."""


def find_least(low: int, top: int | None, attempt: Attempt[T], stride: int) -> T | None:
    """The result for the least number above ``low`` with which an attempt succeeds; None if none up to ``top`` does.

    Attempts start a ``stride`` above ``low`` and double it until one succeeds; then the rest is bisected. Exact if,
    with a number, all greater ones succeed. Otherwise the result is of a number that succeeds, and the number before it
    failed.

    Args:
        low: fails, or need not be tried.
        top: the last number to try; None: without end.
        stride: at least 1.

    Raises:
        ValueError: a stride below 1.
    """
    if stride < 1:
        raise ValueError(f"a stride is at least 1, not {stride}")
    found = None
    while found is None:
        if top is not None and low >= top:
            return None
        number = low + stride if top is None else min(low + stride, top)
        found = attempt(number)
        if found is None:
            low, stride = number, 2 * stride
    high, best = found
    while high - low > 1:
        middle = (low + high) // 2
        found = attempt(middle)
        if found is None:
            low = middle
        else:
            high, best = found
    return best
