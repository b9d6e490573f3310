"""Folders that several processes share: whoever uses one holds it, and none is removed while somebody does.

The hold is the system's lock on the folder itself (``flock``), which ends with the process however that ends. Where a
file system has no such locks nothing is held, and a folder may be removed under its user.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time within, of all that name the folder, which is made if it is not there; where it cannot be
    made or the file system has no locks, any number."""
    descriptor = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder as long as the block lasts, beside others who do; whether it is there."""
    descriptor = _locked(folder, alone=False)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def remove_unless_held(folder: Path) -> bool:
    """Remove a folder and all within unless somebody holds it; whether it is gone.

    Raises:
        OSError: something in it cannot be removed.
    """
    try:
        descriptor = _locked(folder, alone=True)
    except BlockingIOError:
        return False
    if descriptor is None:
        return True
    try:
        shutil.rmtree(folder, onerror=_unless_gone)
    finally:
        os.close(descriptor)
    return True


def _locked(folder: Path, alone: bool) -> int | None:
    """A descriptor of a folder that is locked; None where it is not there, or was removed before it was locked.

    Raises:
        BlockingIOError: ``alone``, and somebody holds it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        _lock(descriptor, alone)
        there = os.path.samestat(os.fstat(descriptor), os.stat(folder))
    except FileNotFoundError:
        there = False
    except BaseException:
        os.close(descriptor)
        raise
    if not there:
        os.close(descriptor)
        return None
    return descriptor


def _lock(descriptor: int, alone: bool) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        pass


def _unless_gone(function: object, path: str, error: tuple) -> None:
    """Another process may be removing too, or moving what it made to its place."""
    if not issubclass(error[0], FileNotFoundError):
        raise error[1]
