"""MUL, SUB and ADD by a constant: read by the files of these operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.step_function import multiply_by_quantized_multiplier, quantize_multiplier
from ..constants.table_arithmetic import scaled_table
from ..graph.graph import Activation, Element, Tensor
from ..graph.number_checks import broadcast_shape, scaling_problems, shape_problems, sum_problems, valid_scale
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import ELEMENTS, Reader, Unsupported

_LEFT_SHIFT = 20


@dataclass(frozen=True, eq=False)
class ConstantArithmetic(TableOperator):
    """MUL, SUB or ADD of a tensor and a constant that broadcasts to it: one number, one for each channel, a map."""

    KIND: ClassVar[str] = "MUL, SUB or ADD by a constant"
    BECOMES: ClassVar[str] = "`lookup`, of one number or one for each channel"

    operation: str  # "MUL", "SUB" or "ADD"
    constant: np.ndarray  # the file's integers; shape () or (C,) where they are one number or one a channel
    constant_element: Element
    constant_scale: float
    constant_zero_point: int
    constant_first: bool  # the constant is the left operand (matters for SUB)
    activation: Activation = Activation.NONE

    @property
    def kind(self) -> str:
        return self.operation

    @property
    def parameters(self) -> int:
        return self.constant.size

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        problems = shape_problems(output, input_tensor.shape, "its input's shape")
        if self.operation not in ("MUL", "SUB", "ADD"):
            problems.append(f"computes {self.operation!r}; MUL, SUB and ADD are supported")
        if broadcast_shape(input_tensor.shape, self.constant.shape) != input_tensor.shape:
            problems.append(
                f"has a constant of shape {list(self.constant.shape)}, which does not broadcast to "
                f"{list(input_tensor.shape)}"
            )
        if self.constant_element != input_tensor.element:
            problems.append(f"has a {self.constant_element} constant on {input_tensor.element} activations")
        if not valid_scale(self.constant_scale):
            problems.append(f"has a constant with scale {self.constant_scale}; a scale is a positive finite float32")
        element = self.constant_element
        if not element.minimum <= self.constant_zero_point <= element.maximum:
            problems.append(f"has a constant with zero point {self.constant_zero_point}, outside {element}")
        if problems:
            return problems
        if self.operation == "MUL":
            return scaling_problems(255 * 255, input_tensor.scale * self.constant_scale / output.scale)
        return sum_problems((input_tensor.scale, self.constant_scale), output)

    @property
    def by_channel(self) -> bool:
        """Whether the constant is one number or one for each channel, so that tables of a channel's own exist."""
        return self.constant.ndim < 2

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        constant = np.asarray(self.constant, np.int64).reshape(-1, 1) - self.constant_zero_point
        operands = [(values - input_tensor.zero_point, input_tensor.scale), (constant, float(self.constant_scale))]
        if self.constant_first:
            operands.reverse()
        (left, left_scale), (right, right_scale) = operands
        if self.operation == "MUL":
            real = np.float32(left_scale) * np.float32(right_scale) / np.float32(output.scale)  # floats in mul.cc
            return scaled_table(left * right, real, output, self.activation)
        twice_largest = 2.0 * max(left_scale, right_scale)
        total = np.zeros(1, np.int64)
        # SUB negates the second multiplier, so that its halves round the other way than the product's would.
        for operand, scale, sign in ((left, left_scale, 1), (right, right_scale, -1 if self.operation == "SUB" else 1)):
            q, exponent = quantize_multiplier(scale / twice_largest)
            total = total + multiply_by_quantized_multiplier(operand << _LEFT_SHIFT, sign * q, exponent)
        return scaled_table(total, twice_largest / ((1 << _LEFT_SHIFT) * output.scale), output, self.activation)


def read_constant_arithmetic(reader: Reader) -> ConstantArithmetic:
    """ADD, SUB or MUL of which one operand is a constant of the file."""
    input_tensors = [reader.needed(position, "operand") for position in (0, 1)]
    constants = [position for position in (0, 1) if input_tensors[position].constant]
    if len(constants) == 2:
        raise Unsupported("computes on two constants of quantised numbers; fold constants by converting again")
    code = reader.operator.code
    (position,) = constants
    input_tensor = reader.computed(1 - position)
    values = reader.constant(position, "constant", ("INT8", "UINT8"))
    constant = input_tensors[position]
    if constant.scales.size != 1 or constant.zero_points.size > 1:
        raise Unsupported(f"has a constant ({constant}) with {constant.scales.size} scales; one is supported")
    return ConstantArithmetic(
        **reader.common(input_tensor),
        operation=code,
        constant=reader.per_channel(values),
        constant_element=ELEMENTS[constant.type],
        constant_scale=float(constant.scales[0]),
        constant_zero_point=int(constant.zero_points[0]) if constant.zero_points.size else 0,
        constant_first=position == 0,
        activation=reader.activation(),
    )


TFLITE = ()
