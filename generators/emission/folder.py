"""Files written into a folder that may hold others: whole or not at all, and nothing replaced or removed that is not
shown to be an earlier emission's own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EISDIR, ENOTDIR
from pathlib import Path, PurePosixPath

from ..graph.graph import GraphError
from .files import folders_made
from .read_bundle import content_hash

_SHOWN = 8


@dataclass(frozen=True)
class Written:
    """What became of the files of an earlier emission: those removed, and those kept because they were changed."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def write_files(
    directory: Path, texts: Mapping[str, str], earlier: Mapping[str, str], last: str, *, overwrite: bool = False
) -> Written:
    """Write files so that a failure leaves the folder as it was, and an interruption no half-written file.

    Everything is written beside its place first, then moved there.

    Args:
        texts: path relative to the folder, with slashes → text.
        earlier: the same of an earlier emission → the hash of what it wrote. Such a file may be replaced or removed as
            long as it still is what was written.
        last: of ``texts``, the one to be moved last.
        overwrite: replace whatever is in the place of a file to be written.

    Raises:
        GraphError: a file that is not the earlier emission's is in the way.
        OSError: the folder or a file in it cannot be written.
    """
    mine = {name for name, written in earlier.items() if _is_inside(name) and _is_unchanged(directory, name, written)}
    for name in texts:
        _require_place(directory, name)
    if not overwrite:
        _refuse_foreign(directory, texts, mine)
    with folders_made({directory, *((directory / name).parent for name in texts)}):
        with tempfile.TemporaryDirectory(prefix=".emitting-", dir=directory, ignore_cleanup_errors=True) as aside:
            work = Path(aside)
            for name, text in texts.items():
                (work / name).parent.mkdir(parents=True, exist_ok=True)
                (work / name).write_text(text, encoding="utf-8", newline="\n")
            for name in sorted(texts, key=lambda name: name == last):
                os.replace(work / name, directory / name)
        gone = sorted(mine - set(texts))
        for name in gone:
            _remove(directory, name)
    changed = (name for name in earlier if name not in mine and name not in texts and _is_inside(name))
    return Written(tuple(gone), tuple(sorted(name for name in changed if (directory / name).is_file())))


def _refuse_foreign(directory: Path, texts: Mapping[str, str], mine: Iterable[str]) -> None:
    owned = set(mine)
    foreign = [
        name
        for name, text in texts.items()
        if name not in owned and (directory / name).exists() and not _is_unchanged(directory, name, content_hash(text))
    ]
    if foreign:
        shown = ", ".join(foreign[:_SHOWN]) + (f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else "")
        raise GraphError(
            f"{directory} holds files that mbconv did not write there, or that were changed since: {shown}; emit into "
            "another folder, move them away, or replace them with --overwrite"
        )


def _is_unchanged(directory: Path, name: str, written: object) -> bool:
    path = directory / name
    try:
        return path.is_file() and content_hash(path.read_bytes()) == written
    except OSError:
        return False


def _require_place(directory: Path, name: str) -> None:
    """Refuse a place that a folder has, or whose folder is a file."""
    if (directory / name).is_dir():
        raise IsADirectoryError(EISDIR, "a folder of this name is in the way", str(directory / name))
    for parent in PurePosixPath(name).parents:
        if (directory / parent).exists() and not (directory / parent).is_dir():
            raise NotADirectoryError(ENOTDIR, "a file of this name is in the way", str(directory / parent))


def _remove(directory: Path, name: str) -> None:
    """Remove a file of an earlier emission, and its folder once that is empty."""
    path = directory / name
    path.unlink()
    if path.parent != directory:
        with suppress(OSError):  # not empty
            path.parent.rmdir()


def _is_inside(name: object) -> bool:
    """Names that lead out of the folder are not ours."""
    if not isinstance(name, str):
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and len(path.parts) in (1, 2)
