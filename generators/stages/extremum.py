"""The circuit of MAXIMUM and MINIMUM of two tensors."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.extremum import Extremum

from ..operators.maximum import Maximum
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class ExtremumCircuit(ElementwiseCircuit):
    """A beat of the greater or smaller elements for each beat of both inputs."""

    KIND: ClassVar[str] = "extremum"
    REASON: ClassVar[str] = "waits for the other tensor"

    def build(self, site: Site) -> Stage:
        greatest = isinstance(site.node.operator, Maximum)
        return self.stage(site, Extremum(*self.operands(site), greatest, family=site.family))


CIRCUIT = ExtremumCircuit()
