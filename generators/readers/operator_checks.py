"""What is wrong with an operator: shapes against its arithmetic, element types, scales, accumulators.

The limits of the arithmetic are those of TFLite's reference kernels: where they would abort or overflow, no result is
defined, and the operator is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from ..graph.graph import (
    FLOAT32,
    INT8,
    UINT8,
    Activation,
    Add,
    AveragePool,
    ConstantArithmetic,
    Convolution,
    DepthwiseConvolution,
    Dequantize,
    FullyConnected,
    MacOperator,
    Mean,
    Operator,
    Pad,
    Padding,
    Quantize,
    Rectify,
    Reshape,
    Softmax,
    Tensor,
    Transpose,
)

INT32_MAXIMUM = 2**31 - 1

_AFFINE_ONLY = (AveragePool, ConstantArithmetic, Dequantize, Mean, Quantize, Rectify, Softmax)


def valid_scale(scale: float) -> bool:
    """Whether a number is a positive, finite, normal float32."""
    smallest = float(np.finfo(np.float32).tiny)
    return smallest <= scale <= float(np.finfo(np.float32).max) and float(np.float32(scale)) == scale


def operator_problems(op: Operator, tensors: Mapping[int, Tensor]) -> list[str]:
    """What is wrong with an operator, given valid tensors, as phrases that follow the operator's name."""
    if len(op.outputs) != 1:
        return [f"writes {len(op.outputs)} tensors, not one"]
    expected = 2 if isinstance(op, Add) else 1
    if len(op.inputs) != expected:
        return [f"reads {len(op.inputs)} computed tensors, not {expected}"]
    if op.numbers not in ("affine", "fixed"):
        return [f"has numbers {op.numbers!r}, neither 'affine' nor 'fixed'"]
    sources = tuple(tensors[index] for index in op.inputs)
    output = tensors[op.outputs[0]]
    problems = _number_problems(op, sources, output)
    if not problems:
        check = next(check for kind, check in _CHECKS.items() if isinstance(op, kind))
        problems = check(op, sources, output)
    return problems


def _number_problems(op: Operator, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
    """The element types and scales that an operator's number system allows."""
    problems = []
    if isinstance(op, Dequantize):
        if output.element != FLOAT32 or sources[0].element not in (INT8, UINT8):
            problems.append(
                f"turns {sources[0].element} into {output.element}; int8 and uint8 into float32 is supported"
            )
        return problems
    elements = {t.element for t in (*sources, output)}
    if op.numbers == "affine":
        if not elements <= {INT8, UINT8}:
            problems.append(f"works on {_names(elements)}; int8 and uint8 are supported")
        elif len(elements) > 1 and not isinstance(op, Quantize):
            problems.append(f"reads {_names({s.element for s in sources})} and writes {output.element}")
        return problems
    if isinstance(op, _AFFINE_ONLY):
        return ["is not defined in binary fixed point"]
    for tensor in (*sources, output):
        if tensor.element.real or tensor.element.bits > 16:
            problems.append(f"works on {tensor.element}; elements have at most 16 bits")
        if tensor.zero_point or not power_of_two(tensor.scale):
            problems.append(
                f"has tensor {tensor.index} with scale {tensor.scale} and zero point {tensor.zero_point}; in binary "
                "fixed point a scale is a power of two and the zero point is 0"
            )
    return problems


def power_of_two(scale: float) -> bool:
    """Whether a number is a power of two."""
    return scale > 0 and math.frexp(scale)[0] == 0.5


def _names(elements: set) -> str:
    return " and ".join(sorted(map(str, elements)))


def _shape_problem(found: Tensor, expected: tuple[int, ...], why: str) -> list[str]:
    if found.shape == expected:
        return []
    return [f"writes tensor {found.index} of shape {list(found.shape)} where {why} makes {list(expected)}"]


def window_problems(
    kernel: tuple[int, int], strides: tuple[int, int], padding: Padding, source: Tensor, output: Tensor
) -> list[str]:
    """What is wrong with a window moved over a map: its kernel, strides, padding and the sizes that result."""
    if len(source.shape) != 4 or len(output.shape) != 4:
        return [f"reads shape {list(source.shape)} and writes {list(output.shape)}; a map has 4 dimensions (NHWC)"]
    if min(kernel) < 1 or min(strides) < 1:
        return [f"has kernel {kernel[0]}×{kernel[1]} and strides {strides[0]}×{strides[1]}; both are at least 1"]
    sides = (padding.top, padding.bottom, padding.left, padding.right)
    if min(sides) < 0 or max(sides[:2]) >= kernel[0] or max(sides[2:]) >= kernel[1]:
        return [f"pads by {padding}; each side is 0 or more and less than the kernel {kernel[0]}×{kernel[1]}"]
    height = source.height + padding.top + padding.bottom - kernel[0]
    width = source.width + padding.left + padding.right - kernel[1]
    if height < 0 or width < 0:
        return [f"has kernel {kernel[0]}×{kernel[1]}, larger than its padded input {list(source.shape)}"]
    expected = (1, height // strides[0] + 1, width // strides[1] + 1, output.channels)
    return _shape_problem(output, expected, f"a {kernel[0]}×{kernel[1]} window with padding {padding}")


def _mac_problems(op: MacOperator, source: Tensor, output: Tensor, channels: int) -> list[str]:
    """Weights, biases and scales; ``channels`` is the number of output channels that the weights have."""
    problems = []
    if output.channels != channels:
        problems.append(f"has weights for {channels} output channels, but writes {output.channels}")
    if op.bias.shape != (channels,):
        problems.append(f"has biases of shape {list(op.bias.shape)} for {channels} output channels")
    if op.weight_scales.size not in (1, channels):
        problems.append(f"has {op.weight_scales.size} weight scales for {channels} output channels")
    if not all(valid_scale(float(scale)) for scale in op.weight_scales.flat):
        problems.append("has a weight scale that is not a positive finite float32")
    for what, values in (("weights", op.weights), ("biases", op.bias)):
        if values.dtype.kind not in "iu" or values.size == 0:
            problems.append(f"has {what} of type {values.dtype} and shape {list(values.shape)}; integers are needed")
    if problems:
        return problems
    element = op.weight_element
    if int(op.weights.min()) < element.minimum or int(op.weights.max()) > element.maximum:
        problems.append(f"has weights {op.weights.min()}..{op.weights.max()} that are not all {element}")
    if not element.minimum <= op.weight_zero_point <= element.maximum:
        problems.append(f"has weight zero point {op.weight_zero_point}, outside {element.minimum}..{element.maximum}")
    if op.weight_zero_point and (element.signed or op.per_channel):
        problems.append(
            f"has weight zero point {op.weight_zero_point}; signed or per-channel weights are symmetric (zero point 0)"
        )
    if op.numbers == "affine" and element != source.element:
        problems.append(f"has {element} weights on {source.element} activations")
    return problems or _accumulator_problems(op, source, output)


def accumulator_bounds(op: MacOperator, source: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest accumulator of each output channel, the bias included: Σ (w − w₀)·(x − x₀) + bias.

    Over all inputs; the input's zero point, which padding holds, is one of them.
    """
    weights = op.weights.astype(np.int32) - op.weight_zero_point
    axes = (0, 1) if isinstance(op, DepthwiseConvolution) else tuple(range(1, weights.ndim))
    positive = np.maximum(weights, 0).sum(axis=axes, dtype=np.int64)
    negative = np.minimum(weights, 0).sum(axis=axes, dtype=np.int64)
    low, high = source.element.minimum - source.zero_point, source.element.maximum - source.zero_point
    bias = op.bias.astype(np.int64)
    return positive * low + negative * high + bias, positive * high + negative * low + bias


def _accumulator_problems(op: MacOperator, source: Tensor, output: Tensor) -> list[str]:
    low, high = accumulator_bounds(op, source)
    magnitudes = np.maximum(np.abs(low), np.abs(high))
    ratios = source.scale * op.weight_scales.astype(np.float64) / output.scale
    if op.numbers == "fixed":
        if not all(power_of_two(float(scale)) for scale in op.weight_scales.flat):
            return ["has a weight scale that is not a power of two, in binary fixed point"]
        # The accumulator is shifted right, never left.
        if float(ratios.max()) > 1:
            return [
                f"writes scale {output.scale}, finer than its accumulators' {source.scale * op.weight_scales.max()}"
            ]
        if float(ratios.min()) < 2.0**-31:
            return [f"shifts its accumulators right by {-math.log2(ratios.min()):.0f} bits; at most 31 are supported"]
        shifts = np.ones_like(ratios)
    else:
        shifts = np.exp2(np.maximum(np.frexp(ratios)[1], 0))
    worst = float((magnitudes * shifts).max())
    if worst > INT32_MAXIMUM:
        advice = "use fewer bits or inputs" if op.numbers == "fixed" else "its biases, weights or scales are damaged"
        return [
            f"can reach an accumulator of {worst:.4g}, beyond 32 bits ({INT32_MAXIMUM}), where no result is defined: "
            f"{advice}"
        ]
    return []


def _scaling_problems(largest: int, ratio: float) -> list[str]:
    """A rescaled integer must fit 32 bits after the left shift that a ratio above 1 asks for."""
    if largest * 2.0 ** max(math.frexp(ratio)[1], 0) > INT32_MAXIMUM:
        return [f"enlarges its input by {ratio:.4g}, beyond 32 bits: its scales are damaged"]
    return []


def _activation_problems(op: Operator, output: Tensor) -> list[str]:
    if op.numbers == "fixed" and op.activation is Activation.RELU6 and output.scale > 2:
        return [f"writes RELU6 with scale {output.scale}, which cannot represent 6; use a scale of at most 2"]
    return []


def _convolution(op: Convolution, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    if op.weights.ndim != 4:
        return [f"has weights of shape {list(op.weights.shape)}, not [Co][kh][kw][Ci]"]
    channels, depth = op.weights.shape[0], op.weights.shape[3]
    if depth != source.channels:
        if depth and source.channels % depth == 0 and channels % (source.channels // depth) == 0:
            return [f"is a grouped convolution ({source.channels // depth} groups); only depthwise is supported"]
        return [f"has weights for {depth} input channels, but reads {source.channels}"]
    problems = window_problems(op.kernel, op.strides, op.padding, source, output)
    return problems + _mac_problems(op, source, output, channels) + _activation_problems(op, output)


def _depthwise(op: DepthwiseConvolution, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    if op.weights.ndim != 3:
        return [f"has weights of shape {list(op.weights.shape)}, not [kh][kw][Co]"]
    channels = op.weights.shape[2]
    if op.depth_multiplier < 1 or channels != source.channels * op.depth_multiplier:
        return [
            f"has weights for {channels} channels, where {source.channels} input channels and depth multiplier "
            f"{op.depth_multiplier} make {source.channels * op.depth_multiplier}"
        ]
    problems = window_problems(op.kernel, op.strides, op.padding, source, output)
    return problems + _mac_problems(op, source, output, channels) + _activation_problems(op, output)


def _fully_connected(op: FullyConnected, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    if op.weights.ndim != 2:
        return [f"has weights of shape {list(op.weights.shape)}, not [Co][Ci]"]
    channels, depth = op.weights.shape
    problems = []
    if depth != source.size:
        problems.append(f"has weights for {depth} inputs, but reads {source.size} elements {list(source.shape)}")
    if output.size != output.channels:
        problems.append(f"writes shape {list(output.shape)}; one vector is supported")
    return problems + _mac_problems(op, source, output, channels) + _activation_problems(op, output)


def _sum_problems(scales: tuple[float, float], output: Tensor) -> list[str]:
    """The reference kernels' sum aborts where twice the larger scale is no smaller than 2^20 output steps."""
    if 2 * max(scales) / (2.0**20 * output.scale) >= 1:
        return [f"adds scales {scales[0]:.4g} and {scales[1]:.4g} into {output.scale:.4g}, too fine: damaged scales"]
    return []


def _add(op: Add, sources: tuple[Tensor, Tensor], output: Tensor) -> list[str]:
    if sources[0].shape != sources[1].shape:
        return [
            f"joins shapes {list(sources[0].shape)} and {list(sources[1].shape)}; two tensors of equal shape, or a "
            "tensor and a constant, are supported"
        ]
    problems = _shape_problem(output, sources[0].shape, "its inputs' shape")
    if op.numbers == "fixed":
        if output.scale < min(s.scale for s in sources):
            problems.append(f"writes scale {output.scale}, finer than both of its inputs'")
        scales = [t.scale for t in (*sources, output)]
        if max(scales) / min(scales) > 2**15:
            problems.append(f"has scales {scales} that differ by more than 2^15")
        return problems + _activation_problems(op, output)
    return problems + _sum_problems((sources[0].scale, sources[1].scale), output)


def _constant_arithmetic(op: ConstantArithmetic, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    problems = _shape_problem(output, source.shape, "its input's shape")
    if op.operation not in ("MUL", "SUB", "ADD"):
        problems.append(f"computes {op.operation!r}; MUL, SUB and ADD are supported")
    if op.constant.shape not in ((), (source.channels,)):
        problems.append(
            f"has a constant of shape {list(op.constant.shape)}; one number, or one for each of the {source.channels} "
            "channels, is supported"
        )
    if op.constant_element != source.element:
        problems.append(f"has a {op.constant_element} constant on {source.element} activations")
    if not valid_scale(op.constant_scale):
        problems.append(f"has a constant with scale {op.constant_scale}; a scale is a positive finite float32")
    element = op.constant_element
    if not element.minimum <= op.constant_zero_point <= element.maximum:
        problems.append(f"has a constant with zero point {op.constant_zero_point}, outside {element}")
    if problems:
        return problems
    if op.operation == "MUL":
        return _scaling_problems(255 * 255, source.scale * op.constant_scale / output.scale)
    return _sum_problems((source.scale, op.constant_scale), output)


def _average_pool(op: AveragePool, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    problems = window_problems(op.kernel, op.strides, op.padding, source, output)
    if output.channels != source.channels:
        problems.append(f"reads {source.channels} channels and writes {output.channels}")
    # The reference kernel's own condition: it does not rescale.
    if output.zero_point != source.zero_point or abs(output.scale - source.scale) > 1e-6:
        problems.append("writes another scale or zero point than it reads; pooling does not rescale")
    return problems


def _mean(op: Mean, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    if len(source.shape) != 4:
        return [f"reads shape {list(source.shape)}; a mean over height and width needs 4 dimensions (NHWC)"]
    if output.shape not in ((1, source.channels), (1, 1, 1, source.channels)):
        return _shape_problem(output, (1, 1, 1, source.channels), "a mean over height and width")
    pixels = source.height * source.width
    return _scaling_problems(255 * pixels, source.scale / (output.scale * pixels))


def _pad(op: Pad, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    p = op.padding
    if len(source.shape) != 4:
        return [f"reads shape {list(source.shape)}; padding of height and width needs 4 dimensions (NHWC)"]
    if min(p.top, p.bottom, p.left, p.right) < 0:
        return [f"pads by {p}; padding is 0 or more"]
    expected = (1, source.height + p.top + p.bottom, source.width + p.left + p.right, source.channels)
    problems = _shape_problem(output, expected, f"padding {p}")
    if source.quantization != output.quantization:
        problems.append("writes another scale or zero point than it reads; padding does not rescale")
    return problems


def _reshape(op: Reshape, sources: tuple[Tensor], output: Tensor) -> list[str]:
    if sources[0].size != output.size:
        return [f"turns {sources[0].size} elements {list(sources[0].shape)} into {output.size} {list(output.shape)}"]
    return []


def _transpose(op: Transpose, sources: tuple[Tensor], output: Tensor) -> list[str]:
    (source,) = sources
    if sorted(op.permutation) != list(range(len(source.shape))):
        return [f"has permutation {list(op.permutation)} for shape {list(source.shape)}"]
    if op.permutation[0] != 0:
        return [f"moves the batch axis (permutation {list(op.permutation)})"]
    expected = tuple(source.shape[axis] for axis in op.permutation)
    problems = _shape_problem(output, expected, f"permutation {list(op.permutation)}")
    if source.quantization != output.quantization:
        problems.append("writes another scale or zero point than it reads; a transposition does not rescale")
    return problems


def _unary(op: Operator, sources: tuple[Tensor], output: Tensor) -> list[str]:
    problems = _shape_problem(output, sources[0].shape, "its input's shape")
    if isinstance(op, Dequantize):
        return problems
    return problems + _scaling_problems(255, sources[0].scale / output.scale)


def _softmax(op: Softmax, sources: tuple[Tensor], output: Tensor) -> list[str]:
    problems = _shape_problem(output, sources[0].shape, "its input's shape")
    if not (math.isfinite(op.beta) and op.beta > 0):
        problems.append(f"has beta {op.beta}; a positive finite number is needed")
    # The reference kernel's own condition.
    if output.scale != 1 / 256 or output.zero_point != output.element.minimum:
        problems.append(
            f"writes scale {output.scale} and zero point {output.zero_point}; its kernel writes scale 1/256 and zero "
            f"point {output.element.minimum}"
        )
    return problems


_CHECKS: dict[type[Operator], Callable[..., list[str]]] = {
    Convolution: _convolution,
    DepthwiseConvolution: _depthwise,
    FullyConnected: _fully_connected,
    Add: _add,
    ConstantArithmetic: _constant_arithmetic,
    AveragePool: _average_pool,
    Mean: _mean,
    Pad: _pad,
    Reshape: _reshape,
    Transpose: _transpose,
    Rectify: _unary,
    Quantize: _unary,
    Dequantize: _unary,
    Softmax: _softmax,
}
