"""From the outputs of a detector to the boxes that it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mbconv.generators.graph.graph import Graph, GraphError, Tensor
from mbconv.generators.operators.detection_post_process import DetectionPostProcess

from ..golden.detection_post_process import decoded_boxes, found_boxes
from .anchors import generated_anchors, grids
from .options import DetectorOptions

_MAKES_SCORES = ("LOGISTIC", "SOFTMAX")


@dataclass(frozen=True)
class Box:
    """A box that was found: its edges in parts of the picture (0 to 1 within it), class, and score.

    ``index`` counts classes without a background.
    """

    top: float
    left: float
    bottom: float
    right: float
    index: int
    score: float


class Detector:
    """The part of a detector behind its last convolutions, as the host computes it.

    Args:
        graph: a network that ends in TFLite_Detection_PostProcess, or that has two outputs: box encodings ``[…][4]``
            and as many rows of class scores.
        options: of what the file does not say.

    Attributes:
        classes: how many it tells apart, a background not counted.
        operator: that at the end of a file that has its own anchors; None of others.

    Raises:
        GraphError: the network is no such detector, or its anchors are not those that the options make.
    """

    def __init__(self, graph: Graph, options: DetectorOptions) -> None:
        self.graph, self.options = graph, options
        last = [op for op in graph if isinstance(op, DetectionPostProcess)]
        self.operator = last[0] if last and set(last[0].outputs) <= set(graph.outputs) else None
        if self.operator is not None:
            self.classes = self.operator.classes
            return
        self._boxes, self._scores = _outputs(graph)
        maps = grids(graph, self._boxes.index)
        anchors = generated_anchors(options, maps)
        if len(anchors) != self._boxes.pixels:
            raise GraphError(
                f"{graph.name} gives {self._boxes.pixels:,} boxes, but its maps have places for {len(anchors):,}"
            )
        channels = self._scores.channels
        background = channels > 1 if options.background is None else options.background
        self.classes = channels - background
        if self.classes < 1:
            raise GraphError(f"{graph.name} has one class: it cannot be the background; give background=false")
        self._parameters = DetectionPostProcess(
            index=len(graph.operators),
            inputs=(self._boxes.index, self._scores.index),
            outputs=(),
            anchors=anchors,
            scales=(options.y_scale, options.x_scale, options.height_scale, options.width_scale),
            classes=self.classes,
            max_detections=options.max_detections,
            detections_per_class=options.max_detections,
            regular=True,
            score_threshold=options.score_threshold,
            iou_threshold=options.iou_threshold,
        )

    def check_labels(self, labels: Sequence[str]) -> Sequence[str]:
        """Names of the classes, without one of a background in front.

        Raises:
            GraphError: they are not as many as the classes.
        """
        if len(labels) == self.classes:
            return labels
        if len(labels) == self.classes + 1 and self.operator is None:
            return labels[1:]
        raise GraphError(f"{len(labels)} labels were given for the {self.classes} classes of {self.graph.name}")

    def boxes(self, results: Mapping[int, np.ndarray], score_threshold: float | None = None) -> list[Box]:
        """The boxes that are found, the best first.

        Args:
            results: the outputs' values by tensor.
            score_threshold: another one than that of the options.
        """
        if self.operator is not None:
            least = self.options.score_threshold if score_threshold is None else score_threshold
            return [box for box in self._of_operator(results) if box.score >= least]
        parameters = self._parameters
        if score_threshold is not None:
            parameters = replace(parameters, score_threshold=score_threshold)
        encodings = _real(self._boxes, results[self._boxes.index]).reshape(-1, 4)
        scores = self._scored(_real(self._scores, results[self._scores.index]).reshape(len(encodings), -1))
        decoded = decoded_boxes(encodings, parameters.anchors, parameters.scales)
        found = found_boxes(parameters, decoded, scores)
        return [
            Box(*map(float, decoded[row]), int(index), float(score))
            for row, index, score in zip(found.boxes, found.classes, found.scores, strict=True)
        ]

    def _of_operator(self, results: Mapping[int, np.ndarray]) -> list[Box]:
        assert self.operator is not None
        boxes, classes, scores, count = (results[tensor] for tensor in self.operator.outputs)
        each = 1 if self.operator.regular else self.operator.max_classes_per_detection
        places = [
            box * each + place for box in range(int(count[0])) for place in range(min(each, self.operator.classes))
        ]
        return [Box(*map(float, boxes[0, k]), int(classes[0, k]), float(scores[0, k])) for k in places]

    def _scored(self, numbers: np.ndarray) -> np.ndarray:
        how = self.options.scores
        if how == "auto":
            how = "none" if _makes_scores(self.graph, self._scores.index) else "sigmoid"
        if how == "none":
            return numbers
        wide = numbers.astype(np.float64)
        if how == "sigmoid":
            return (1 / (1 + np.exp(-wide))).astype(np.float32)
        wide = np.exp(wide - wide.max(axis=1, keepdims=True))
        return (wide / wide.sum(axis=1, keepdims=True)).astype(np.float32)


def _outputs(graph: Graph) -> tuple[Tensor, Tensor]:
    """The outputs of box encodings and of scores."""
    outputs = [graph.tensors[index] for index in graph.outputs]
    shapes = " and ".join(str(list(tensor.shape)) for tensor in outputs)
    pairs = [
        (boxes, scores)
        for boxes in outputs
        for scores in outputs
        if boxes is not scores and boxes.channels == 4 and boxes.pixels == scores.pixels
    ]
    if len(outputs) != 2 or not pairs:
        raise GraphError(
            f"{graph.name} is no detector that --boxes knows: it ends neither in TFLite_Detection_PostProcess nor in "
            f"two outputs, encodings of N boxes [N, 4] and N rows of scores; its outputs are {shapes}"
        )
    return pairs[0]


def _makes_scores(graph: Graph, tensor: int) -> bool:
    """Whether LOGISTIC or SOFTMAX stands between the last operators with weights and a tensor."""
    producer = graph.producer(tensor)
    if producer is None or producer.WEIGHTED:
        return False
    return producer.kind in _MAKES_SCORES or any(_makes_scores(graph, read) for read in producer.inputs)


def _real(tensor: Tensor, values: np.ndarray) -> np.ndarray:
    """What an output's integers stand for, float32; an output of reals as it is."""
    if tensor.element.real:
        return values
    return (tensor.scale * (values.astype(np.float64) - tensor.zero_point)).astype(np.float32)
