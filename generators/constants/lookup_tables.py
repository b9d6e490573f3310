"""Unary operators as tables: the result for every value of an element, for all channels or for each.

Computed as TFLite's reference kernels do, with multipliers that this module prepares itself: ``quantize.cc``,
``activations.cc``, ``add.cc``, ``sub.cc``, ``mul.cc``. A table is exhaustive, so nothing remains to be proved.
"""

from __future__ import annotations

import numpy as np

from ..graph.graph import Activation, Graph, GraphError, Operator, Tensor
from ..operators.constant_arithmetic import ConstantArithmetic
from ..operators.quantize import Quantize
from ..operators.rectify import Rectify
from .step_function import activation_limits, multiply_by_quantized_multiplier, quantize_multiplier

_LEFT_SHIFT = 20


def lookup_tables(op: Operator, graph: Graph) -> np.ndarray:
    """The tables of QUANTIZE, RELU, RELU6, or MUL, SUB or ADD by a constant.

    Returns:
        int64 ``[1][2^bits]``, or ``[channels][2^bits]`` for a constant of each channel's own; the entries in ascending
        order of the input's values, as :class:`~mbconv.hdl.lookup.Lookup` takes them.

    Raises:
        GraphError: an operator that is none of these, in binary fixed point, or on elements of more than 16 bits.
    """
    where = f"operator {op.index} {op.kind}"
    if not isinstance(op, (Quantize, Rectify, ConstantArithmetic)):
        raise GraphError(f"{where} is no function of one element; QUANTIZE, RELU and arithmetic with a constant are")
    if op.numbers != "affine":
        raise GraphError(f"{where} is not defined in binary fixed point; only convolutions and ADD are")
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if source.element.bits > 16:
        raise GraphError(f"{where} reads {source.element}; a table has at most 16 bits of address: quantise to int8")
    values = np.arange(source.element.minimum, source.element.maximum + 1, dtype=np.int64)[None, :]
    if isinstance(op, ConstantArithmetic):
        return _constant_arithmetic(op, source, output, values)
    if isinstance(op, Rectify):
        real, activation = np.float32(source.scale) / np.float32(output.scale), op.activation
    else:
        real, activation = source.scale / output.scale, Activation.NONE
    return _scaled(values - source.zero_point, real, output, activation)


def _scaled(values: np.ndarray, real: float, output: Tensor, activation: Activation) -> np.ndarray:
    """Values less their zero point, times a multiplier, with the output's zero point and limits."""
    result = multiply_by_quantized_multiplier(values, *quantize_multiplier(real)) + output.zero_point
    return np.clip(result, *activation_limits(activation, output.element, output.scale, output.zero_point))


def _constant_arithmetic(op: ConstantArithmetic, source: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
    constant = np.asarray(op.constant, np.int64).reshape(-1, 1) - op.constant_zero_point
    operands = [(values - source.zero_point, source.scale), (constant, float(op.constant_scale))]
    if op.constant_first:
        operands.reverse()
    (left, left_scale), (right, right_scale) = operands
    if op.operation == "MUL":
        real = np.float32(left_scale) * np.float32(right_scale) / np.float32(output.scale)  # floats in mul.cc
        return _scaled(left * right, real, output, op.activation)
    twice_largest = 2.0 * max(left_scale, right_scale)
    total = np.zeros(1, np.int64)
    # SUB negates the second multiplier, so that its halves round the other way than the product's would.
    for operand, scale, sign in ((left, left_scale, 1), (right, right_scale, -1 if op.operation == "SUB" else 1)):
        q, exponent = quantize_multiplier(scale / twice_largest)
        total = total + multiply_by_quantized_multiplier(operand << _LEFT_SHIFT, sign * q, exponent)
    return _scaled(total, twice_largest / ((1 << _LEFT_SHIFT) * output.scale), output, op.activation)
