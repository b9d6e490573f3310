"""Golden model of TFLite_Detection_PostProcess (``detection_postprocess.cc``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.detection_post_process import DetectionPostProcess

from .kernels import kernel
from .suppression import best_of_overlapping


@dataclass(frozen=True, eq=False)
class Found:
    """What is left of all boxes, the best first.

    Attributes:
        boxes: ``[n]``, rows of the decoded boxes.
        classes: ``[n]``, the background not counted.
        scores: ``[n]``, float32.
    """

    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray


@kernel(DetectionPostProcess)
def detection_post_process(
    operator: DetectionPostProcess,
    input_tensors: tuple[Tensor, Tensor],
    output: tuple[Tensor, ...],
    encodings: np.ndarray,
    scores: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Boxes, classes, scores and the number of boxes. Each box has a place for as many classes as the operator gives to
    one; 0 stands where none was found."""
    real = [_real(tensor, values[0]) for tensor, values in zip(input_tensors, (encodings, scores), strict=True)]
    boxes = decoded_boxes(real[0][:, :4], operator.anchors, operator.scales)
    found = found_boxes(operator, boxes, real[1])
    results = [np.zeros(tensor.shape, np.float32) for tensor in output]
    places = np.arange(len(found.boxes))
    if not operator.regular:
        box, place = np.divmod(places, _of_each(operator))
        places = box * operator.max_classes_per_detection + place
    for result, values in zip(results, (boxes[found.boxes], found.classes, found.scores), strict=False):
        result[0, places] = values
    results[3][0] = len(places) // (1 if operator.regular else _of_each(operator))
    return tuple(results)


def decoded_boxes(encodings: np.ndarray, anchors: np.ndarray, scales: tuple[float, ...]) -> np.ndarray:
    """Boxes ``[N][4]`` (top, left, bottom, right; float32) of encodings ``[N][4]`` (y, x, height, width) by anchors."""
    relative = encodings.astype(np.float64) / np.array(scales, np.float32).astype(np.float64)
    place, size = anchors[:, :2].astype(np.float64), anchors[:, 2:].astype(np.float64)
    centre = (relative[:, :2] * size + place).astype(np.float32)
    with np.errstate(over="ignore"):
        half = (0.5 * np.exp(relative[:, 2:]) * size).astype(np.float32)
    return np.concatenate([centre - half, centre + half], axis=1)


def found_boxes(operator: DetectionPostProcess, boxes: np.ndarray, scores: np.ndarray) -> Found:
    """The boxes that are kept of all.

    Args:
        boxes: ``[N][4]``, decoded.
        scores: ``[N][classes, or one more in front]``, float32.
    """
    scores = scores[:, scores.shape[1] - operator.classes :]
    return _class_by_class(operator, boxes, scores) if operator.regular else _by_best_class(operator, boxes, scores)


def _class_by_class(operator: DetectionPostProcess, boxes: np.ndarray, scores: np.ndarray) -> Found:
    """The best of each class, and of those the best of all classes; of equals the one found first."""
    rows, classes = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for index in range(operator.classes):
        kept = _kept(operator, boxes, scores[:, index], operator.detections_per_class)
        rows, classes = np.append(rows, kept), np.append(classes, np.full(len(kept), index))
        best = np.argsort(-scores[rows, classes], kind="stable")[: operator.max_detections]
        rows, classes = rows[best], classes[best]
    return Found(rows, classes, scores[rows, classes])


def _by_best_class(operator: DetectionPostProcess, boxes: np.ndarray, scores: np.ndarray) -> Found:
    """Boxes by their best class alone; each that is left counts with its best classes."""
    rows = _kept(operator, boxes, scores.max(axis=1), operator.max_detections)
    classes = np.argsort(-scores[rows], axis=1, kind="stable")[:, : _of_each(operator)]
    rows = np.repeat(rows, classes.shape[1])
    return Found(rows, classes.ravel(), scores[rows, classes.ravel()])


def _kept(operator: DetectionPostProcess, boxes: np.ndarray, scores: np.ndarray, most: int) -> np.ndarray:
    thresholds = np.float32(operator.score_threshold), np.float32(operator.iou_threshold)
    return best_of_overlapping(boxes, scores, *thresholds, most)


def _of_each(operator: DetectionPostProcess) -> int:
    """Classes that each box counts with."""
    return min(operator.max_classes_per_detection, operator.classes)


def _real(tensor: Tensor, values: np.ndarray) -> np.ndarray:
    if tensor.element.real:
        return values
    return (values.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)
