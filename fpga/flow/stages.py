"""To which stage of a design the cells of its flat netlist belong."""

from __future__ import annotations

_AROUND = ("board", "edges", "core")
"""The instances around a network's stages: the board's link, the AXI4-Stream edges, the network."""


def stage_of(pin: str) -> str:
    """The stage that a pin (``instance.….cell.port``) of the flat netlist belongs to: the instance below the network's
    core, or below what is around it."""
    instances = pin.split(".")[:-2]
    while len(instances) > 1 and instances[0] in _AROUND:
        instances = instances[1:]
    return instances[0] if instances else "top"
