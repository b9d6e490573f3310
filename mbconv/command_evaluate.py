"""``mbconv evaluate``: how good a model is over pictures: top-1 of a classifier, average precision of a detector."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mbconv.generators.graph.shown import counted

from .cli_detection import box_labels, detector_option, made_detector
from .cli_errors import UserError
from .cli_options import Numbers, existing_file, json_option, model_argument
from .cli_output import print_json, progress_console, results
from .cli_table import Rows


@click.command(short_help="Top-1, or a detector's average precision, over pictures.")
@model_argument
@click.option("--images", "directory", metavar="DIR",
              type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder for each class, or names that begin with the class index and _. With --boxes: where "
              "the pictures lie, if not beside the file.")  # fmt: skip
@click.option("--boxes", type=existing_file, metavar="FILE.json",
              help="Of a detector: pictures with the boxes that are there (docs/ssdlite.md).")  # fmt: skip
@click.option("--labels", type=existing_file, help="With --boxes: names of the classes, one a line.")
@detector_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N pictures, spread evenly.")
@click.option("--resize", help="As in predict.")
@click.option("--mean", type=Numbers(), help="As in predict.")
@click.option("--std", type=Numbers(), help="As in predict.")
@click.option("--compare-default-kernels", "compared", is_flag=True,
              help="Run LiteRT's default kernels, too, and say how far they are off.")  # fmt: skip
@json_option
def evaluate(
    model, directory, boxes, labels, changes, limit, resize, mean, std, compared, as_json
) -> None:  # fmt: skip
    """Classify labelled pictures with the golden model, and with LiteRT's reference kernels where it is installed.

    Labels are shifted by one where the model's first output is a background class.

    With --boxes a detector's average precision at an overlap of 0.5 (intersection ÷ union).
    """
    if boxes is None and directory is None:
        raise UserError("give pictures with their classes (--images DIR) or with their boxes (--boxes FILE.json)")
    if boxes is None and (labels is not None or changes):
        raise UserError("--labels and --detector go with --boxes FILE.json")
    if boxes is not None and compared:
        raise UserError("--compare-default-kernels compares classifiers: leave it out beside --boxes")
    if boxes is not None:
        _evaluate_boxes(model, boxes, directory, labels, changes, limit, resize, mean, std, as_json)
        return
    from mbconv.models import builtin, load
    from mbconv.sim.golden.oracle import Reference, available
    from mbconv.sim.pictures import evaluate as evaluation

    graph = load(model)
    pictures = evaluation.labelled_pictures(directory)
    if limit is not None and limit < len(pictures.pictures):
        step = len(pictures.pictures) / limit
        pictures = replace(pictures, pictures=tuple(pictures.pictures[int(k * step)] for k in range(limit)))
    reference = None
    known = builtin(model)
    if not model.startswith("block:") and available():
        reference = Reference(known.path if known else model)
    elif compared:
        raise UserError("--compare-default-kernels needs a .tflite file and LiteRT: pip install 'mbconv[oracle]'")
    console = progress_console(quiet=as_json)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("classifying", total=len(pictures.pictures))
        result = evaluation.evaluate(
            graph, pictures, lambda _: bar.advance(task), reference, resize=resize or "crop", mean=mean, std=std
        )
        kernels = ()
        if compared:
            task = bar.add_task("comparing kernels", total=len(pictures.pictures))
            options = {"resize": resize or "crop", "mean": mean, "std": std}
            kernels = evaluation.compare_kernels(
                graph, pictures, known.path if known else model, lambda: bar.advance(task), **options
            )
    answer = {
        "model": graph.name,
        "pictures": len(result.answers),
        "top1": result.top1,
        "reference_top1": result.reference_top1,
        "mismatches": result.mismatches,
        "background": result.background,
        "kernels": [asdict(row) for row in kernels],
    }
    if as_json:
        print_json("evaluate", answer)
        return
    out = results()
    right = sum(found.correct for found in result.answers)
    out.print(f"{graph.name}: {right:,} of {counted(len(result.answers), 'picture')} right, top-1 {result.top1:.2%}")
    if result.reference_top1 is None:
        out.print("LiteRT is not installed: pip install 'mbconv[oracle]' to see its top-1 beside")
    else:
        out.print(
            f"LiteRT's reference kernels: top-1 {result.reference_top1:.2%}, {counted(result.mismatches, 'mismatch')}"
        )
    if kernels:
        rows = Rows("kernels", "pictures that differ", "largest difference", "other class", left=("kernels",))
        for row in kernels:
            rows.add_row(row.kernels, f"{row.differ} of {row.pictures}", f"{row.largest:g}", str(row.other_class))
        out.print(rows)


def _evaluate_boxes(model, file, directory, labels, changes, limit, resize, mean, std, as_json) -> None:
    from mbconv.models import load
    from mbconv.sim.detection.boxes_file import boxed_pictures
    from mbconv.sim.detection.evaluate import classes_of, evaluate_boxes
    from mbconv.sim.golden.oracle import Reference, available

    graph = load(model)
    pictures = boxed_pictures(file, directory).spread(limit)
    detector = made_detector(model, graph, changes, save=False)
    classes = classes_of(detector, pictures, box_labels(detector, labels))
    reference = Reference(model) if available() else None
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=progress_console(quiet=as_json), transient=True) as bar:
        task = bar.add_task("finding", total=len(pictures.pictures))
        found = evaluate_boxes(
            detector, pictures, classes, lambda _: bar.advance(task), reference, resize or "stretch", mean=mean, std=std
        )
    if as_json:
        answer = asdict(found) | {"mean": found.mean, "reference_mean": found.reference_mean}
        print_json("evaluate-boxes", {"model": graph.name, **answer})
        return
    out = results()
    out.print(
        f"{graph.name}: {counted(found.pictures, 'picture')} with {counted(found.boxes, 'box')}, "
        f"average precision at 0.5:"
    )
    rows = Rows("class", "golden model", *(["LiteRT"] if found.reference else []), left=("class",))
    for name, value in found.average_precision.items():
        rows.add_row(name, f"{value:.2%}", *([f"{found.reference[name]:.2%}"] if found.reference else []))
    if len(found.average_precision) > 1:
        beside = [f"{found.reference_mean:.2%}"] if found.reference else []
        rows.add_row("mean", f"{found.mean:.2%}", *beside)
    out.print(rows)
    if found.mismatches is None:
        out.print("LiteRT is not installed: pip install 'mbconv[oracle]' to see its precision beside")
    else:
        out.print(f"LiteRT's reference kernels: {counted(found.mismatches, 'mismatch')}")
