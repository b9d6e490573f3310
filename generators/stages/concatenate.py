"""The circuit of CONCATENATION along any axis."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from mbconv.hdl.concatenate import Concatenate

from ..timing.beat_timing import ElementwiseTiming
from .elementwise import ElementwiseCircuit
from .protocol import Site
from .stage import Stage


class ConcatenateCircuit(ElementwiseCircuit):
    """Beats of the inputs in turn; by channels every input's lanes divide its channels."""

    KIND: ClassVar[str] = "concatenate"
    REPEATS: ClassVar[bool] = False
    REASON: ClassVar[str] = "waits for its turn in the concatenation"

    def build(self, site: Site) -> Stage:
        op, lanes = site.node.operator, site.lanes_out
        shapes = [site.network.graph.tensors[tensor].shape for tensor in op.inputs]
        turns = [prod(shape[op.axis : -1]) * -(-shape[-1] // lanes) for shape in shapes]
        tables = op.tables(site.network.graph)
        circuit = Concatenate(site.shapes[-1], lanes, turns, tables=tables, name=site.node.name, family=site.family)
        beats = site.output_shape.beats(lanes)
        timing = ElementwiseTiming(
            circuit.latency, circuit.queue_depth, beats, circuit.positions(prod(shapes[0][: op.axis]))
        )
        return Stage(site.node, circuit, tuple(circuit.operands), timing, beats)


CIRCUIT = ConcatenateCircuit()
