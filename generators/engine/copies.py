"""Operators that change nothing of what is stored, nor which byte stands for zero: QUANTIZE of uint8 to int8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..constants.lookup_tables import lookup_tables
from ..graph.graph import Graph
from ..stages.network import Network, Node
from .traits import traits_of


def stored_offset(graph: Graph, tensor: int) -> int:
    """What is taken from an element of a tensor when it is stored."""
    return 0 if graph.tensors[tensor].element.signed else 128


def _is_copy(network: Network, node: Node) -> bool:
    graph = network.graph
    source, output = graph.tensors[node.operator.inputs[0]], graph.tensors[node.operator.outputs[0]]
    if not traits_of(node).one_table or node.output in network.outputs:
        return False
    if max(source.element.bits, output.element.bits) > 8:
        return False
    if (source.height, source.width, source.channels) != (output.height, output.width, output.channels):
        return False
    offsets = [stored_offset(graph, tensor.index) for tensor in (source, output)]
    if source.zero_point - offsets[0] != output.zero_point - offsets[1]:
        return False  # the same bytes mean other numbers: SUB of a constant moves the zero point alone
    tables = lookup_tables(node.operator, graph) - offsets[1]
    stored = np.arange(source.element.minimum, source.element.maximum + 1) - offsets[0]
    return bool((tables == stored).all())


def without_copies(network: Network) -> Network:
    """The network whose readers of a copy read what was copied."""
    named: dict[int, int] = {}
    nodes = []
    for node in network.nodes:
        node = replace(node, inputs=tuple(named.get(tensor, tensor) for tensor in node.inputs))
        if _is_copy(network, node):
            named[node.output] = node.inputs[0]
        else:
            nodes.append(node)
    return replace(network, nodes=tuple(nodes))
