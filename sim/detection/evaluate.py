"""Average precision of a detector over pictures with boxes, and LiteRT's beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import GraphError

from ..golden import model as golden
from ..golden.oracle import Reference
from ..pictures.picture_file import open_picture
from ..pictures.pictures import load_picture
from .average_precision import FoundBox, average_precision
from .boxes_file import BoxedPictures
from .detector import Detector
from .picture_boxes import in_picture

LEAST_SCORE = 0.01  # boxes with less do not count: precision over recall wants many
IOU_THRESHOLD = 0.5


@dataclass(frozen=True)
class DetectionQuality:
    """What a detector finds of what is there.

    Attributes:
        average_precision: by class, of those that any picture has.
        reference: the same of LiteRT's reference kernels; None where they were not asked.
        mismatches: elements of the outputs in which golden model and LiteRT differ, over all pictures.
        boxes: that are there.
    """

    pictures: int
    boxes: int
    average_precision: dict[str, float]
    reference: dict[str, float] | None
    mismatches: int | None

    @property
    def mean(self) -> float:
        return sum(self.average_precision.values()) / len(self.average_precision)

    @property
    def reference_mean(self) -> float | None:
        return None if self.reference is None else sum(self.reference.values()) / len(self.reference)


def evaluate_boxes(
    detector: Detector,
    pictures: BoxedPictures,
    classes: Mapping[str, int],
    progress: Callable[[Path], None] | None = None,
    reference: Reference | None = None,
    resize: str | int = "stretch",
    **options,
) -> DetectionQuality:
    """Find the boxes of every picture.

    Args:
        classes: of each class that the pictures have, its index among the detector's.
        reference: the same model in LiteRT; the host's part behind its outputs is ours.
        options: ``mean`` and ``std`` of :func:`~mbconv.sim.pictures.pictures.load_picture`.
    """
    graph = detector.graph
    source = graph.tensors[graph.inputs[0]]
    found: list[list[tuple[int, FoundBox]]] = [[], []]
    mismatches = 0
    for number, path in enumerate(pictures.pictures):
        values = {source.index: load_picture(path, source, resize, **options)}
        size = open_picture(path, "RGB").size
        answers = [golden.run(graph, values)]
        if reference is not None:
            answers.append(reference.run(values))
            mismatches += sum(int(np.count_nonzero(answers[0][t] != answers[1][t])) for t in graph.outputs)
        for kept, answer in zip(found, answers, strict=False):
            for box in in_picture(detector.boxes(answer, LEAST_SCORE), size, source, resize):
                edges = box.top, box.left, box.bottom, box.right
                kept.append((box.index, FoundBox(number, edges, box.score)))
        if progress is not None:
            progress(path)

    def precisions(boxes: Sequence[tuple[int, FoundBox]]) -> dict[str, float]:
        return {
            name: average_precision([box for index, box in boxes if index == classes[name]], there, IOU_THRESHOLD)
            for name, there in pictures.boxes.items()
            if any(there)
        }

    return DetectionQuality(
        len(pictures.pictures),
        sum(len(boxes) for there in pictures.boxes.values() for boxes in there),
        precisions(found[0]),
        None if reference is None else precisions(found[1]),
        None if reference is None else mismatches,
    )


def classes_of(detector: Detector, pictures: BoxedPictures, labels: Sequence[str] | None) -> dict[str, int]:
    """The index of each class of pictures among a detector's.

    Raises:
        GraphError: no picture has a box, or a class is none of the detector's.
    """
    if not any(any(there) for there in pictures.boxes.values()):
        raise GraphError("no picture has a box: there is nothing to be found")
    if labels is None and len(pictures.boxes) == detector.classes == 1:
        return dict.fromkeys(pictures.boxes, 0)
    if labels is None:
        raise GraphError(
            f"the pictures have boxes of {', '.join(pictures.boxes)}, the detector has {detector.classes} classes: "
            "give their names with --labels"
        )
    unknown = [name for name in pictures.boxes if name not in labels]
    if unknown:
        raise GraphError(f"the pictures have boxes of {', '.join(unknown)}, which the labels do not name")
    return {name: labels.index(name) for name in pictures.boxes}
