"""What a node of the network becomes: a circuit, its event model, and the periodic streams that feed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from amaranth.hdl import Shape
from amaranth.lib.wiring import Component

from mbconv.hdl.window_geometry import WindowGeometry

from ..constants.requantization import Requantization
from .network import Network, Node


@dataclass(frozen=True, eq=False)
class Stage:
    """A circuit in the place of a node.

    Attributes:
        inputs: the circuit's ports that read the node's input tensors, in order; its output port is ``o``.
        sources: for each of its further input ports the words of a period, in the bits of the port's payload.
        timing: its event model, as :mod:`~mbconv.generators.timing.timing` has them.
        cycles: that its busiest resource needs for a frame.
        requantization: its constants and their proof, where it has any.
    """

    node: Node
    component: Component
    inputs: tuple[str, ...]
    timing: object
    cycles: int
    sources: dict[str, Sequence[int]] = field(default_factory=dict)
    requantization: Requantization | None = None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def multipliers(self) -> int:
        return getattr(self.component, "multipliers", 0)

    @property
    def source_bits(self) -> int:
        """Bits of the memories that its periodic streams come from."""
        members = self.component.signature.members
        return sum(
            len(words) * Shape.cast(members[port].signature.members["payload"].shape).width
            for port, words in self.sources.items()
        )

    @property
    def memory_bits(self) -> int:
        """All its memory, in the circuit and behind its periodic streams."""
        return self.source_bits + getattr(self.component, "memory_bits", 0)


def window_geometry(network: Network, node: Node) -> WindowGeometry:
    """The window of a node over its input map."""
    shape = node.raster or network.shapes[node.inputs[0]]
    padding = node.padding
    return WindowGeometry(
        shape.height,
        shape.width,
        node.kernel,
        node.strides,
        (padding.top, padding.bottom, padding.left, padding.right),
    )
