"""Golden model of PRELU (``prelu.h``, ``activations.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.prelu import Prelu

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Prelu)
def prelu(operator: Prelu, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """PRELU: negative elements are multiplied by their slope, both as integers, before they are rescaled."""
    refuse_fixed(operator)
    scale, output_scale = np.float32(input_tensors[0].scale), np.float32(output.scale)
    centred = values.astype(np.int64) - input_tensors[0].zero_point
    identity = reference.Multiplier.of(scale / output_scale).scale(centred)
    products = centred * (operator.slopes.astype(np.int64) - operator.slope_zero_point)
    leak = reference.Multiplier.of(scale * np.float32(operator.slope_scale) / output_scale).scale(products)
    result = np.where(centred >= 0, identity, leak) + output.zero_point
    return reference.saturate(result, (output.element.minimum, output.element.maximum), output)
