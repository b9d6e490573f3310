"""Where the tools keep what they compile: Amaranth's and YoWASP's WebAssembly programs, simulators.

They use the home folder, which containers and continuous integration often do not have, or not to write in. Amaranth's
Yosys then ends in a traceback. :func:`ensure_tool_cache` gives them a folder of the temporary directory instead.
"""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path


class CacheError(OSError):
    """No folder can be written in which tools could keep what they compile."""


def user_cache() -> Path:
    """The user's cache folder: ``$XDG_CACHE_HOME``, else ``~/.cache``."""
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named).absolute() if named else Path(os.path.expanduser("~")) / ".cache"


def ensure_tool_cache() -> Path:
    """Make sure that tools find a cache folder that can be written, and return it.

    If :func:`user_cache` cannot be written, the environment variable ``XDG_CACHE_HOME`` of this process and its
    children becomes a folder of this user's in the temporary directory.

    Raises:
        CacheError: that cannot be written either; the message says which variables name other folders.
    """
    usable = _usable(user_cache())
    if usable != user_cache():
        os.environ["XDG_CACHE_HOME"] = str(usable)
    return usable


@cache
def _usable(wanted: Path) -> Path:
    if _is_writable(wanted):
        return wanted
    instead = Path(tempfile.gettempdir()) / f"mbconv-cache-{os.getuid()}"
    try:
        instead.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        pass
    if not (_is_own(instead) and _is_writable(instead)):
        raise CacheError(
            f"tools keep what they compile in {wanted}, which cannot be written, and neither can {instead}: name "
            "another folder with the environment variable XDG_CACHE_HOME"
        )
    return instead


def _is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
        return True
    except OSError:
        return False


def _is_own(folder: Path) -> bool:
    """Whether a folder is this user's and nobody else's to write: programs are run from it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
