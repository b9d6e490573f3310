"""What ``predict --boxes`` and ``evaluate --boxes`` share: a detector's options, labels and boxes as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .cli_errors import UserError
from .cli_output import progress_console
from .cli_table import Rows

if TYPE_CHECKING:
    from mbconv.generators.graph.graph import Graph
    from mbconv.sim.detection.detector import Box, Detector

detector_option = click.option(
    "--detector", "changes", multiple=True, metavar="NAME=VALUE",
    help="With --boxes: a parameter of anchors, scores or suppression that the file does not hold (docs/ssdlite.md); "
    "may be repeated. They are read from MODEL.detector.json beside the model, if it is there.",
)  # fmt: skip
save_option = click.option(
    "--save-detector", is_flag=True, help="With --boxes: write these parameters to MODEL.detector.json."
)


def made_detector(model: str, graph: Graph, changes: Sequence[str], save: bool) -> Detector:
    """The detector of a model, with the options beside it and those given; saved if asked, once they fit.

    Raises:
        UserError: options are to be saved beside no file.
        GraphError: options or network are no detector's.
    """
    from mbconv.models import builtin
    from mbconv.sim.detection.detector import Detector
    from mbconv.sim.detection.options import DetectorOptions, beside, read_options
    from mbconv.sim.simulation.writable import check_writable

    has_file = builtin(model) is None and not model.startswith("block:")
    place = beside(model)
    if save and not has_file:
        raise UserError(f"--save-detector writes beside a model's file, and {model} has none of its own")
    known = read_options(place) if has_file and place.is_file() else DetectorOptions()
    detector = Detector(graph, known.with_texts(changes))
    if detector.operator is not None and (fixed := _fixed(changes)):
        raise UserError(
            f"{graph.name} ends in TFLite_Detection_PostProcess, which holds its own {', '.join(fixed)}: only "
            "score_threshold can be given"
        )
    if save:
        check_writable(place)
        detector.options.write(place)
        progress_console().print(f"saved {place}")
    return detector


def _fixed(changes: Sequence[str]) -> list[str]:
    """Names of options that a file's own operator decides."""
    return [name for text in changes if (name := text.partition("=")[0].strip()) != "score_threshold"]


def box_labels(detector: Detector, labels: Path | None) -> Sequence[str] | None:
    """The names of a detector's classes from a file; None where none is given."""
    from mbconv.sim.pictures.prediction import read_labels

    return None if labels is None else detector.check_labels(read_labels(labels))


def box_rows(boxes: Sequence[Box], labels: Sequence[str] | None, size: tuple[int, int]) -> Rows:
    """A table of boxes, in a picture's pixels."""
    from mbconv.sim.detection.picture_boxes import box_label

    rows = Rows("class", "score", "left", "top", "right", "bottom", left=("class",))
    width, height = size
    for box in boxes:
        edges = box.left * width, box.top * height, box.right * width, box.bottom * height
        rows.add_row(box_label(box, labels), f"{box.score:.4f}", *(f"{edge:,.1f}" for edge in edges))
    return rows


def box_fields(box: Box, labels: Sequence[str] | None) -> dict[str, Any]:
    """A box as ``--json`` has it."""
    fields = asdict(box)
    index = fields.pop("index")
    return {"class": index, "label": None if labels is None else labels[index], **fields}
