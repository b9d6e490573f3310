"""Operators of two maps that TABLE computes with ``products``: MUL of their elements, MAXIMUM and MINIMUM.

A product's tables hold each operand less its zero point, and the result is requantised as a convolution's sum is. The
greater of two elements is that of two entries; the smaller one is minus the greater of both entries' negatives.
"""

from __future__ import annotations

import numpy as np

from mbconv.hdl.engine.instruction import Operation

from ..constants.product_constants import product_rule
from ..graph.graph import GraphError, Tensor
from ..operators.maximum import Maximum
from ..stages.network import Node
from .layer import Layer
from .layers import Lowering, stored_rule
from .requantize import ChannelConstants, engine_requantization


def product_layer(lowering: Lowering, node: Node) -> Layer:
    """MUL of two maps of one shape.

    Raises:
        GraphError: no constants of this engine are exact.
    """
    rule, low, high = product_rule(node.operator, lowering.graph)
    found = engine_requantization(
        stored_rule(rule, lowering.map(node.output)),
        np.array([low]),
        np.array([high]),
        np.array([0]),
        lowering.parameters,
        node.name,
    )
    maps = [lowering.map(tensor) for tensor in node.inputs]
    operands = [elements(found.tensor) - found.offset - found.zero_point for found in maps]
    return _pair(lowering, node, operands, found.words, lowering.finished(found) | {"product": 1})


def extremum_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """MAXIMUM or MINIMUM of two maps of one shape.

    Raises:
        GraphError: the maps have different shapes, or the engine has no such instruction.
    """
    what = f"{node.name} ({node.operator.kind})"
    if not lowering.parameters.products:
        raise GraphError(f"{what} needs products=1: an engine whose TABLE compares two operands")
    if not lowering.alike(node):
        raise GraphError(f"{what} compares maps of different shapes, which is no instruction")
    sign = 1 if isinstance(node.operator, Maximum) else -1
    maps = [lowering.map(tensor) for tensor in node.inputs]
    operands = [sign * (elements(found.tensor) - found.offset) for found in maps]
    plain = lowering.unscaled(0)
    words = ChannelConstants(plain.bias, sign * plain.multiplier, plain.shift, plain.rounded)
    return [_pair(lowering, node, operands, words, {"minimum": -128, "maximum": 127, "greatest": 1})]


def elements(tensor: Tensor) -> np.ndarray:
    """All values of an element of a tensor."""
    return np.arange(tensor.element.minimum, tensor.element.maximum + 1)


def _pair(
    lowering: Lowering, node: Node, operands: list[np.ndarray], words: ChannelConstants, values: dict[str, int]
) -> Layer:
    """TABLE of two operands, of which each has a table."""
    fields, rows = lowering.elementwise_fields(node)
    first, second = (
        lowering.entries(table, lowering.map(tensor)) for table, tensor in zip(operands, node.inputs, strict=True)
    )
    assert fields["operation"] == Operation.TABLE
    return Layer(
        node.name,
        fields | values | {"binary": 1},
        node.inputs,
        node.output,
        constants=words.packed(lowering.parameters),
        tables=(first, second),
        rows=rows,
    )
