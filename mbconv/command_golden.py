"""``mbconv golden``: the golden model beside LiteRT's reference kernels; README's row."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .cli_errors import UserError
from .cli_options import existing_file, json_option
from .cli_output import print_json, progress_console, results
from .cli_table import Rows


@click.command(short_help="The golden model beside LiteRT: elements compared, elements that differ.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--image", "images", type=existing_file, multiple=True, metavar="FILE",
              help="Pictures to run; may be given more than once.")  # fmt: skip
@click.option("--random", "count", type=click.IntRange(min=0), metavar="N",
              help="Random frames to run; 2 unless pictures are given.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random frames.")
@json_option
def golden(models, images, count, seed, as_json) -> int:
    """Compare the golden model with LiteRT's reference kernels in every element of every tensor that is computed.

    MODEL is a .tflite file, a built-in network, or a folder of .tflite files; of a folder, files that LiteRT or mbconv
    refuses are said and left out.

    Exit code 1: an element differs.
    """
    from mbconv.generators.graph.graph import GraphError
    from mbconv.models import builtin, load
    from mbconv.sim.golden.compare import Comparison, compare
    from mbconv.sim.golden.oracle import available

    from .frames import picture_frames, random_frames

    if not available():
        raise UserError("the comparison needs LiteRT: pip install 'mbconv[oracle]'")
    count = count if count is not None else 0 if images else 2
    if not count and not images:
        raise UserError("nothing to run: give --image FILE or --random N with N at least 1")
    files = _files(models)
    console = progress_console(quiet=as_json)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    rows = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        for name, of_folder in files:
            task = bar.add_task(Path(name).stem, total=len(images) + count)
            try:
                graph = load(name)
                pictures = picture_frames(graph, images, len(images)) if images else []
                frames = [*pictures, *random_frames(graph, count, seed)]
                known = builtin(name)
                path = known.path if known else Path(name)
                found = compare(graph, path, frames, lambda done, task=task: bar.update(task, completed=done))
            except GraphError as error:
                if not of_folder:
                    raise
                rows.append({"model": Path(name).stem, **asdict(Comparison(0, 0, 0, 0, None)), "refused": str(error)})
            else:
                rows.append({"model": graph.name, **asdict(found), "refused": None})
    total = {key: sum(row[key] for row in rows) for key in ("elements", "differing")}
    if as_json:
        print_json("golden", {"models": rows, **total})
    else:
        _print(rows, total)
    return 1 if total["differing"] else 0


def _files(models: tuple[str, ...]) -> list[tuple[str, bool]]:
    """The models named, those of folders one by one, and whether a folder gave them; a block has no file for LiteRT."""
    files = []
    for name in models:
        if name.startswith("block:"):
            raise UserError(f"{name} is no file: LiteRT compares .tflite files and built-in networks")
        if Path(name).is_dir():
            found = sorted(map(str, Path(name).glob("*.tflite")))
            if not found:
                raise UserError(f"{name} holds no .tflite files")
            files += [(file, True) for file in found]
        else:
            files.append((name, False))
    return files


def _print(rows: list[dict], total: dict[str, int]) -> None:
    columns = Rows("model", "frames", "tensors", "elements", "differing", left=("model",))
    for row in (row for row in rows if row["refused"] is None):
        columns.add_row(row["model"], *(f"{row[key]:,}" for key in ("frames", "tensors", "elements", "differing")))
    console = results()
    console.print(columns)
    for row in rows:
        if row["first"] is not None:
            console.print(f"{row['model']}: {row['first']}")
        if row["refused"] is not None:
            console.print(f"{row['model']} is left out: {textwrap.shorten(row['refused'], 150, placeholder=' …')}")
    console.print(
        f"{total['elements']:,} elements compared with LiteRT's reference kernels, {total['differing']:,} differ"
    )
