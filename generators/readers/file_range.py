"""A file cut to what is wanted of it: without what no output needs, or to a range of its operators."""

from __future__ import annotations

from dataclasses import replace

from ..graph.graph import GraphError
from .tflite_content import FileContent


def without_dead_branches(content: FileContent) -> FileContent:
    """The content without operators that no output depends on."""
    needed = set(content.outputs)
    kept = []
    for op in reversed(content.operators):
        if needed.intersection(op.outputs):
            kept.append(op)
            needed.update(op.inputs)
    return replace(content, operators=tuple(reversed(kept)))


def file_range(content: FileContent, first: int, last: int) -> tuple[FileContent, frozenset[int]]:
    """The operators ``first`` to ``last`` (half open) alone, as :meth:`Graph.layers` cuts a graph.

    Returns:
        The content with the range's inputs and outputs, and those outputs that are read behind the range.

    Raises:
        GraphError: the range is empty or outside the file.
    """
    end = max(op.index for op in content.operators) + 1
    if not 0 <= first < last <= end:
        raise GraphError(f"layers {first}:{last} are not a range of this network; it has operators 0:{end}")
    inside = tuple(op for op in content.operators if first <= op.index < last)
    if not inside:
        raise GraphError(f"layers {first}:{last} hold no operator of this network")
    written = {t for op in inside for t in op.outputs}
    elsewhere = {t for op in content.operators if not first <= op.index < last for t in op.inputs}
    constants = {tensor.index for tensor in content.tensors if tensor.constant}
    read = (t for op in inside for t in op.inputs if t >= 0 and t not in written and t not in constants)
    outputs = tuple(t for op in inside for t in op.outputs if t in elsewhere or t in content.outputs)
    cut = replace(content, operators=inside, inputs=tuple(dict.fromkeys(read)), outputs=outputs)
    return cut, frozenset(written & elsewhere)
