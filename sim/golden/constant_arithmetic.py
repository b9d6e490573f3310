"""Golden model of MUL, SUB and ADD by a constant (``mul.cc``, ``sub.cc``, ``add.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.constant_arithmetic import ConstantArithmetic

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed
from .scaled_sum import scaled_sum


@kernel(ConstantArithmetic)
def constant_arithmetic(
    operator: ConstantArithmetic, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """MUL, SUB or ADD of a tensor and a constant."""
    refuse_fixed(operator)
    operands = (values, operator.constant)
    quantizations = (
        (input_tensors[0].scale, input_tensors[0].zero_point),
        (float(operator.constant_scale), operator.constant_zero_point),
    )
    if operator.constant_first:
        operands, quantizations = operands[::-1], quantizations[::-1]
    if operator.operation != "MUL":
        signs = (1, -1) if operator.operation == "SUB" else (1, 1)
        return scaled_sum(operands, quantizations, signs, output, operator.activation)
    left, right = (
        operand.astype(np.int64) - zero_point for operand, (_, zero_point) in zip(operands, quantizations, strict=True)
    )
    scales = [np.float32(scale) for scale, _ in quantizations]
    multiplier = reference.Multiplier.of(scales[0] * scales[1] / np.float32(output.scale))  # in float32, as mul.cc
    return reference.requantize(left * right, multiplier, output, operator.activation)
