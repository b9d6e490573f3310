"""HARD_SWISH: x · relu6(x + 3) / 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.step_function import quantize_multiplier, rounding_divide_by_power
from ..graph.graph import Tensor
from ..graph.number_checks import shape_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class HardSwish(TableOperator):
    """HARD_SWISH, in 16 bits as the reference kernel computes it (``hard_swish.h``)."""

    KIND: ClassVar[str] = "HARD_SWISH"
    BECOMES: ClassVar[str] = "`lookup`"

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        fine = (values - input_tensor.zero_point) << 7
        step = np.float32(input_tensor.scale) * np.float32(1 / 128)
        on_output, output_exponent = _multiplier(step / np.float32(output.scale))
        on_gate, gate_exponent = _multiplier(step / np.float32(3 / 32768))
        scaled = _high_multiply(fine, on_output)
        gate = fine
        if gate_exponent > 0:
            gate = _saturated(gate << (gate_exponent - 1))
        gate = _high_multiply(gate, on_gate)
        if gate_exponent > 0:
            gate = _saturated(gate << 1)
        else:
            gate = rounding_divide_by_power(gate, np.int64(-gate_exponent))
        gate = (gate + (1 << 15)) >> 1
        product = gate * scaled
        product = np.where(product < 0, -(-product >> 15), product >> 15)  # towards zero
        result = rounding_divide_by_power(product, np.int64(-output_exponent)) + output.zero_point
        result = ((result + (1 << 15)) & 0xFFFF) - (1 << 15)  # the kernel's sum has 16 bits
        return np.clip(result, output.element.minimum, output.element.maximum)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = shape_problems(output, input_tensors[0].shape, "its input's shape")
        ratio = np.float32(input_tensors[0].scale) * np.float32(1 / 128) / np.float32(output.scale)
        if _multiplier(ratio)[1] > 0:  # the reference kernel's own condition
            problems.append(
                f"reads scale {input_tensors[0].scale:.4g} and writes {output.scale:.4g}; its kernel takes input "
                "scales of less than 128 output scales: its scales are damaged"
            )
        return problems


def _multiplier(real: np.float32) -> tuple[int, int]:
    """A real multiplier as 16 bits and an exponent."""
    q, exponent = quantize_multiplier(real)
    return min((int(q) + (1 << 15)) >> 16, (1 << 15) - 1), int(exponent)


def _high_multiply(values: np.ndarray, multiplier: int) -> np.ndarray:
    """gemmlowp's ``SaturatingRoundingDoublingHighMul`` of 16 bits, one factor not negative."""
    return (values * multiplier + (1 << 14)) >> 15


def _saturated(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


def _read(reader: Reader) -> HardSwish:
    reader.check_inputs(1, 1)
    return HardSwish(**reader.common(reader.computed()))


TFLITE = (TfliteForm("HARD_SWISH", "HardSwishOptions", _read),)
