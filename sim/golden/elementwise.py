"""Golden model of the operators that compute each element from elements at its own place.

ADD, MUL and SUB (``add.cc``, ``mul.cc``, ``sub.cc``), RELU and RELU6 (``activations.cc``), QUANTIZE
(``quantize.cc``, ``requantize.h``) and DEQUANTIZE (``dequantize.h``) of TFLite's reference kernels.
"""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import (
    Activation,
    Add,
    ConstantArithmetic,
    Dequantize,
    GraphError,
    Operator,
    Quantize,
    Rectify,
    Tensor,
)

from . import fixed_arithmetic as fixed
from . import reference_arithmetic as reference

_SHIFT = 20  # how far sums of 8-bit operands are scaled up before they are rounded


def refuse_fixed(operator: Operator) -> None:
    """Refuse an operator that has no definition in binary fixed point.

    Raises:
        GraphError: the operator's numbers are binary fixed point.
    """
    if operator.numbers == "fixed":
        raise GraphError(f"operator {operator.index} ({operator.kind}) is not defined in binary fixed point")


def _scaled_sum(
    operands: tuple[np.ndarray, np.ndarray],
    quantizations: tuple[tuple[float, int], tuple[float, int]],
    signs: tuple[int, int],
    output: Tensor,
    activation: Activation,
) -> np.ndarray:
    """A sum or difference of two operands, each given with its scale and zero point."""
    twice_largest = 2 * max(scale for scale, _ in quantizations)
    total = np.int64(0)
    for values, (scale, zero_point), sign in zip(operands, quantizations, signs, strict=True):
        multiplier = reference.Multiplier.of(scale / twice_largest)
        # SUB negates the multiplier, not the product: a half rounds the other way.
        signed = reference.Multiplier(multiplier.mantissa * sign, multiplier.exponent)
        total = total + signed.scale((values.astype(np.int64) - zero_point) << _SHIFT)
    back = reference.Multiplier.of(twice_largest / ((1 << _SHIFT) * output.scale))
    return reference.requantize(total, back, output, activation)


def add(operator: Add, sources: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray) -> np.ndarray:
    """ADD of two tensors."""
    if operator.numbers == "fixed":
        exponents = [fixed.tensor_exponent(source) for source in sources]
        finest = min(exponents)
        total = sum(v.astype(np.int64) << (e - finest) for v, e in zip(values, exponents, strict=True))
        return fixed.requantize(total, fixed.tensor_exponent(output) - finest, output, operator.activation)
    quantizations = tuple((source.scale, source.zero_point) for source in sources)
    return _scaled_sum(values, quantizations, (1, 1), output, operator.activation)


def constant_arithmetic(
    operator: ConstantArithmetic, sources: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """MUL, SUB or ADD of a tensor and a constant."""
    refuse_fixed(operator)
    operands = (values, operator.constant)
    quantizations = (
        (sources[0].scale, sources[0].zero_point),
        (float(operator.constant_scale), operator.constant_zero_point),
    )
    if operator.constant_first:
        operands, quantizations = operands[::-1], quantizations[::-1]
    if operator.operation != "MUL":
        signs = (1, -1) if operator.operation == "SUB" else (1, 1)
        return _scaled_sum(operands, quantizations, signs, output, operator.activation)
    left, right = (
        operand.astype(np.int64) - zero_point for operand, (_, zero_point) in zip(operands, quantizations, strict=True)
    )
    scales = [np.float32(scale) for scale, _ in quantizations]
    multiplier = reference.Multiplier.of(scales[0] * scales[1] / np.float32(output.scale))  # in float32, as mul.cc
    return reference.requantize(left * right, multiplier, output, operator.activation)


def rectify(operator: Rectify, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """RELU or RELU6 standing alone."""
    refuse_fixed(operator)
    multiplier = reference.Multiplier.of(np.float32(sources[0].scale) / np.float32(output.scale))
    centred = values.astype(np.int64) - sources[0].zero_point
    return reference.requantize(centred, multiplier, output, operator.activation)


def quantize(operator: Quantize, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """QUANTIZE of integers."""
    refuse_fixed(operator)
    multiplier = reference.Multiplier.of(sources[0].scale / output.scale)
    return reference.requantize(values.astype(np.int64) - sources[0].zero_point, multiplier, output)


def dequantize(operator: Dequantize, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """DEQUANTIZE: float32, whatever element the graph gives to the output."""
    return (sources[0].scale * (values.astype(np.float64) - sources[0].zero_point)).astype(np.float32)
