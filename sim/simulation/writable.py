"""Whether a file can be written, asked before the work whose result it is to hold."""

from __future__ import annotations

from pathlib import Path

from mbconv.generators.emission.files import naming


def check_writable(path: Path) -> None:
    """Open a file for writing and leave everything as it was.

    Raises:
        OSError: it cannot be written; the exception names it.
    """
    place = path.resolve()  # of a link, the file that it leads to: the link itself stays
    is_new = not place.exists()
    with naming(path), place.open("ab"):
        pass
    if is_new:
        place.unlink()
