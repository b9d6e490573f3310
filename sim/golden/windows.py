"""The windows of a pooling, without what lies in the padding."""

from __future__ import annotations


def valid_windows(size: int, kernel: int, stride: int, before: int, count: int) -> list[tuple[int, int]]:
    """The valid elements, half open, of each window along one axis."""
    starts = [place * stride - before for place in range(count)]
    return [(max(start, 0), min(start + kernel, size)) for start in starts]
