"""From an operator of a ``.tflite`` file to an operator of the graph.

Each function reads one kind of operator. It raises :class:`Unsupported` with a phrase that follows the operator's name;
whether shapes and scales agree is left to :mod:`~mbconv.generators.readers.operator_checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..graph.checks import tensor_problems
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
from .tflite_content import Damaged, FileContent, FileOperator, FileTensor

ELEMENTS = {"INT8": INT8, "UINT8": UINT8}

_ACTIVATIONS = {0: Activation.NONE, 1: Activation.RELU, 3: Activation.RELU6}
_OTHER_ACTIVATIONS = {2: "RELU_N1_TO_1", 4: "TANH", 5: "SIGN_BIT"}
_BIAS_TOLERANCE = 0.02  # of the kernels' own check that a bias has its accumulator's scale


class Unsupported(Exception):
    """Why an operator cannot be used."""


class Tensors:
    """The graph's tensors, made from the file's when an operator asks for them."""

    def __init__(self, content: FileContent) -> None:
        self.content = content
        self.producers = {t: op for op in content.operators for t in op.outputs}
        self.made: dict[int, Tensor] = {}

    def computed(self, index: int) -> Tensor:
        """A tensor of activations.

        Raises:
            Unsupported: it is a constant, has another type, or its shape or quantisation is wrong.
        """
        if index not in self.made:
            self.made[index] = self._make(self.content.tensors[index])
        tensor = self.made[index]
        if tensor.element.real:
            raise Unsupported(
                f"uses {self.content.tensors[index]}, which a DEQUANTIZE writes; that is supported at the output only"
            )
        return tensor

    def _make(self, tensor: FileTensor) -> Tensor:
        if tensor.constant:
            raise Unsupported(
                f"uses the constant {tensor} where a computed tensor is needed; fold constants by converting again"
            )
        if tensor.special:
            raise Unsupported(f"uses {tensor}, which {tensor.special}")
        if tensor.type not in ELEMENTS:
            raise Unsupported(f"uses {tensor} of type {tensor.type.lower()}; int8 and uint8 are supported")
        if tensor.dynamic:
            raise Unsupported(f"uses {tensor}, whose size the file leaves open; convert with a fixed input shape")
        if tensor.scales.size != 1 or tensor.zero_points.size > 1:
            found = "no scale" if not tensor.scales.size else f"{tensor.scales.size} scales"
            raise Unsupported(f"uses {tensor} with {found}; a computed tensor has one scale and one zero point")
        zero_point = int(tensor.zero_points[0]) if tensor.zero_points.size else 0
        element = ELEMENTS[tensor.type]
        made = Tensor(tensor.index, tensor.name, tensor.shape, element, float(tensor.scales[0]), zero_point)
        for problem in tensor_problems(made):
            raise Unsupported(f"uses {tensor}, which {problem}")
        return made

    def real(self, index: int) -> Tensor:
        """A float32 tensor of the host's."""
        tensor = self.content.tensors[index]
        if tensor.type != "FLOAT32":
            raise Unsupported(f"writes {tensor} of type {tensor.type.lower()}; float32 is supported")
        made = Tensor(index, tensor.name, tensor.shape, FLOAT32, 1.0, 0)
        for problem in tensor_problems(made):
            raise Unsupported(f"writes {tensor}, which {problem}")
        return self.made.setdefault(index, made)


class Reader:
    """One operator being read: its inputs by position, its constants, its options."""

    def __init__(self, operator: FileOperator, tensors: Tensors) -> None:
        self.operator = operator
        self.tensors = tensors

    def source(self, position: int) -> FileTensor | None:
        """The file's tensor at a position of the inputs; None where it is left out."""
        inputs = self.operator.inputs
        if position >= len(inputs) or inputs[position] < 0:
            return None
        return self.tensors.content.tensors[inputs[position]]

    def needed(self, position: int, what: str) -> FileTensor:
        tensor = self.source(position)
        if tensor is None:
            raise Unsupported(f"lacks its {what} (input {position})")
        return tensor

    def computed(self, position: int = 0) -> Tensor:
        return self.tensors.computed(self.needed(position, "input").index)

    def output(self) -> Tensor:
        return self.tensors.computed(self.output_index())

    def output_index(self) -> int:
        if len(self.operator.outputs) != 1:
            raise Unsupported(f"writes {len(self.operator.outputs)} tensors, not one")
        return self.operator.outputs[0]

    def check_inputs(self, least: int, most: int) -> None:
        if not least <= len(self.operator.inputs) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise Unsupported(f"reads {len(self.operator.inputs)} tensors, not {count}")

    def constant(self, position: int, what: str, types: tuple[str, ...]) -> np.ndarray:
        """A constant's elements."""
        tensor = self.needed(position, what)
        producer = self.tensors.producers.get(tensor.index)
        if producer is not None:
            raise Unsupported(
                f"takes its {what} from {producer}; only constants stored in the file are supported: convert again "
                "with full-integer quantisation, which folds them"
            )
        if tensor.special:
            raise Unsupported(f"has {what} ({tensor}) that {tensor.special}")
        if not tensor.constant:
            raise Unsupported(f"has {what} ({tensor}) without data; only constants stored in the file are supported")
        if tensor.type not in types:
            expected = " or ".join(name.lower() for name in types)
            raise Unsupported(f"has {what} ({tensor}) of type {tensor.type.lower()}; {expected} is supported")
        try:
            return tensor.array()
        except Damaged as error:
            raise Unsupported(f"is damaged: {error}") from None

    def option(self, name: str, default: int = 0) -> int:
        return self.operator.options.get(name, default)

    def activation(self) -> Activation:
        value = self.option("FusedActivationFunction")
        if value not in _ACTIVATIONS:
            name = _OTHER_ACTIVATIONS.get(value, f"number {value}")
            raise Unsupported(f"has the fused activation {name}; NONE, RELU and RELU6 are supported")
        return _ACTIVATIONS[value]

    def strides(self) -> tuple[int, int]:
        strides = self.option("StrideH"), self.option("StrideW")
        if min(strides) < 1:
            raise Unsupported(f"has strides {strides[0]}×{strides[1]}; a stride is at least 1")
        return strides

    def check_dilation(self) -> None:
        dilation = self.option("DilationHFactor", 1), self.option("DilationWFactor", 1)
        if dilation != (1, 1):
            raise Unsupported(f"has dilation {dilation[0]}×{dilation[1]}; 1×1 is supported: train without dilation")

    def padding(self, kernel: tuple[int, int], strides: tuple[int, int]) -> Padding:
        """The option SAME or VALID as explicit padding."""
        option = self.option("Padding")
        if option not in (0, 1):
            raise Unsupported(f"has padding option {option}; 0 (SAME) and 1 (VALID) are known")
        source = self.computed()
        if option == 1 or len(source.shape) != 4:
            return Padding()
        return Padding.same((source.height, source.width), kernel, strides)


def _common(reader: Reader, *inputs: Tensor) -> dict:
    output = reader.output()
    return {
        "index": reader.operator.index,
        "inputs": tuple(t.index for t in inputs),
        "outputs": (output.index,),
    }


def _mac(reader: Reader, axis: int, rank: int) -> dict:
    """What all operators with weights have; ``axis`` is the weights' output channel."""
    reader.check_inputs(2, 3)
    source = reader.computed()
    weights = reader.constant(1, "weights", ("INT8", "UINT8"))
    tensor = reader.needed(1, "weights")
    if weights.ndim != rank:
        raise Unsupported(f"has weights of shape {list(weights.shape)}; {rank} dimensions are expected")
    channels = weights.shape[axis]
    scales = _weight_scales(tensor, axis, channels)
    if tensor.zero_points.size > 1 and (tensor.zero_points != tensor.zero_points[0]).any():
        raise Unsupported("has weights whose zero points differ among channels; symmetric weights are supported")
    zero_point = int(tensor.zero_points[0]) if tensor.zero_points.size else 0
    return {
        **_common(reader, source),
        "weights": weights,
        "weight_element": ELEMENTS[tensor.type],
        "weight_zero_point": zero_point,
        "weight_scales": scales,
        "bias": _bias(reader, channels, source, scales),
        "activation": reader.activation(),
    }


def _weight_scales(tensor: FileTensor, axis: int, channels: int) -> np.ndarray:
    scales = tensor.scales
    if not scales.size:
        raise Unsupported(f"has weights ({tensor}) without a scale")
    # With a single scale the axis means nothing, whatever the file says.
    if scales.size > 1 and (tensor.axis != axis or scales.size != channels):
        raise Unsupported(
            f"has {scales.size} weight scales along axis {tensor.axis}; one, or one for each of the {channels} output "
            f"channels along axis {axis}, is supported"
        )
    if tensor.zero_points.size not in (0, 1, scales.size):
        raise Unsupported(f"has {tensor.zero_points.size} weight zero points for {scales.size} scales")
    return scales


def _bias(reader: Reader, channels: int, source: Tensor, weight_scales: np.ndarray) -> np.ndarray:
    """The biases, zeros where there are none.

    A bias has one dimension, so the axis of its scales means nothing: ``person_detect.tflite`` as published names an
    axis out of range there, which changes no number.
    """
    tensor = reader.source(2)
    if tensor is None:
        return np.zeros(channels, np.int32)
    bias = reader.constant(2, "biases", ("INT32",))
    if bias.shape != (channels,):
        raise Unsupported(f"has biases of shape {list(bias.shape)} for {channels} output channels")
    if tensor.zero_points.any():
        raise Unsupported("has biases with a zero point other than 0")
    if tensor.scales.size in (1, channels):
        expected = source.scale * weight_scales.astype(np.float64)
        with np.errstate(all="ignore"):
            difference = np.abs(tensor.scales / expected - 1)
        if not (difference <= _BIAS_TOLERANCE).all():
            raise Unsupported("has biases whose scale is not input scale × weight scale: damaged scales")
    elif tensor.scales.size:
        raise Unsupported(f"has {tensor.scales.size} bias scales for {channels} output channels")
    return bias


def _convolution(reader: Reader) -> Operator:
    common = _mac(reader, axis=0, rank=4)
    reader.check_dilation()
    strides = reader.strides()
    kernel = common["weights"].shape[1:3]
    return Convolution(**common, strides=strides, padding=reader.padding(kernel, strides))


def _depthwise(reader: Reader) -> Operator:
    common = _mac(reader, axis=3, rank=4)
    reader.check_dilation()
    strides = reader.strides()
    weights = common.pop("weights")
    if weights.shape[0] != 1:
        raise Unsupported(f"has weights of shape {list(weights.shape)}; the first dimension is 1")
    channels = reader.computed().channels
    # As the kernels do, from the shapes: the option is redundant and left 0 by some converters.
    multiplier = weights.shape[3] // channels
    padding = reader.padding(weights.shape[1:3], strides)
    return DepthwiseConvolution(
        **common, weights=weights[0], strides=strides, padding=padding, depth_multiplier=multiplier
    )


def _fully_connected(reader: Reader) -> Operator:
    common = _mac(reader, axis=0, rank=2)
    if reader.option("WeightsFormat"):
        raise Unsupported("has shuffled weights (WeightsFormat); the default format is supported")
    return FullyConnected(**common)


def _arithmetic(reader: Reader) -> Operator:
    """ADD of two computed tensors; ADD, SUB or MUL of one and a constant."""
    reader.check_inputs(2, 2)
    sources = [reader.needed(position, "operand") for position in (0, 1)]
    constants = [position for position in (0, 1) if sources[position].constant]
    if len(constants) == 2:
        raise Unsupported("computes on two constants; fold constants by converting again")
    code = reader.operator.code
    if not constants:
        if code != "ADD":
            raise Unsupported(
                f"has two computed operands (as in squeeze-excite); {code} of a tensor and a constant is supported"
            )
        a, b = reader.computed(0), reader.computed(1)
        return Add(**_common(reader, a, b), activation=reader.activation())
    (position,) = constants
    source = reader.computed(1 - position)
    values = reader.constant(position, "constant", ("INT8", "UINT8"))
    constant = sources[position]
    if constant.scales.size != 1 or constant.zero_points.size > 1:
        raise Unsupported(f"has a constant ({constant}) with {constant.scales.size} scales; one is supported")
    if values.size == 1:
        values = values.reshape(())
    elif values.shape[-1] == values.size:
        values = values.reshape(-1)
    return ConstantArithmetic(
        **_common(reader, source),
        operation=code,
        constant=values,
        constant_element=ELEMENTS[constant.type],
        constant_scale=float(constant.scales[0]),
        constant_zero_point=int(constant.zero_points[0]) if constant.zero_points.size else 0,
        constant_first=position == 0,
        activation=reader.activation(),
    )


def _average_pool(reader: Reader) -> Operator:
    reader.check_inputs(1, 1)
    source = reader.computed()
    kernel = reader.option("FilterHeight"), reader.option("FilterWidth")
    if min(kernel) < 1:
        raise Unsupported(f"has kernel {kernel[0]}×{kernel[1]}; a kernel is at least 1×1")
    strides = reader.strides()
    return AveragePool(
        **_common(reader, source),
        kernel=kernel,
        strides=strides,
        padding=reader.padding(kernel, strides),
        activation=reader.activation(),
    )


def _mean(reader: Reader) -> Operator:
    reader.check_inputs(2, 2)
    source = reader.computed()
    rank = len(source.shape)
    axes = reader.constant(1, "axes", ("INT32",)).reshape(-1).tolist()
    if {axis + rank if axis < 0 else axis for axis in axes} != {1, 2} or rank != 4:
        raise Unsupported(
            f"takes the mean over axes {axes[:8]} of shape {list(source.shape)}; height and width are supported"
        )
    return Mean(**_common(reader, source))


def _pad(reader: Reader) -> Operator:
    reader.check_inputs(2, 2)
    source = reader.computed()
    amounts = reader.constant(1, "paddings", ("INT32", "INT64"))
    if amounts.shape != (4, 2):
        raise Unsupported(
            f"has paddings of shape {list(amounts.shape)} for shape {list(source.shape)}; padding of height and width "
            "of a 4-dimensional tensor is supported"
        )
    batch, (top, bottom), (left, right), channels = amounts.tolist()
    if any(batch) or any(channels):
        raise Unsupported(f"pads by {amounts.tolist()}; padding of height and width is supported")
    return Pad(**_common(reader, source), padding=Padding(top, bottom, left, right))


def _reshape(reader: Reader) -> Operator:
    reader.check_inputs(1, 2)
    source = reader.computed()
    output = reader.output()
    if reader.source(1) is not None:
        shape = reader.constant(1, "shape", ("INT32",)).reshape(-1).tolist()
        if len(shape) != len(output.shape) or any(s not in (-1, o) for s, o in zip(shape, output.shape, strict=True)):
            raise Unsupported(f"asks for shape {shape[:8]} and writes {list(output.shape)}")
    return Reshape(**_common(reader, source))


def _transpose(reader: Reader) -> Operator:
    reader.check_inputs(2, 2)
    source = reader.computed()
    permutation = reader.constant(1, "permutation", ("INT32",)).reshape(-1).tolist()
    return Transpose(**_common(reader, source), permutation=tuple(permutation))


def _rectify(reader: Reader) -> Operator:
    reader.check_inputs(1, 1)
    activation = Activation.RELU if reader.operator.code == "RELU" else Activation.RELU6
    return Rectify(**_common(reader, reader.computed()), activation=activation)


def _quantize(reader: Reader) -> Operator:
    reader.check_inputs(1, 1)
    return Quantize(**_common(reader, reader.computed()))


def _dequantize(reader: Reader) -> Operator:
    reader.check_inputs(1, 1)
    source = reader.computed()
    output = reader.tensors.real(reader.output_index())
    return Dequantize(reader.operator.index, (source.index,), (output.index,))


def _softmax(reader: Reader) -> Operator:
    reader.check_inputs(1, 1)
    return Softmax(**_common(reader, reader.computed()), beta=float(reader.option("Beta")))


READERS: Mapping[str, Callable[[Reader], Operator]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _arithmetic,
    "SUB": _arithmetic,
    "MUL": _arithmetic,
    "AVERAGE_POOL_2D": _average_pool,
    "MEAN": _mean,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "TRANSPOSE": _transpose,
    "RELU": _rectify,
    "RELU6": _rectify,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
    "SOFTMAX": _softmax,
}
