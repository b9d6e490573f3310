"""What lies in the folder of built simulators: counted, and cleared of what is ours."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .verilator import kept_folders

_PARTS = {"builds": "simulators of designs", "library": "Verilator's run-time library"}


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
            shutil.rmtree(folder, onerror=_unless_gone)


def _unless_gone(function: object, path: str, error: tuple) -> None:
    """Another process may be clearing too, or moving what it made to its place."""
    if not issubclass(error[0], FileNotFoundError):
        raise error[1]


def _size(file: Path) -> int:
    try:
        return 0 if file.is_dir() and not file.is_symlink() else file.lstat().st_size
    except FileNotFoundError:
        return 0


def _part(name: str, title: str) -> Part:
    folders = tuple(kept_folders(name))
    size = sum(_size(file) for folder in folders for file in folder.rglob("*"))
    return Part(name, title, folders, size)
