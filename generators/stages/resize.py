"""The circuit of RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR that enlarge."""

from __future__ import annotations

from typing import ClassVar

from mbconv.hdl.resize import EnlargedAxis, Resize

from ..timing.beat_timing import ElementwiseTiming
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class ResizeCircuit(ElementwiseCircuit):
    """Every pixel of a row repeated, or others made between them, and every row: as many cycles as the output has
    beats."""

    KIND: ClassVar[str] = "resize"
    REPEATS: ClassVar[bool] = False
    REASON: ClassVar[str] = "waits while a row is repeated"

    def build(self, site: Site) -> Stage:
        axes = site.node.operator.axes(site.network.graph)
        rows, columns = (EnlargedAxis(axis.newest, axis.weights, axis.bits) for axis in axes)
        beats, lanes = -(-site.input_shape.channels // site.lanes_out), site.lanes_out
        circuit = Resize(site.shapes[0], lanes, beats, rows, columns, family=site.family)
        count = site.output_shape.beats(lanes)
        timing = ElementwiseTiming(circuit.latency, circuit.queue_depth, count, (circuit.positions,))
        return Stage(site.node, circuit, ("i",), timing, count)


CIRCUIT = ResizeCircuit()
