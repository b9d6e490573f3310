"""The circuit of MAX_POOL_2D over any window."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.max_pool import MaxPool, MaxPoolParameters
from mbconv.hdl.window_parameters import WindowParameters

from ..constants.step_function import activation_limits
from .protocol import Site
from .window_pool import WindowPoolCircuit


class MaxPoolCircuit(WindowPoolCircuit):
    """A window of L channels and a tree of maxima; K taps a cycle, the fewest that keep the plan's interval:
    Ho·Wo·⌈C/L⌉·⌈k²/K⌉ cycles."""

    KIND: ClassVar[str] = "max_pool"

    def pad_value(self, site: Site) -> int:
        return site.network.tensor(site.node.output).element.minimum

    def pool(self, site: Site, window: WindowParameters) -> MaxPool:
        output = site.network.tensor(site.node.output)
        low, high = activation_limits(site.node.operator.activation, output.element, output.scale, output.zero_point)
        return MaxPool(MaxPoolParameters(window, int(low), int(high)))


CIRCUIT = MaxPoolCircuit()
