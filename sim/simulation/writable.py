"""Whether a file can be written, asked before the work whose result it is to hold."""

from __future__ import annotations

from pathlib import Path


def check_writable(path: Path) -> None:
    """Open a file for writing and leave everything as it was.

    Raises:
        OSError: it cannot be written; the exception names it.
    """
    is_new = not path.exists()
    with path.open("ab"):
        pass
    if is_new:
        path.unlink()
