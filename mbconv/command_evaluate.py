"""``mbconv evaluate``: top-1 of a model over labelled pictures."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .cli_errors import UserError
from .cli_options import Numbers, json_option, model_argument
from .cli_output import print_json, progress_console, results
from .cli_table import Rows


@click.command(short_help="Top-1 over labelled pictures.")
@model_argument
@click.option("--images", "directory", required=True, metavar="DIR",
              type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder for each class, or names that begin with the class index and _.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N pictures, spread evenly.")
@click.option("--resize", help="As in predict.")
@click.option("--mean", type=Numbers(), help="As in predict.")
@click.option("--std", type=Numbers(), help="As in predict.")
@click.option("--compare-default-kernels", "compared", is_flag=True,
              help="Run LiteRT's default kernels, too, and say how far they are off.")  # fmt: skip
@json_option
def evaluate(model, directory, limit, resize, mean, std, compared, as_json) -> None:
    """Classify labelled pictures with the golden model, and with LiteRT's reference kernels where it is installed.

    Labels are shifted by one where the model's first output is a background class.
    """
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
    kernels = []
    if compared:
        kernels = evaluation.compare_kernels(
            graph, pictures, known.path if known else model, resize=resize or "crop", mean=mean, std=std
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
    out.print(f"{graph.name}: {right:,} of {len(result.answers):,} pictures right, top-1 {result.top1:.2%}")
    if result.reference_top1 is None:
        out.print("LiteRT is not installed: pip install 'mbconv[oracle]' to see its top-1 beside")
    else:
        out.print(f"LiteRT's reference kernels: top-1 {result.reference_top1:.2%}, {result.mismatches:,} mismatches")
    if kernels:
        rows = Rows("kernels", "pictures that differ", "largest difference", "other class", left=("kernels",))
        for row in kernels:
            rows.add_row(row.kernels, f"{row.differ} of {row.pictures}", str(row.largest), str(row.other_class))
        out.print(rows)
