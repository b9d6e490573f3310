"""Of boxes that overlap the best: greedy non-maximum suppression, in float32 as ``detection_postprocess.cc`` computes.

A box is (top, left, bottom, right).
"""

from __future__ import annotations

import numpy as np


def best_of_overlapping(
    boxes: np.ndarray, scores: np.ndarray, score_threshold: float, iou_threshold: float, most: int
) -> np.ndarray:
    """Rows of the boxes that are kept, the best first, of equals the first: no two of them overlap by more than the
    threshold.

    Args:
        boxes: ``[N][4]``, float32.
        scores: ``[N]``; boxes below ``score_threshold`` do not count.
        most: boxes to keep.
    """
    rows = np.flatnonzero(scores >= score_threshold)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    kept: list[int] = []
    while rows.size and len(kept) < most:
        best, rows = rows[0], rows[1:]
        kept.append(int(best))
        rows = rows[overlaps(boxes[best], boxes[rows]) <= iou_threshold]
    return np.array(kept, np.int64)


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The intersection of a box with each of others ``[N][4]``, as a part of their union; 0 where either is empty."""
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    height, width = (
        np.maximum(np.minimum(box[far], others[:, far]) - np.maximum(box[near], others[:, near]), 0)
        for near, far in ((0, 2), (1, 3))
    )
    common = height * width
    with np.errstate(invalid="ignore", divide="ignore"):
        found = common / (area + areas - common)
    return np.where((area <= 0) | (areas <= 0), others.dtype.type(0), found)
