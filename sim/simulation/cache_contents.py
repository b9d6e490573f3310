"""What lies in the folder of built simulators: counted, and cleared of what is ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .held import remove_unless_held
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


def clear() -> int:
    """Remove what :func:`contents` lists, and nothing else that lies there; what is needed again is built again.

    Returns:
        How many folders stay, because somebody uses them now.

    Raises:
        OSError: something cannot be removed.
    """
    return sum(not remove_unless_held(folder) for part in contents() for folder in part.folders)


def _size(file: Path) -> int:
    try:
        return 0 if file.is_dir() and not file.is_symlink() else file.lstat().st_size
    except FileNotFoundError:
        return 0


def _part(name: str, title: str) -> Part:
    folders = tuple(kept_folders(name))
    size = sum(_size(file) for folder in folders for file in folder.rglob("*"))
    return Part(name, title, folders, size)
