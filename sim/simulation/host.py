"""What the host makes of a circuit's outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mbconv.generators.graph.graph import Graph, Operator
from mbconv.generators.stages.network import build_network

from ..golden import model as golden


def host_outputs(
    graph: Graph, outputs: Mapping[int, np.ndarray], inputs: Mapping[int, np.ndarray] | None = None
) -> dict[int, np.ndarray]:
    """A frame's tensors of the whole graph that the host comes to know: the circuit's outputs, under all their names,
    and what the operators left to the host make of them.

    Args:
        outputs: elements of the circuit's output streams, in any shape.
        inputs: of the network, as far as they are known: what needs another is not among the result.
    """
    network = build_network(graph)
    part = network.host_part
    known = dict(inputs or {})
    for index in dict.fromkeys((*outputs, *graph.outputs, *(part.inputs if part else ()))):
        tensor = graph.tensors[index]
        stream = network.streams.get(index, index)
        if stream in outputs:
            known[index] = outputs[stream].reshape(tensor.shape).astype(tensor.element.dtype)
    computable, there = list[Operator](), set(known)
    for op in part or ():
        if there.issuperset(op.inputs):
            computable.append(op)
            there.update(op.outputs)
    if computable:
        part = graph.part(tuple(computable), f"{graph.name}_host")
        known |= golden.run(part, {tensor: known[tensor] for tensor in part.inputs})
    return known
