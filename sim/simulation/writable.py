"""Whether a file can be written, asked before the work whose result it is to hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mbconv.generators.emission.files import naming
from mbconv.generators.graph.graph import GraphError

_LOOKED_AT = 4096


def check_writable(path: Path, kind: str = "", marks: Sequence[bytes] = ()) -> None:
    """Open a file for writing and leave everything as it was.

    Args:
        kind: what is to be written, in words.
        marks: one of which every file of this kind has at its beginning: a file without them is somebody's own, a model
            named by a slip, and is not replaced. An empty one may be; so may a device or a pipe.

    Raises:
        OSError: it cannot be written; the exception names it.
        GraphError: a file of another kind is there.
    """
    place = path.resolve()  # of a link, the file that it leads to: the link itself stays
    is_new = not place.exists()
    with naming(path):
        if marks and place.is_file():
            with place.open("rb") as file:
                beginning = file.read(_LOOKED_AT)
            if beginning and not any(mark in beginning for mark in marks):
                raise GraphError(f"{path} is there and is no {kind}: give another name, or remove it")
        with place.open("ab"):
            pass
    if is_new:
        place.unlink()
