"""The circuit of an addition of two streams: the residual's join."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.add import Add
from mbconv.hdl.add_constants import AddConstants

from ..constants.add_tables import add_constants
from ..constants.remembered import remembered
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class AddCircuit(ElementwiseCircuit):
    """A beat of the sum for each beat of both inputs."""

    KIND: ClassVar[str] = "add"
    REASON: ClassVar[str] = "residual: waits for the other branch"

    def constants(self, site: Site) -> AddConstants:
        op, graph = site.node.operator, site.network.graph
        return remembered(graph, ("constants", op.index), lambda: add_constants(op, graph))

    def build(self, site: Site) -> Stage:
        add = Add(*self.operands(site), site.shapes[-1], site.constants, name=site.node.name, family=site.family)
        return self.stage(site, add)


CIRCUIT = AddCircuit()
