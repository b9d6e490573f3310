"""The folder of a build: its own alone, so that nothing of a user's is replaced or removed in it."""

from __future__ import annotations

from pathlib import Path

from mbconv.generators.emission.files import check_folder
from mbconv.generators.graph.graph import GraphError

MARK = ".mbconv-build"
_TEXT = "The files in this folder are those of mbconv build, which replaces and removes them.\n"


def check_build_folder(folder: Path) -> None:
    """Make sure that a build may use a folder: one that is not there, is empty, or was a build's before.

    Raises:
        GraphError: it holds something else.
        OSError: it cannot be written.
    """
    check_folder(folder)
    if folder.is_dir() and not (folder / MARK).is_file():
        found = sorted(path.name for path in folder.iterdir())
        if found:
            shown = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
            raise GraphError(
                f"{folder} holds files that no build wrote: {shown}; a build replaces and removes files in its folder, "
                "so give it a new or empty one"
            )


def take_build_folder(folder: Path) -> None:
    """Make a folder a build's, after :func:`check_build_folder`."""
    check_build_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(_TEXT)
