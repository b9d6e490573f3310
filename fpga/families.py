"""The families of FPGAs that there are."""

from __future__ import annotations

from difflib import get_close_matches

from mbconv.generators.graph.graph import GraphError

from .ecp5.family import Ecp5
from .family import Family, Part
from .gowin.family import Gowin
from .ice40.family import Ice40
from .nexus.family import Nexus

FAMILIES: tuple[Family, ...] = (Ecp5(), Ice40(), Gowin(), Nexus())


def devices() -> list[str]:
    """The names of all devices, family by family, smaller ones first."""
    return [device for family in FAMILIES for device in family.table]


def find_part(device: str, package: str | None = None, speed: str | None = None) -> Part:
    """The part of a name; case does not matter. A package may follow the device's name: ``iCE40UP5K-SG48``.

    Raises:
        GraphError: there is no such part; the message lists what there is.
    """
    for family in FAMILIES:
        for known in family.table:
            rest = device.lower().removeprefix(known.lower()) if device.lower().startswith(known.lower()) else None
            if rest == "":
                return family.part(known, package, speed)
            if rest and rest.startswith("-") and rest[1:] in (name.lower() for name in family.table[known]["packages"]):
                if package is not None and package.lower() != rest[1:]:
                    raise GraphError(f"--device {device} and --package {package} name different packages")
                return family.part(known, rest[1:], speed)
    close = get_close_matches(device.lower(), {known.lower() for known in devices()}, n=1)
    guess = next((f" (did you mean {known}?)" for known in devices() if close and known.lower() == close[0]), "")
    raise GraphError(f"no device is called {device!r}{guess}; there are {', '.join(devices())}")
