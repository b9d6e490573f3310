"""The blocks of a network as ranges of its operators: what is worth simulating alone.

A block ends where one tensor alone is live and the operator that wrote it closes a unit of a MobileNet: the addition of
a residual, a full convolution, or the pointwise convolution behind a depthwise one (a projection, or the pointwise
half of a separable pair). So an expansion, its depthwise filter, its projection and its residual stay together, and
what follows the last block, the head, is one range.
"""

from __future__ import annotations

from .graph import Graph


def block_ranges(graph: Graph) -> list[tuple[int, int]]:
    """The ranges ``(first, last + 1)`` of operator indices that make up the graph, in order."""
    bounds = []
    first = graph.operators[0].index
    for position, op in enumerate(graph.operators[:-1]):
        if op.closes_block(graph) and _live(graph, position) == 1:
            bounds.append((first, op.index + 1))
            first = graph.operators[position + 1].index
    bounds.append((first, graph.operators[-1].index + 1))
    return bounds


def _live(graph: Graph, position: int) -> int:
    """Tensors that operators after ``position`` read and operators up to it, or the outside, wrote."""
    before = {tensor for op in graph.operators[: position + 1] for tensor in op.outputs} | set(graph.inputs)
    after = {tensor for op in graph.operators[position + 1 :] for tensor in op.inputs}
    return len(before & after)
