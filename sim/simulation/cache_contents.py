"""What lies in the folder of built simulators: counted, and cleared of what is ours."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .verilator import cache_folder

_PARTS = {"builds": "simulators of designs", "library": "Verilator's run-time library"}
_OURS = re.compile(r"[0-9a-f]{24}(\..*)?")  # the hash of what went into it; with more behind it one that was given up


@dataclass(frozen=True)
class Part:
    """A kind of what is kept.

    Attributes:
        folders: one each.
        size: in bytes.
    """

    name: str
    title: str
    folders: tuple[Path, ...]
    size: int


def contents() -> tuple[Part, ...]:
    """Everything that mbconv keeps in :func:`~mbconv.sim.simulation.verilator.cache_folder`."""
    return tuple(_part(name, title) for name, title in _PARTS.items())


def clear() -> None:
    """Remove what :func:`contents` lists, and nothing else that lies there; what is needed again is built again.

    Raises:
        OSError: something cannot be removed.
    """
    for part in contents():
        for folder in part.folders:
            shutil.rmtree(folder)


def _part(name: str, title: str) -> Part:
    place = cache_folder() / name
    there = sorted(place.iterdir()) if place.is_dir() else []
    folders = tuple(path for path in there if _OURS.fullmatch(path.name) and path.is_dir() and not path.is_symlink())
    size = sum(file.lstat().st_size for folder in folders for file in folder.rglob("*") if not file.is_dir())
    return Part(name, title, folders, size)
