"""What circuits with a window share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from mbconv.hdl.window_geometry import WindowGeometry

from ..timing.blocks import Blocks
from ..timing.event_graph import EventGraph
from ..timing.ports import Ports
from ..timing.window_timing import WindowTiming
from .protocol import Site, input_raster

if TYPE_CHECKING:
    from .network import Network, Node

WINDOW_REASON = "burst of the stage before it"


@dataclass(frozen=True)
class WindowBlocksTiming:
    """Event model of a circuit that makes blocks of outputs of its window: ``depthwise`` and ``max_pool``."""

    window: WindowTiming
    blocks: Blocks

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        accepted = self.window.packing.accept(graph, name, frames * self.window.pixels)
        pixels = frames * self.window.required.size
        issued = self.blocks.issue(graph, name, pixels)
        first, last = self.blocks.first_blocks(pixels), self.blocks.last_blocks(pixels)
        self.window.connect(accepted, issued, first, last, self.blocks.steps, frames)
        ring = self.window.ring(accepted, issued, self.blocks.per_pixel, self.blocks.steps)
        valid = self.blocks.outputs(graph, name, issued)
        return Ports([accepted], valid, lambda taken: self.blocks.hold(issued, taken), ring)

    def bounded(self, capacity: int) -> Self:
        return replace(self, window=replace(self.window, capacity=capacity))


def window_taps(node: Node) -> tuple[int, ...]:
    """The kernel taps that a window can give in one cycle: one, a row, all."""
    return tuple(sorted({1, node.kernel[1], node.kernel[0] * node.kernel[1]}))


def window_geometry(network: Network, node: Node) -> WindowGeometry:
    """The window of a node over its input map."""
    shape = input_raster(network, node)
    padding = node.padding
    return WindowGeometry(
        shape.height,
        shape.width,
        node.kernel,
        node.strides,
        (padding.top, padding.bottom, padding.left, padding.right),
    )


def window_arguments(site: Site, capacity: int | None, taps: int) -> dict[str, Any]:
    """The arguments of a circuit's window that gives ``taps`` a cycle."""
    geometry = window_geometry(site.network, site.node)
    return dict(
        geometry=geometry,
        taps=taps,
        capacity=geometry.minimum_capacity(taps) if capacity is None else capacity,
        pad_value=site.network.tensor(site.node.inputs[0]).zero_point,
    )


def window_capacity(geometry: WindowGeometry, taps: int, pixels: int) -> int:
    """The capacity of a window that holds so many pixels."""
    return max(geometry.minimum_capacity(taps), geometry.round_capacity(pixels, taps))
