"""The circuit of RESIZE_NEAREST_NEIGHBOR by whole factors."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.resize_nearest import ResizeNearest

from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class ResizeNearestCircuit(ElementwiseCircuit):
    """Every pixel of a row repeated, and every row: as many cycles as the output has beats."""

    KIND: ClassVar[str] = "resize_nearest"
    REASON: ClassVar[str] = "waits while a row is repeated"

    def build(self, site: Site) -> Stage:
        source, output, lanes = site.input_shape, site.output_shape, site.lanes_out
        raster = source.height, source.width, -(-source.channels // lanes)
        factors = output.height // source.height, output.width // source.width
        return self.stage(site, ResizeNearest(site.shapes[0], lanes, raster, factors, family=site.family))


CIRCUIT = ResizeNearestCircuit()
