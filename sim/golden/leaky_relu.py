"""Golden model of LEAKY_RELU (``leaky_relu.h``, ``activations.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.leaky_relu import LeakyRelu

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(LeakyRelu)
def leaky_relu(operator: LeakyRelu, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """LEAKY_RELU: two multipliers, both from float32 quotients."""
    refuse_fixed(operator)
    scale, output_scale = np.float32(input_tensors[0].scale), np.float32(output.scale)
    centred = values.astype(np.int64) - input_tensors[0].zero_point
    identity = reference.Multiplier.of(scale / output_scale).scale(centred)
    leak = reference.Multiplier.of(scale * np.float32(operator.alpha) / output_scale).scale(centred)
    result = np.where(centred >= 0, identity, leak) + output.zero_point
    return reference.saturate(result, (output.element.minimum, output.element.maximum), output)
