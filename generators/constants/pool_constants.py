"""The requantisation of means, over a whole map and over windows: of AVERAGE_POOL_2D and MEAN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph.graph import Graph, GraphError, Operator, Padding, Tensor
from ..operators.average_pool import AveragePool
from ..operators.mean import Mean
from .requantization import Requantization, find_requantization
from .step_function import AffineRule, AverageRule, Rule, activation_limits, quantize_multiplier


def pool_requantization(op: Operator, graph: Graph, *, lanes: int = 1) -> Requantization:
    """The one word that divides every channel's sum of raw integers, proved for every sum that a map can have.

    Args:
        op: a :class:`Mean`, or an :class:`AveragePool` whose one window is the whole map.
        lanes: of the circuit, which weigh its cost.

    Raises:
        GraphError: another operator or window, binary fixed point (where neither is defined), or no exact word.
    """
    where = f"operator {op.index} {op.kind}"
    rule, low, high, bias = pool_rule(op, graph)
    return find_requantization(
        rule, np.array([low]), np.array([high]), np.array([bias]), _output(op, graph).element, lanes=lanes, name=where
    )


def pool_rule(op: Operator, graph: Graph) -> tuple[Rule, int, int, int]:
    """A mean over the whole map as a function of the sum of raw integers: the rule, the least and greatest sum,
    and what is added to a sum before.

    Raises:
        GraphError: another operator or window, or binary fixed point (where neither is defined).
    """
    where = f"operator {op.index} {op.kind}"
    if not isinstance(op, (AveragePool, Mean)):
        raise GraphError(f"{where} is no pooling")
    if op.numbers != "affine":
        raise GraphError(f"{where} is not defined in binary fixed point; only convolutions and ADD are")
    input_tensor, output = graph.tensors[op.inputs[0]], _output(op, graph)
    pixels = op.count(input_tensor) if isinstance(op, Mean) else input_tensor.height * input_tensor.width
    if isinstance(op, Mean):
        rule, bias = _mean_rule(input_tensor, output, pixels), -pixels * input_tensor.zero_point
    else:
        whole = op.kernel == (input_tensor.height, input_tensor.width) and op.padding == Padding()
        if not whole or (output.height, output.width) != (1, 1):
            raise GraphError(
                f"{where} averages windows of {op.kernel[0]}×{op.kernel[1]} over a map of "
                f"{input_tensor.height}×{input_tensor.width}; only the mean over the whole map has a circuit: "
                "use a strided convolution instead"
            )
        # The reference divides the raw integers; their zero point is the output's too.
        limits = activation_limits(op.activation, output.element, output.scale, output.zero_point)
        rule, bias = AverageRule(1, 0, *limits, np.array([pixels])), 0
    return rule, input_tensor.element.minimum * pixels, input_tensor.element.maximum * pixels, bias


def window_requantization(op: AveragePool, graph: Graph, counts: Sequence[int], *, lanes: int = 1) -> Requantization:
    """For each number of elements that a window has within the map the word that divides their sum, proved for every
    sum that they can have.

    Args:
        counts: ascending.
        lanes: of the circuit, which weigh its cost.

    Raises:
        GraphError: binary fixed point (where it is not defined), or no exact words.
    """
    where = f"operator {op.index} {op.kind}"
    if op.numbers != "affine":
        raise GraphError(f"{where} is not defined in binary fixed point; only convolutions and ADD are")
    input_tensor, output = graph.tensors[op.inputs[0]], _output(op, graph)
    # The reference divides the raw integers; their zero point is the output's too.
    limits = activation_limits(op.activation, output.element, output.scale, output.zero_point)
    divided = np.array(counts, np.int64)
    rule = AverageRule(len(counts), 0, *limits, divided)
    low, high = divided * input_tensor.element.minimum, divided * input_tensor.element.maximum
    bias = np.zeros(len(counts), np.int64)
    return find_requantization(rule, low, high, bias, output.element, lanes=lanes, name=where)


def _output(op: Operator, graph: Graph) -> Tensor:
    return graph.tensors[op.outputs[0]]


def _mean_rule(input_tensor: Tensor, output: Tensor, pixels: int) -> Rule:
    """``reduce.cc``: the division is part of the multiplier, shifted first as far as the count and 32 bits allow."""
    q, exponent = (int(part) for part in quantize_multiplier(input_tensor.scale / output.scale))
    shift = min(pixels.bit_length() - 1, 32, 31 + exponent)
    q, exponent = (q << shift) // pixels, exponent - shift
    limits = output.element.minimum, output.element.maximum
    return AffineRule(1, output.zero_point, *limits, np.array([q], np.int64), np.array([exponent], np.int64))
