"""LEAKY_RELU."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import scaled_table
from ..graph.graph import Activation, Tensor
from ..graph.number_checks import scaling_problems, shape_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class LeakyRelu(TableOperator):
    """LEAKY_RELU: x, or ``alpha`` · x where x is negative; ``alpha`` is the float32 of the file."""

    KIND: ClassVar[str] = "LEAKY_RELU"
    BECOMES: ClassVar[str] = "`lookup`"
    alpha: float = 0.0

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        centred = values - input_tensor.zero_point
        straight, slanted = _multipliers(self, input_tensor, output)
        return np.where(
            centred >= 0,
            scaled_table(centred, straight, output, Activation.NONE),
            scaled_table(centred, slanted, output, Activation.NONE),
        )

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            return [f"has alpha {self.alpha}; a finite number of 0 or more is needed"]
        problems = shape_problems(output, input_tensors[0].shape, "its input's shape")
        straight, slanted = _multipliers(self, input_tensors[0], output)
        return problems + scaling_problems(255, float(max(straight, slanted)))


def _multipliers(op: LeakyRelu, input_tensor: Tensor, output: Tensor) -> tuple[np.float32, np.float32]:
    scale, to = np.float32(input_tensor.scale), np.float32(output.scale)
    return scale / to, scale * np.float32(op.alpha) / to


def _read(reader: Reader) -> LeakyRelu:
    reader.check_inputs(1, 1)
    return LeakyRelu(**reader.common(reader.computed()), alpha=float(reader.option("Alpha")))


TFLITE = (TfliteForm("LEAKY_RELU", "LeakyReluOptions", _read),)
