"""The circuit of an addition of two streams: the residual's join."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.add import Add
from mbconv.hdl.add_constants import AddConstants

from ..constants.add_tables import add_constants
from ..timing.timing import ElementwiseTiming
from .protocol import ElementwiseCircuit, Site
from .stage import Stage


class AddCircuit(ElementwiseCircuit):
    """A beat of the sum for each beat of both inputs."""

    KIND: ClassVar[str] = "add"
    REASON: ClassVar[str] = "residual: waits for the other branch"

    def constants(self, site: Site) -> AddConstants:
        return add_constants(site.node.operator, site.network.graph)

    def build(self, site: Site) -> Stage:
        node = site.node
        add = Add(*site.shapes, site.lanes_out, site.constants, name=node.name, family=site.family)
        timing = ElementwiseTiming(add.latency, add.queue_depth, site.output_shape.beats(site.lanes_out), inputs=2)
        return Stage(node, lambda: add, ("first", "second"), timing, site.cycles)


CIRCUIT = AddCircuit()
