"""ECP5 devices as nextpnr knows them."""

from __future__ import annotations

from dataclasses import dataclass

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.boards import ECP5_12, ECP5_25, ECP5_45, ECP5_85, Device

SPEEDS = (6, 7, 8)
_FAMILIES = {"LFE5U": "", "LFE5UM": "um-", "LFE5UM5G": "um5g-"}
_SIZES = {"12F": ("12k", ECP5_12), "25F": ("25k", ECP5_25), "45F": ("45k", ECP5_45), "85F": ("85k", ECP5_85)}
_PACKAGES = {  # of nextpnr 0.11.1; first the one with the most pins
    "12F": ("CABGA381", "CABGA256", "CSFBGA285", "TQFP144"),
    "25F": ("CABGA381", "CABGA256", "CSFBGA285", "TQFP144"),
    "45F": ("CABGA554", "CABGA256", "CABGA381", "CSFBGA285", "TQFP144"),
    "85F": ("CABGA756", "CABGA381", "CABGA554", "CSFBGA285"),
}


def devices() -> list[str]:
    """The names of all devices, smaller ones first."""
    return [f"{family}-{size}" for size in _SIZES for family in _FAMILIES if size != "12F" or family == "LFE5U"]


@dataclass(frozen=True)
class Part:
    """A device in a package at a speed grade.

    Attributes:
        device: such as ``LFE5U-85F``.
        package: by default the one with the most pins.
        speed: the grade, 6 (slowest), 7 or 8; by default the slowest that there is.

    Raises:
        GraphError: there is no such part; the message lists what there is.
    """

    device: str = "LFE5U-85F"
    package: str | None = None
    speed: int | None = None

    def __post_init__(self) -> None:
        family, _, size = self.device.partition("-")
        if self.device not in devices():
            raise GraphError(f"no ECP5 device is called {self.device!r}; there are {', '.join(devices())}")
        if self.package is None:
            object.__setattr__(self, "package", _PACKAGES[size][0])
        elif self.package not in _PACKAGES[size]:
            raise GraphError(f"{self.device} has no package {self.package!r}; it has {', '.join(_PACKAGES[size])}")
        speeds = (8,) if family == "LFE5UM5G" else SPEEDS
        if self.speed is None:
            object.__setattr__(self, "speed", speeds[0])
        elif self.speed not in speeds:
            raise GraphError(f"{self.device} has no speed grade {self.speed}; it has {', '.join(map(str, speeds))}")

    @property
    def option(self) -> str:
        """nextpnr's option for the device."""
        family, _, size = self.device.partition("-")
        return f"--{_FAMILIES[family]}{_SIZES[size][0]}"

    @property
    def resources(self) -> Device:
        """What the die has."""
        return _SIZES[self.device.partition("-")[2]][1]
