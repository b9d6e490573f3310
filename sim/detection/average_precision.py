"""Average precision: how well boxes with scores find those that are really there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..golden.suppression import overlaps

Edges = tuple[float, float, float, float]
"""Top, left, bottom, right of a box."""


@dataclass(frozen=True)
class FoundBox:
    """A box that a detector found in a picture, by the picture's number."""

    picture: int
    edges: Edges
    score: float


def average_precision(found: Sequence[FoundBox], there: Sequence[Sequence[Edges]], iou_threshold: float = 0.5) -> float:
    """The area under the curve of precision over recall, 0 to 1, as PASCAL VOC computes it since 2010: each box is
    right that overlaps one of the picture's boxes by at least the threshold, the one that it overlaps most, if none
    with a higher score is right by the same; precision is that of the best recall from each on.

    Args:
        found: of one class, in any order; of equal scores the first comes first.
        there: for each picture its boxes of that class.

    Raises:
        ValueError: there is no box at all, so nothing to be found.
    """
    count = sum(map(len, there))
    if not count:
        raise ValueError("no picture has a box of the class")
    taken = [np.zeros(len(boxes), bool) for boxes in there]
    right = []
    for box in sorted(found, key=lambda box: -box.score):
        boxes = there[box.picture]
        parts = overlaps(np.array(box.edges), np.array(boxes).reshape(-1, 4)) if boxes else np.zeros(0)
        best = int(parts.argmax()) if parts.size else -1
        hit = best >= 0 and parts[best] >= iou_threshold and not taken[box.picture][best]
        if hit:
            taken[box.picture][best] = True
        right.append(hit)
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float(precision[np.array(right, bool)].sum() / count)
