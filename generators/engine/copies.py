"""Operators that change nothing of what is stored: QUANTIZE of uint8 to int8, and where nobody else reads what they
read, those under which the same bytes mean other numbers, as SUB of a constant that moves the zero point alone."""

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
    """Whether what a node writes is stored as what it reads."""
    graph = network.graph
    source, output = graph.tensors[node.operator.inputs[0]], graph.tensors[node.operator.outputs[0]]
    if not traits_of(node).one_table or node.output in network.outputs:
        return False
    if max(source.element.bits, output.element.bits) > 8:
        return False
    if (source.height, source.width, source.channels) != (output.height, output.width, output.channels):
        return False
    tables = lookup_tables(node.operator, graph) - stored_offset(graph, output.index)
    stored = np.arange(source.element.minimum, source.element.maximum + 1) - stored_offset(graph, source.index)
    return bool((tables == stored).all())


def _stored_zero(graph: Graph, tensor: int) -> int:
    return graph.tensors[tensor].zero_point - stored_offset(graph, tensor)


def without_copies(network: Network) -> tuple[Network, dict[int, int]]:
    """The network whose readers of a copy read what was copied; and by tensor the copy as which all of its readers
    understand what is stored, where that is another than itself."""
    graph = network.graph
    named: dict[int, int] = {}
    meant: dict[int, int] = {}
    nodes = []
    for node in network.nodes:
        read = node.inputs[0]
        stored = named.get(read, read)
        # All tensors from what is stored to what the node reads have one reader each.
        alone = len(network.consumers(read)) == 1 and read not in network.outputs and meant.get(stored, stored) == read
        moved = _stored_zero(graph, read) != _stored_zero(graph, node.output)
        renamed = replace(node, inputs=tuple(named.get(tensor, tensor) for tensor in node.inputs))
        if _is_copy(network, node) and (alone or not moved):
            named[node.output] = stored
            if alone:
                meant[stored] = node.output
        else:
            nodes.append(renamed)
    return replace(network, nodes=tuple(nodes)), meant
