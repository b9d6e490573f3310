"""Files written whole or not at all, and errors that name them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An ``OSError`` within names the file: a full disk's, for one, does not by itself."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a failure, such as a full disk, leaves the one that was there.

    It is written beside its place first and then moved there; a device or a pipe is written as it is.

    Raises:
        OSError: it cannot be written; the error names ``path``.
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    place = path.resolve()  # of a link, the file that it leads to
    with naming(path):
        if place.exists() and not place.is_file():
            place.write_bytes(data)
            return
        mode = place.stat().st_mode & 0o7777 if place.exists() else 0o666 & ~_umask()
        try:
            number, work = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        except OSError as error:
            error.filename = str(path)
            raise
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
            os.chmod(work, mode)
            os.replace(work, place)
        except BaseException:
            os.unlink(work)
            raise


@contextmanager
def folders_made(folders: Iterable[Path]) -> Iterator[None]:
    """Make folders that are not there, with those that they lie in; where what follows fails, those that were made are
    removed again as far as they are empty.

    Raises:
        OSError: one cannot be made; the error names it.
    """
    made: list[Path] = []
    try:
        for folder in sorted(folder.absolute() for folder in folders):
            for place in (*reversed(folder.parents), folder):
                if not place.exists():
                    place.mkdir()
                    made.append(place)
        yield
    except BaseException:
        for place in reversed(made):
            with suppress(OSError):  # not empty
                place.rmdir()
        raise


def check_folder(folder: Path) -> None:
    """Make sure that files can be written into a folder, or that it can be made, and leave everything as it was.

    Raises:
        OSError: they cannot; the error names the folder that is in the way.
    """
    place = folder.absolute()
    while not os.path.lexists(place):
        place = place.parent
    with naming(place):
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            error.filename = str(place)
            raise


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
