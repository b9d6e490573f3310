"""The requantisation of a product of two tensors."""

from __future__ import annotations

import numpy as np

from mbconv.hdl.multiply import product_range

from ..graph.graph import Graph, GraphError
from ..operators.multiply import Multiply
from ..stages.element_shape import element_shape
from .requantization import Requantization, find_requantization
from .step_function import AffineRule, activation_limits, quantize_multiplier


def product_rule(op: Multiply, graph: Graph) -> tuple[AffineRule, int, int]:
    """The rule of a product of two elements less their zero points (``mul.cc``, whose multiplier is made in float32),
    the least and the greatest product.

    Raises:
        GraphError: in binary fixed point, which does not define it.
    """
    if op.numbers != "affine":
        where = f"operator {op.index} {op.kind}"
        raise GraphError(f"{where} is not defined in binary fixed point; only convolutions and ADD are")
    first, second = (graph.tensors[index] for index in op.inputs)
    output = graph.tensors[op.outputs[0]]
    real = np.float32(first.scale) * np.float32(second.scale) / np.float32(output.scale)
    q, exponent = quantize_multiplier(np.array([real], np.float64))
    limits = activation_limits(op.activation, output.element, output.scale, output.zero_point)
    shapes = element_shape(first.element), element_shape(second.element)
    low, high = product_range(shapes, (first.zero_point, second.zero_point))
    return AffineRule(1, output.zero_point, *limits, q, exponent), low, high


def product_requantization(op: Multiply, graph: Graph, *, lanes: int = 1, interval: int = 1) -> Requantization:
    """The one word for every product of two elements less their zero points, proved for all integers between the least
    and the greatest product.

    Args:
        lanes, interval: of the circuit, which weigh its cost.

    Raises:
        GraphError: in binary fixed point, which does not define it, or no word is exact.
    """
    rule, low, high = product_rule(op, graph)
    return find_requantization(
        rule,
        np.array([low]),
        np.array([high]),
        np.array([0]),
        graph.tensors[op.outputs[0]].element,
        lanes=lanes,
        interval=interval,
        name=f"operator {op.index} {op.kind}",
    )
