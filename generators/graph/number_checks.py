"""What is wrong with element types, scales and shapes: the checks that operators share.

Problems are phrases that follow an operator's name.
"""

from __future__ import annotations

import math

import numpy as np

from .graph import INT8, UINT8, Activation, Operator, Tensor

INT32_MAXIMUM = 2**31 - 1


def valid_scale(scale: float) -> bool:
    """Whether a number is a positive, finite, normal float32."""
    return bool(valid_scales(np.array(scale)))


def valid_scales(scales: np.ndarray) -> np.ndarray:
    """Which of some numbers are positive, finite, normal float32."""
    limits = np.finfo(np.float32)
    with np.errstate(over="ignore"):
        return (scales >= limits.tiny) & (scales <= limits.max) & (scales.astype(np.float32) == scales)


def power_of_two(scale: float) -> bool:
    """Whether a number is a power of two."""
    return scale > 0 and math.frexp(scale)[0] == 0.5


def number_problems(op: Operator, input_tensors: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> list[str]:
    """Element types and scales that an operator's number system does not allow."""
    if op.WRITES:
        read, written = ({tensor.element for tensor in tensors} for tensors in (input_tensors, outputs))
        if not read <= set(op.READS) or not written <= set(op.WRITES):
            known, names = " and ".join(map(str, op.READS)), " or ".join(map(str, op.WRITES))
            return [f"turns {_names(read)} into {_names(written)}; {known} into {names} is supported"]
        return []
    if op.numbers == "fixed":
        return _fixed_point_problems(op, (*input_tensors, *outputs))
    elements = {t.element for t in (*input_tensors, *outputs)}
    if not elements <= {INT8, UINT8}:
        return [f"works on {_names(elements)}; int8 and uint8 are supported"]
    if len(elements) > 1 and not op.MIXES_ELEMENTS:
        return [f"reads {_names({s.element for s in input_tensors})} and writes {_names({t.element for t in outputs})}"]
    return []


def _fixed_point_problems(op: Operator, tensors: tuple[Tensor, ...]) -> list[str]:
    """Elements and scales of binary fixed point."""
    if not op.FIXED_POINT:
        return ["is not defined in binary fixed point"]
    problems = []
    for tensor in tensors:
        if tensor.element.real or tensor.element.bits > 16:
            problems.append(f"works on {tensor.element}; elements have at most 16 bits")
        if tensor.zero_point or not power_of_two(tensor.scale):
            problems.append(
                f"has tensor {tensor.index} with scale {tensor.scale} and zero point {tensor.zero_point}; in binary "
                "fixed point a scale is a power of two and the zero point is 0"
            )
    return problems


def _names(elements: set) -> str:
    return " and ".join(sorted(map(str, elements)))


def shape_problems(found: Tensor, expected: tuple[int, ...], why: str) -> list[str]:
    """A tensor whose shape is not the one that follows from ``why``."""
    if found.shape == expected:
        return []
    return [f"writes tensor {found.index} of shape {list(found.shape)} where {why} makes {list(expected)}"]


def kernel_output_problems(input_tensors: tuple[Tensor, ...], output: Tensor, steps: int, zero_point: int) -> list[str]:
    """Of a function that keeps the shape, whose reference kernel writes scale 1/``steps`` and this zero point alone."""
    problems = shape_problems(output, input_tensors[0].shape, "its input's shape")
    if output.scale != 1 / steps or output.zero_point != zero_point:
        problems.append(
            f"writes scale {output.scale} and zero point {output.zero_point}; its kernel writes scale 1/{steps} and "
            f"zero point {zero_point}"
        )
    return problems


def scaling_problems(largest: int, ratio: float) -> list[str]:
    """A rescaled integer must fit 32 bits after the left shift that a ratio above 1 asks for."""
    if largest * 2.0 ** max(math.frexp(ratio)[1], 0) > INT32_MAXIMUM:
        return [f"enlarges its input by {ratio:.4g}, beyond 32 bits: its scales are damaged"]
    return []


def sum_problems(scales: tuple[float, float], output: Tensor) -> list[str]:
    """The reference kernels' sum aborts where twice the larger scale is no smaller than 2^20 output steps."""
    if 2 * max(scales) / (2.0**20 * output.scale) >= 1:
        return [f"adds scales {scales[0]:.4g} and {scales[1]:.4g} into {output.scale:.4g}, too fine: damaged scales"]
    return []


def activation_problems(numbers: str, activation: Activation, output: Tensor) -> list[str]:
    """Limits that an output cannot represent."""
    if numbers == "fixed" and not activation.in_fixed_point:
        return [f"has the fused activation {activation.name}, which is not defined in binary fixed point"]
    if numbers == "fixed" and activation is Activation.RELU6 and output.scale > 2:
        return [f"writes RELU6 with scale {output.scale}, which cannot represent 6; use a scale of at most 2"]
    return []


def broadcast_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of an operation on two shapes, each axis of size 1 repeated as the other's; None if they do not fit."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def broadcast_problems(input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
    """Two inputs that do not broadcast to each other, or an output that is not what they broadcast to."""
    shape = broadcast_shape(input_tensors[0].shape, input_tensors[1].shape)
    if shape is None:
        return [f"joins shapes {list(input_tensors[0].shape)} and {list(input_tensors[1].shape)}, which do not fit"]
    return shape_problems(output, shape, "its inputs' shapes")


def equal_quantization_problems(input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
    """Tensors of another type, scale or zero point than the output, where a kernel does not rescale."""
    if all(input_tensor.quantization == output.quantization for input_tensor in input_tensors):
        return []
    return ["writes another scale or zero point than it reads; its kernel does not rescale"]
