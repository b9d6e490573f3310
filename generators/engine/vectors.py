"""MUL of a map by a vector of each frame: a depthwise convolution whose weights are computed.

(x − zx) · (v − zv) is a sum of products of bytes. The vector less its zero point has 9 bits: its parts, which TABLE
instructions find, are written into the weight memory. Each is a tap of a kernel that stands on the pixel itself: rows
of the kernel lie 0 words apart, and those beyond the map read ``fill`` instead of x, for −zx.
"""

from __future__ import annotations

import numpy as np

from mbconv.hdl.engine.instruction import Operation

from ..constants.product_constants import product_rule
from ..graph.graph import GraphError
from ..stages.network import Node
from .layer import Layer
from .layers import Lowering, stored_rule
from .layout import StoredMap
from .pair_layers import product_layer
from .requantize import engine_requantization


def parts(zero_point: int) -> list[np.ndarray]:
    """Bytes that add up to an element less its zero point, for the elements from −128 to 127."""
    whole = np.arange(-128, 128) - zero_point
    count = max(-(-int(whole.max()) // 127), -(int(whole.min()) // 128), 1)
    return [(whole + part) // count for part in range(count)]


def fills(zero_point: int) -> list[int]:
    """Bytes that add up to minus a zero point, all of them alike."""
    if not zero_point:
        return []
    return [-zero_point] if zero_point > -128 else [64, 64]


def product_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """The instructions of a MUL: of two maps of one shape one, where the engine has it.

    Raises:
        GraphError: maps that are repeated over each other, or the engine has no instruction for the product.
    """
    maps, p = [lowering.map(tensor) for tensor in node.inputs], lowering.parameters
    what = f"{node.name} ({node.operator.kind})"
    if p.products and lowering.alike(node):
        return [product_layer(lowering, node)]
    vectors = [number for number in (1, 0) if maps[number].tensor.pixels == 1]
    if not vectors or maps[0].tensor.channels != maps[1].tensor.channels:
        if lowering.alike(node):
            raise GraphError(f"{what} needs products=1: an engine whose TABLE multiplies two operands")
        raise GraphError(f"{what} repeats a map over another, which is an instruction for vectors alone")
    if not p.vectors:
        raise GraphError(f"{what} needs vectors=1, an engine whose TABLE writes weights, or products=1")
    if p.port_bytes and p.word_beats < 2:
        raise GraphError(f"{what}: an instruction that writes weights needs words of two beats of the port at least")
    side = vectors[0]
    vector, source, output = maps[side], maps[1 - side], lowering.map(node.output)
    tables, beyond = parts(vector.zero_point), fills(source.zero_point)
    taps = len(tables) * (1 + len(beyond))
    groups = output.words_of_pixel
    copies = [
        Layer(
            node.name,
            {
                "operation": Operation.TABLE,
                "binary": 1,  # of the same element, and nothing: a word takes two cycles
                "to_weights": 1,
                "pixel_step": 1,
                "row_step": 0,
                "destination_step": taps,
                "destination_row_step": 0,
                "destination_width": groups - 1,
                "destination_height": 0,
                "still_constants": 1,
                "minimum": -128,
                "maximum": 127,
            },
            (node.inputs[side],),
            None,
            constants=lowering.unscaled(0).packed(p),
            tables=(tuple(int(entry) for entry in tables[tap % len(tables)]), (0,) * 256),
            target=tap,
        )
        for tap in range(taps)
    ]
    return [*copies, _product(lowering, node, source, output, node.inputs[1 - side], len(tables), beyond)]


def _product(
    lowering: Lowering, node: Node, source: StoredMap, output: StoredMap, tensor: int, count: int, beyond: list[int]
) -> Layer:
    """The convolution, whose kernel has ``count`` rows on the pixel and as many for each of ``beyond``."""
    rule, low, high = product_rule(node.operator, lowering.graph)
    found = engine_requantization(
        stored_rule(rule, output), np.array([low]), np.array([high]), np.array([0]), lowering.parameters, node.name
    )
    height, width = source.tensor.height, source.tensor.width
    words, taps = source.words_of_pixel, count * (1 + len(beyond))
    values = {
        "operation": Operation.DEPTHWISE,
        "pixel_step": words,
        "row_step": source.step,
        "tap_step": words,
        "tap_row_step": 0,
        "height": count - 1,
        "width": width - 1,
        "top": 0,
        "left": 0,
        "row_stride": 0,
        "column_stride": 1,
        "rows": taps - 1,
        "columns": 0,
        "taps": 0,
        "words": 0,
        "tail": 0,
        "output_width": width - 1,
        "pixels": height * width - 1,
        "groups": output.words_of_pixel - 1,
        "destination_step": output.words_of_pixel,
        "destination_row_step": output.step,
        "destination_width": width - 1,
        "destination_height": height - 1,
        "fill": beyond[0] if beyond else 0,
        "still_constants": 1,
    }
    return Layer(
        node.name,
        values | lowering.finished(found),
        (tensor,),
        node.output,
        weights=np.zeros((output.words_of_pixel * taps, lowering.parameters.channels), np.int64),
        constants=found.words.packed(lowering.parameters),
        requantization=found,
        lanes=(lowering.parameters.depthwise_columns, lowering.parameters.depthwise_rows),
        kept=True,
    )
