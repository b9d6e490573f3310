"""How far the rows of a map lie apart, so that DEPTHWISE reads several of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from mbconv.hdl.engine.map_memory import bank_of
from mbconv.hdl.engine.parameters import EngineParameters

from ..stages.network import Network, Node
from .traits import traits_of


@cache
def rows_at_once(step: int, banks: int) -> int:
    """Of rows ``step`` words apart, how many lie in different banks, wherever they begin."""
    for rows in range(banks, 1, -1):
        if all(len({bank_of(start + row * step, banks) for row in range(rows)}) == rows for start in range(banks**2)):
            return rows
    return 1


def least_pitch(row_words: int, stride: int, parameters: EngineParameters) -> int:
    """The least distance of rows with which ``depthwise_rows`` rows of windows are read at once; that of the words
    themselves where there is none."""
    for pitch in range(row_words, row_words + parameters.banks**2):
        if rows_at_once(stride * pitch, parameters.banks) >= parameters.depthwise_rows:
            return pitch
    return row_words


def _same_raster(network: Network, node: Node, tensor: int) -> bool:
    """A node reads, or writes, a tensor's rows and columns as they are stored."""
    stored = network.tensor(tensor)
    if tensor == node.output:
        read, padding = node.raster, node.padding
        if read is None:
            return False
        height, width = (
            (size + sum(edges) - kernel) // stride + 1
            for size, edges, kernel, stride in zip(
                (read.height, read.width),
                ((padding.top, padding.bottom), (padding.left, padding.right)),
                node.kernel,
                node.strides,
                strict=True,
            )
        )
        return (height, width) == (stored.height, stored.width)
    return all(
        (raster.height, raster.width, raster.channels) == (stored.height, stored.width, stored.channels)
        for raster, read in zip(node.rasters, node.inputs, strict=True)
        if read == tensor
    )


def pitches(network: Network, parameters: EngineParameters, row_words: dict[int, int]) -> dict[int, int]:
    """Of tensors that DEPTHWISE reads in several rows at once, and of those that share words with them in TABLE.

    Args:
        row_words: by tensor, the words of a row.
    """
    if parameters.depthwise_rows == 1:
        return {}
    edges = {*network.inputs.values(), *network.outputs}

    def free(tensor: int) -> bool:
        nodes = [node for node in network.nodes if tensor in (*node.inputs, node.output)]
        return tensor not in edges and all(
            traits_of(node).row_by_row and _same_raster(network, node, tensor) for node in nodes
        )

    groups: list[set[int]] = []
    for node in network.nodes:
        if traits_of(node).word_by_word:
            joined = {*node.inputs, node.output}
            for group in [group for group in groups if group & joined]:
                joined |= group
                groups.remove(group)
            groups.append(joined)
    found: dict[int, int] = {}
    for node in network.nodes:
        if not traits_of(node).several_rows:
            continue
        read = max(node.inputs, key=lambda tensor: network.tensor(tensor).pixels)
        group: Iterable[int] = next((group for group in groups if read in group), {read})
        if read not in found and all(free(tensor) for tensor in group):
            pitch = least_pitch(row_words[read], node.strides[0], parameters)
            found |= {tensor: pitch for tensor in group if row_words[tensor] == row_words[read]}
    return found
