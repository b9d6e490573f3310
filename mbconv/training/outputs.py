"""What a training writes is checked before it begins: files that are there are not replaced unasked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from mbconv.sim.simulation.writable import check_writable


def add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace files that are there")


def check_outputs(parser: argparse.ArgumentParser, paths: Iterable[Path], force: bool) -> None:
    """End with a message and status 2 where a file cannot be written, or is there and not to be replaced."""
    paths = list(paths)
    there = [path for path in paths if path.exists()]
    if there and not force:
        parser.error(f"{', '.join(map(str, there))}: there already; give another name, or --force to replace what is")
    for path in paths:
        try:
            check_writable(path)
        except OSError as error:
            parser.error(f"{path}: {error.strerror}")
