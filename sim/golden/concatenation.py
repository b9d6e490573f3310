"""Golden model of CONCATENATION (``concatenation.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.concatenation import Concatenation

from . import reference_arithmetic as reference
from .kernels import kernel


@kernel(Concatenation)
def concatenation(
    operator: Concatenation, input_tensors: tuple[Tensor, ...], output: Tensor, *values: np.ndarray
) -> np.ndarray:
    """CONCATENATION; uint8 of another scale is rescaled in float32 (``ConcatenationWithScaling``)."""
    inverse = np.float32(1) / np.float32(output.scale)
    parts = []
    for input_tensor, part in zip(input_tensors, values, strict=True):
        if input_tensor.quantization != output.quantization:
            scale = np.float32(input_tensor.scale) * inverse
            real = part.astype(np.float32) * scale + np.float32(-input_tensor.zero_point) * scale
            rounded = np.copysign(np.floor(np.abs(real) + np.float32(0.5)), real).astype(np.int64)
            limits = (output.element.minimum, output.element.maximum)
            part = reference.saturate(rounded + output.zero_point, limits, output)
        parts.append(part)
    return np.concatenate(parts, axis=operator.axis)
