"""What a detector's file does not say: its anchors, its box coder, and what counts as found."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mbconv.generators.emission.files import write_whole
from mbconv.generators.graph.graph import GraphError

SCORES = ("auto", "sigmoid", "softmax", "none")
SUFFIX = ".detector.json"


@dataclass(frozen=True)
class DetectorOptions:
    """Parameters of TensorFlow's object detection (``ssd_anchor_generator``, ``faster_rcnn_box_coder``), with its
    defaults for SSD with MobileNets.

    Attributes:
        min_scale, max_scale: of the anchors of the first and the last map, in parts of the picture's sides; linear
            between.
        aspect_ratios: width ÷ height of the anchors at each place of a map.
        interpolated_aspect_ratio: of one more anchor, its scale between that of its map and the next; 0 for none.
        reduce_boxes_in_lowest_layer: whether the first map has three anchors only: a tenth of the picture, and aspect
            ratios 1:2 and 2:1.
        y_scale, x_scale, height_scale, width_scale: what the network's encodings are divided by.
        scores: what makes a score of a number of the network: ``sigmoid``, ``softmax``, ``none``, or ``auto``: none
            where the file computes LOGISTIC or SOFTMAX, else the sigmoid.
        background: whether class 0 is the background; None: where there is more than one.
        score_threshold: a box with less is not found.
        iou_threshold: of two boxes of a class that overlap by more (intersection ÷ union) the worse is left out.
        max_detections: boxes of a picture, and of a class, at most.
    """

    min_scale: float = 0.2
    max_scale: float = 0.95
    aspect_ratios: tuple[float, ...] = (1.0, 2.0, 0.5, 3.0, 0.3333)
    interpolated_aspect_ratio: float = 1.0
    reduce_boxes_in_lowest_layer: bool = True
    y_scale: float = 10.0
    x_scale: float = 10.0
    height_scale: float = 5.0
    width_scale: float = 5.0
    scores: str = "auto"
    background: bool | None = None
    score_threshold: float = 0.3
    iou_threshold: float = 0.6
    max_detections: int = 100

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            _check(name, getattr(self, name), math.isfinite(getattr(self, name)) and getattr(self, name) > 0)
        for name in ("score_threshold", "iou_threshold"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        ratios = self.aspect_ratios
        _check("aspect_ratios", ratios, bool(ratios) and all(math.isfinite(r) and r > 0 for r in ratios))
        extra = self.interpolated_aspect_ratio
        _check("interpolated_aspect_ratio", extra, math.isfinite(extra) and extra >= 0, "a number of 0 or more")
        _check("scores", self.scores, self.scores in SCORES, f"one of {', '.join(SCORES)}")

    def with_texts(self, texts: Sequence[str]) -> DetectorOptions:
        """The options with some of them as ``NAME=VALUE``, the value as JSON has it.

        Raises:
            GraphError: an unknown name, or a value that is none of it.
        """
        given = {}
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals:
                raise GraphError(f"--detector {text} is not NAME=VALUE; names are {', '.join(NAMES)}")
            try:
                given[name.strip()] = json.loads(value)
            except ValueError:
                given[name.strip()] = value.strip()
        return _changed(self, given, "--detector")

    def write(self, path: Path) -> None:
        """Write them as JSON."""
        write_whole(path, json.dumps(asdict(self), indent=2) + "\n")


_POSITIVE = ("min_scale", "max_scale", "y_scale", "x_scale", "height_scale", "width_scale", "max_detections")
NAMES = tuple(field.name for field in fields(DetectorOptions))


def beside(model: str | Path) -> Path:
    """Where a model's options stand: ``<model's name>.detector.json`` in its folder."""
    path = Path(model)
    return path.with_name(path.stem + SUFFIX)


def read_options(path: Path) -> DetectorOptions:
    """Options from a file; those that it leaves out are the defaults.

    Raises:
        GraphError: the file cannot be read, or holds other than options.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GraphError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    except ValueError as error:
        raise GraphError(f"{path} is no JSON ({error}): write it again with --save-detector") from None
    if not isinstance(found, dict):
        raise GraphError(f"{path} holds no object of a detector's options, which are {', '.join(NAMES)}")
    return _changed(DetectorOptions(), found, str(path))


def _changed(options: DetectorOptions, given: Mapping[str, Any], where: str) -> DetectorOptions:
    for name, value in given.items():
        if name not in NAMES:
            raise GraphError(f"{where}: {name!r} is no option of a detector; they are {', '.join(NAMES)}")
        if not _fits(name, value):
            usual, found = json.dumps(getattr(DetectorOptions(), name)), json.dumps(value)
            raise GraphError(f"{where}: {name} is {found}, where {usual} is usual: that is no value of its kind")
    values = {name: tuple(map(float, v)) if isinstance(v, list) else v for name, v in given.items()}
    try:
        return replace(options, **values)
    except GraphError as error:
        raise GraphError(f"{where}: {error}") from None


def _fits(name: str, value: Any) -> bool:
    """Whether a value is of an option's kind."""
    default = getattr(DetectorOptions(), name)
    if name == "background":
        return value is None or isinstance(value, bool)
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, tuple):
        return isinstance(value, list) and all(_is_number(entry) for entry in value)
    if isinstance(default, str):
        return isinstance(value, str)
    return _is_number(value) and (not isinstance(default, int) or isinstance(value, int))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(name: str, value: Any, right: bool, what: str = "finite and more than 0") -> None:
    if not right:
        raise GraphError(f"{name} is {value}; it is {what}")
