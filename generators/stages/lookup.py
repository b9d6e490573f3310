"""The circuit of operators that a table of all inputs describes, one for all channels or one for each."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.lookup import Lookup

from ..constants.lookup_tables import lookup_tables
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class LookupCircuit(ElementwiseCircuit):
    """A beat of results for each beat."""

    KIND: ClassVar[str] = "lookup"

    def build(self, site: Site) -> Stage:
        node, shape = site.node, site.output_shape
        tables = lookup_tables(node.operator, site.network.graph)
        lookup = Lookup(*site.shapes, shape.channels, site.lanes_out, tables, name=node.name, family=site.family)
        return self.stage(site, lookup)


CIRCUIT = LookupCircuit()
