"""How commands print: results on the standard output, everything else on the standard error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

_WIDTH_WITHOUT_WINDOW = 80
_WIDTH_OF_FILES = 10_000  # what is piped or saved is as wide as it needs to be, unless COLUMNS says otherwise


def print_json(command: str, value: dict[str, Any]) -> None:
    """Print the one object that ``--json`` promises; ``mbconv schema COMMAND`` describes it."""
    from .schemas import marked

    click.echo(json.dumps(marked(command, value), indent=2, allow_nan=False, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    """numpy's numbers and arrays as Python's, paths as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def results() -> Console:
    """Where a command's answer goes."""
    console = Console(highlight=False, markup=False)
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and not int(columns[:9]):  # as some programs set it that have no window
        console.width = _WIDTH_WITHOUT_WINDOW
    if not console.is_terminal and not (columns.isdecimal() and int(columns[:9])):
        console.width = _WIDTH_OF_FILES
    return console


def progress_console(*, quiet: bool = False) -> Console:
    """Where progress and remarks go; ``quiet`` for nowhere."""
    return Console(stderr=True, highlight=False, markup=False, quiet=quiet)


def print_emitted(command: str, directory: Path, manifest: dict[str, Any], notes: list[str], as_json: bool) -> None:
    """What ``emit`` wrote: every file and its size, or the manifest; before them remarks about files of before."""
    from mbconv.generators.emission.read_bundle import manifest_name

    for note in notes:
        progress_console(quiet=as_json).print(note)
    if as_json:
        print_json(command, manifest)
        return
    console = results()
    for name in (*manifest["files"], manifest_name(manifest["prefix"])):
        console.print(f"{directory / name}  {(directory / name).stat().st_size:,} B")


@contextmanager
def working(step: str, *, quiet: bool) -> Iterator[None]:
    """A step's name and its seconds, while it lasts and on a terminal."""
    console = progress_console(quiet=quiet)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bar.add_task(step, total=None)
        yield


@contextmanager
def simulation_progress(*, quiet: bool) -> Iterator[Callable[[int, float], None]]:
    """A progress bar of a simulation: a function of the cycle and the part (0 to 1) that is done."""
    console = progress_console(quiet=quiet)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("building the simulator", total=1.0)

        def report(cycle: int, part: float) -> None:
            bar.update(task, completed=part, description=f"simulating, cycle {cycle:,}")

        yield report


@contextmanager
def step_progress(*, quiet: bool) -> Iterator[Callable[[str, str], None]]:
    """The steps of a build, each with what it is doing and for how long: a function of a step's name and what it does,
    which is empty when the step is done."""
    console = progress_console(quiet=quiet)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TextColumn("{task.fields[doing]}")
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def report(step: str, doing: str) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=1, doing="")
            elif doing and bar.tasks[tasks[step]].finished:  # done once more
                bar.reset(tasks[step], total=1)
            bar.update(tasks[step], completed=not doing, doing=doing[:60])
            if not doing and not console.is_terminal:  # a log: a line for each step that is done
                console.print(f"{step}: {bar.tasks[tasks[step]].elapsed or 0:.0f} s")

        yield report


def shape_text(shape: tuple[int, ...]) -> str:
    """A tensor's shape without its batch: ``56×56×24``."""
    return "×".join(map(str, shape[1:] if len(shape) > 1 else shape))


def bytes_text(count: int) -> str:
    """A memory's size as people read it; nothing for none."""
    if not count:
        return ""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"
