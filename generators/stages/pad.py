"""The circuit of PAD where no window can take the padding, of padded channels, and of elements that are put between."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.pad import Pad, PaddedRaster

from ..timing.beat_timing import ElementwiseTiming
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class PadCircuit(ElementwiseCircuit):
    """The map's beats and a constant around them; lanes divide the channels before and within where any are added."""

    KIND: ClassVar[str] = "pad"
    REPEATS: ClassVar[bool] = False
    REASON: ClassVar[str] = "waits while a row of padding is given"

    def build(self, site: Site) -> Stage:
        op, padding, shape, lanes = site.node.operator, site.node.padding, site.input_shape, site.lanes_out
        first, behind = op.channels
        raster = PaddedRaster(
            (shape.height, shape.width, -(-shape.channels // lanes)),
            (padding.top, padding.left, first // lanes),
            (padding.bottom, padding.right, -(-behind // lanes)),
            (1 + op.between[0], 1 + op.between[1], 1),
        )
        value = site.network.tensor(site.node.output).zero_point
        pad = Pad(site.shapes[0], lanes, raster, value, family=site.family)
        beats = site.output_shape.beats(lanes)
        timing = ElementwiseTiming(pad.latency, pad.queue_depth, beats, (raster.positions,))
        return Stage(site.node, pad, ("i",), timing, beats)


CIRCUIT = PadCircuit()
