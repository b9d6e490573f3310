"""TFLite_Detection_PostProcess, the custom operator at the end of SSD detectors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ..graph.graph import FLOAT32, UINT8, Element, Graph, Operator, Placement, Tensor
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported

MAXIMUM_DETECTIONS = 1 << 16
_SCALES = ("y_scale", "x_scale", "h_scale", "w_scale")


@dataclass(frozen=True, eq=False)
class DetectionPostProcess(Operator):
    """TFLite_Detection_PostProcess: boxes decoded by anchors, and of those that overlap the best; the host's.

    It reads box encodings ``[1][N][4 or more]`` and scores ``[1][N][classes, or one more: a background before them]``,
    and writes boxes ``[1][n][4]`` (top, left, bottom, right), their classes, their scores, and how many were found.

    Attributes:
        anchors: ``[N][4]``: centre (y, x), height and width of each anchor, in parts of the picture.
        scales: what y, x, height and width of the encodings are divided by.
        regular: whether boxes are suppressed class by class; else each counts with its best class alone.
    """

    KIND: ClassVar[str] = "TFLite_Detection_PostProcess"
    BECOMES: ClassVar[str] = "the host"
    INPUTS: ClassVar[int] = 2
    OUTPUTS: ClassVar[int] = 4
    READS: ClassVar[tuple[Element, ...]] = (UINT8, FLOAT32)
    WRITES: ClassVar[tuple[Element, ...]] = (FLOAT32,)
    anchors: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    scales: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)
    classes: int = 1
    max_detections: int = 100
    max_classes_per_detection: int = 1
    detections_per_class: int = 100
    regular: bool = False
    score_threshold: float = 0.0
    iou_threshold: float = 0.6

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST

    def problems(self, input_tensors: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> list[str]:
        boxes, scores = input_tensors
        shapes = [list(input_tensor.shape) for input_tensor in input_tensors]
        if (
            any(len(input_tensor.shape) != 3 or input_tensor.shape[0] != 1 for input_tensor in input_tensors)
            or boxes.shape[2] < 4
        ):
            return [f"reads boxes of shape {shapes[0]} and scores of shape {shapes[1]}; [1, N, 4] and [1, N, classes]"]
        problems = []
        if not boxes.shape[1] == scores.shape[1] == len(self.anchors):
            problems.append(
                f"reads {boxes.shape[1]} boxes and {scores.shape[1]} rows of scores, and holds {len(self.anchors)} "
                "anchors"
            )
        if scores.shape[2] - self.classes not in (0, 1):
            problems.append(f"has {self.classes} classes, but reads {scores.shape[2]} scores of each box")
        if not (np.isfinite(self.anchors).all() and all(math.isfinite(s) and s > 0 for s in self.scales)):
            problems.append("has anchors or scales that are not finite, or scales of 0 or less")
        if not (0 < self.iou_threshold <= 1 and math.isfinite(self.score_threshold)):
            problems.append(
                f"has thresholds {self.iou_threshold} of overlap and {self.score_threshold} of scores; an overlap is "
                "more than 0 and at most 1"
            )
        counts = self.max_detections, self.max_classes_per_detection, self.detections_per_class
        if min(counts) < 1 or self.max_detections * self.max_classes_per_detection > MAXIMUM_DETECTIONS:
            problems.append(f"gives {counts[0]} detections of {counts[1]} classes each, {counts[2]} of a class")
        return problems


def _read(reader: Reader) -> DetectionPostProcess:
    reader.check_inputs(3, 3)
    boxes, scores = (reader.computed(place, real=True) for place in (0, 1))
    options = reader.operator.options
    missing = [name for name in ("max_detections", "num_classes", *_SCALES) if name not in options]
    if missing:
        raise Unsupported(f"lacks its options {', '.join(missing)}: the file is damaged")
    if len(reader.operator.outputs) != 4:
        raise Unsupported(f"writes {len(reader.operator.outputs)} tensors, not four")
    anchors = reader.real_constant(2, "anchors")
    if anchors.ndim != 2 or anchors.shape[1] != 4:
        raise Unsupported(f"has anchors of shape {list(anchors.shape)}, not [N, 4]")
    max_detections, each = int(options["max_detections"]), int(options.get("max_classes_per_detection", 1))
    found = min(max(max_detections * each, 1), MAXIMUM_DETECTIONS)
    # Files leave the outputs' shapes open: the kernel sets them.
    shapes = ((1, found, 4), (1, found), (1, found), (1,))
    outputs = tuple(
        reader.tensors.real(index, shape).index for index, shape in zip(reader.operator.outputs, shapes, strict=True)
    )
    return DetectionPostProcess(
        reader.operator.index,
        (boxes.index, scores.index),
        outputs,
        anchors=anchors,
        scales=tuple(float(options[name]) for name in _SCALES),
        classes=int(options["num_classes"]),
        max_detections=max_detections,
        max_classes_per_detection=each,
        detections_per_class=int(options.get("detections_per_class", 100)),
        regular=bool(options.get("use_regular_nms", False)),
        score_threshold=float(options.get("nms_score_threshold", 0.0)),
        iou_threshold=float(options.get("nms_iou_threshold", 0.0)),
    )


TFLITE = (TfliteForm("CUSTOM TFLite_Detection_PostProcess", "", _read),)
