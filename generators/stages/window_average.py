"""The circuit of AVERAGE_POOL_2D over any window."""

from __future__ import annotations

from typing import Any, ClassVar

from mbconv.hdl.window_average import WindowAverage, WindowAverageParameters, counts_of
from mbconv.hdl.window_parameters import WindowParameters

from ..constants.pool_constants import window_requantization
from .protocol import Site
from .window_pool import WindowPoolCircuit
from .windowed import window_geometry


class WindowAverageCircuit(WindowPoolCircuit):
    """A window of L channels and a tree of adders, and a requantisation that divides by what lies in the map; K taps a
    cycle, the fewest that keep the plan's interval: Ho·Wo·⌈C/L⌉·⌈k²/K⌉ cycles."""

    KIND: ClassVar[str] = "window_average"

    def constants(self, site: Site) -> Any:
        counts = counts_of(window_geometry(site.network, site.node))
        return window_requantization(site.node.operator, site.network.graph, counts, lanes=site.lanes_out)

    def pad_value(self, site: Site) -> int:
        return 0

    def pool(self, site: Site, window: WindowParameters) -> WindowAverage:
        return WindowAverage(WindowAverageParameters(window, site.constants.format, site.constants.words))


CIRCUIT = WindowAverageCircuit()
