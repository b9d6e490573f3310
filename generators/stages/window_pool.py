"""What the circuits of maxima and averages over a window share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.hdl.window_parameters import WindowParameters
from mbconv.hdl.window_pool import WindowPool, WindowPoolParameters

from ..planning.folding import ceil_div
from ..timing.blocks import Blocks
from ..timing.stage_timing import window_of
from ..timing.window_timing import Packing
from .protocol import Site, StageCircuit
from .stage import Stage, WindowSize
from .windowed import WINDOW_REASON, WindowBlocksTiming, window_capacity, window_geometry, window_taps

if TYPE_CHECKING:
    from .network import Network, Node


def window_pool_timing(pool: WindowPoolParameters, capacity: int | None = None) -> WindowBlocksTiming:
    """The event model of a pool whose window holds ``capacity`` pixels; None: without limit."""
    groups = pool.window.groups
    blocks = Blocks(
        steps=pool.steps,
        per_pixel=groups,
        beats=1,
        last_beats=1,
        interval=1,
        latency=pool.latency_of_group,
        queue_depth=pool.queue_depth,
    )
    return WindowBlocksTiming(window_of(pool.window, Packing(groups, 1, 0), capacity), blocks)


class WindowPoolCircuit(StageCircuit):
    """A window of L channels, and one of its elements; K taps a cycle, the fewest that keep the plan's interval:
    Ho·Wo·⌈C/L⌉·⌈k²/K⌉ cycles."""

    FOR_INTERVAL: ClassVar[bool] = True
    REASON: ClassVar[str] = WINDOW_REASON

    def cycles(self, network: Network, node: Node, folding: None, lanes: Mapping[int, int]) -> int:
        """With a window that gives all its taps at once, the fastest that there is."""
        return network.shapes[node.output].beats(lanes[node.output])

    @abstractmethod
    def pad_value(self, site: Site) -> int:
        """What padding holds, so that it counts for nothing."""

    @abstractmethod
    def pool(self, site: Site, window: WindowParameters) -> WindowPool:
        """The circuit with a window."""

    def build(self, site: Site) -> Stage:
        geometry = window_geometry(site.network, site.node)
        cycles, taps = _slowest(site, geometry)

        def made(capacity: int) -> WindowPool:
            window = WindowParameters(
                geometry,
                shape=site.shapes[0],
                channels=site.output_shape.channels,
                lanes=site.lanes_out,
                taps=taps,
                capacity=capacity,
                pad_value=self.pad_value(site),
                family=site.family,
            )
            return self.pool(site, window)

        def capacity(pixels: int) -> int:
            return window_capacity(geometry, taps, pixels)

        least = made(capacity(1))
        timing = window_pool_timing(least.parameters)
        return Stage(site.node, least, ("i",), timing, cycles, window=WindowSize(capacity, made))


def _slowest(site: Site, geometry: WindowGeometry) -> tuple[int, int]:
    """The fewest taps a cycle that keep the plan's interval, and what they make of it: cycles, taps."""
    beats = site.output_shape.beats(site.lanes_out)
    for taps in window_taps(site.node):
        cycles = beats * ceil_div(geometry.taps, taps)
        if cycles <= site.pace:
            return cycles, taps
    raise AssertionError(f"{site.node.name} needs {beats} cycles of a pace of {site.pace}")
