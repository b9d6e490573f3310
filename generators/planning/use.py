"""What a design needs of a device beside what there is, and how far it is from fitting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mbconv.hdl.cost import Cost

from .device import Device
from .resources import Resources


@dataclass(frozen=True)
class Use:
    """A resource of a device: what a design needs of it and what there is."""

    name: str
    needed: int
    available: int

    @property
    def fits(self) -> bool:
        return self.needed <= self.available

    @property
    def times(self) -> float:
        """How many times what there is is needed; where there is nothing, more than once for the first that is."""
        return self.needed / self.available if self.available else self.needed + 1.0 if self.needed else 0.0

    def __str__(self) -> str:
        return f"{self.needed:,} of {self.available:,} {self.name}"


def uses(cost: Cost, device: Device) -> tuple[Use, ...]:
    """What a circuit of a cost takes of a device."""
    found = Resources(cost, device)
    return (
        Use("multipliers", found.multipliers, device.multipliers),
        Use(device.block_ram.name, found.block_rams, device.block_rams),
        Use("LUTs (estimated, of those that can be filled)", found.luts, device.fillable_luts),
    )


def scarcest(found: Iterable[Use]) -> float:
    """How many times over the scarcest resource is needed: what fits needs none more than once."""
    return max(use.times for use in found)
