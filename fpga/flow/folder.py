"""The folder of a build: its own alone, so that nothing of a user's is replaced or removed in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from mbconv.generators.emission.files import check_folder
from mbconv.generators.graph.graph import GraphError

try:
    import fcntl
except ImportError:  # Windows, where nobody is kept out
    fcntl = None  # type: ignore[assignment]

MARK = ".mbconv-build"
_TEXT = "The files in this folder are those of mbconv build, which replaces and removes them.\n"


def check_build_folder(folder: Path) -> None:
    """Make sure that a build may use a folder: one that is not there, is empty, or was a build's before and is none's
    now.

    Raises:
        GraphError: it holds something else, or another build is at work in it.
        OSError: it cannot be written.
    """
    check_folder(folder)
    if (folder / MARK).is_file():
        with (folder / MARK).open(encoding="utf-8") as mark:
            _hold(mark, folder)
    elif folder.is_dir():
        found = sorted(path.name for path in folder.iterdir())
        if found:
            shown = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
            raise GraphError(
                f"{folder} holds files that no build wrote: {shown}; a build replaces and removes files in its folder, "
                "so give it a new or empty one"
            )


@contextmanager
def build_folder(folder: Path) -> Iterator[None]:
    """Make a folder a build's, after :func:`check_build_folder`, and keep other builds out of it meanwhile.

    Raises:
        GraphError: as there.
    """
    check_build_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / MARK).open("a+", encoding="utf-8") as mark:
        _hold(mark, folder)
        mark.truncate(0)
        mark.write(_TEXT)
        mark.flush()
        yield


def _hold(mark: TextIO, folder: Path) -> None:
    """Keep other builds out as long as the file is open.

    Raises:
        GraphError: one is at work.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise GraphError(
            f"another build is at work in {folder}: wait until it is done, or give this one a folder of its own"
        ) from None
