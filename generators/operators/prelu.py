"""PRELU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import scaled_table
from ..graph.graph import Activation, Element, Tensor
from ..graph.number_checks import scaling_problems, shape_problems, valid_scale
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import ELEMENTS, Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Prelu(TableOperator):
    """PRELU: x, or slope · x where x is negative; one slope, or one for each channel.

    ``slopes`` holds the file's integers, shape () or (C,).
    """

    KIND: ClassVar[str] = "PRELU"
    BECOMES: ClassVar[str] = "`lookup`, of one slope or one for each channel"

    slopes: np.ndarray
    slope_element: Element
    slope_scale: float
    slope_zero_point: int

    @property
    def parameters(self) -> int:
        return self.slopes.size

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        centred = values - input_tensor.zero_point
        slopes = np.asarray(self.slopes, np.int64).reshape(-1, 1) - self.slope_zero_point
        straight, slanted = _multipliers(self, input_tensor, output)
        return np.where(
            centred >= 0,
            scaled_table(centred, straight, output, Activation.NONE),
            scaled_table(centred * slopes, slanted, output, Activation.NONE),
        )

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        problems = shape_problems(output, input_tensor.shape, "its input's shape")
        if self.slopes.shape not in ((), (input_tensor.channels,)):
            problems.append(
                f"has slopes of shape {list(self.slopes.shape)}; one number, or one for each of the "
                f"{input_tensor.channels} channels, is supported"
            )
        if not valid_scale(self.slope_scale):
            problems.append(f"has slopes of scale {self.slope_scale}; a scale is a positive finite float32")
        if not self.slope_element.minimum <= self.slope_zero_point <= self.slope_element.maximum:
            problems.append(f"has slopes with zero point {self.slope_zero_point}, outside {self.slope_element}")
        if problems:
            return problems
        straight, slanted = _multipliers(self, input_tensor, output)
        return scaling_problems(255, float(straight)) + scaling_problems(255 * 255, float(slanted))


def _multipliers(op: Prelu, input_tensor: Tensor, output: Tensor) -> tuple[np.float32, np.float32]:
    scale, to = np.float32(input_tensor.scale), np.float32(output.scale)
    return scale / to, scale * np.float32(op.slope_scale) / to


def _read(reader: Reader) -> Prelu:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed()
    slopes = reader.constant(1, "slopes", ("INT8", "UINT8"))
    tensor = reader.needed(1, "slopes")
    if tensor.scales.size != 1 or tensor.zero_points.size > 1:
        raise Unsupported(f"has slopes ({tensor}) with {tensor.scales.size} scales; one is supported")
    return Prelu(
        **reader.common(input_tensor),
        slopes=reader.per_channel(slopes),
        slope_element=ELEMENTS[tensor.type],
        slope_scale=float(tensor.scales[0]),
        slope_zero_point=int(tensor.zero_points[0]) if tensor.zero_points.size else 0,
    )


TFLITE = (TfliteForm("PRELU", "", _read),)
