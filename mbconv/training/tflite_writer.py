"""Writer of quantised ``.tflite`` files, on the flatbuffer builders of the ``tflite`` package.

An operator's method takes the indices of the tensors it reads, makes the tensor it writes and returns its index, so a
network is written in the order in which it runs::

    writer = TfliteWriter("example")
    x = writer.input("picture", (1, 8, 8, 1), scale=1 / 16, zero_point=-128)
    x = writer.convolution(x, weights, weight_scales, bias, scale=1 / 32, zero_point=-128, activation="RELU6")
    writer.output(writer.mean(x))
    writer.write("example.tflite")

The writer checks shapes, not numbers: what an operator computes is decided by whoever reads the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import flatbuffers
import numpy as np
import tflite

DTYPES = {"int8": "INT8", "uint8": "UINT8", "int16": "INT16", "int32": "INT32", "float32": "FLOAT32"}
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
PADDINGS = ("SAME", "VALID")
# The first version of each operator that takes int8; the kernels' resolver refuses what it does not know.
VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "HARD_SWISH": 1,
    "PRELU": 1,
    "QUANTIZE": 1,
    "RELU_N1_TO_1": 1,
    "RESHAPE": 1,
}
DEFAULT_VERSION = 2


@dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int
    data: bytes


@dataclass(frozen=True)
class _Operator:
    code: str
    inputs: tuple[int, ...]
    output: int
    options: str
    fields: dict[str, int | float | bool] = field(default_factory=dict)


def output_size(size: int, kernel: int, stride: int, padding: str) -> int:
    """The output size of a window of ``kernel`` elements moved by ``stride``; ``padding`` is SAME or VALID."""
    return -(-size // stride) if padding == "SAME" else (size - kernel) // stride + 1


class TfliteWriter:
    """A network under construction.

    Tensors are NHWC. Where an operator leaves shapes unchanged and its arithmetic asks for equal quantisation
    (RESHAPE, PAD, pooling), the output takes the input's scale and zero point unless others are given.

    Args:
        name: the subgraph's name.
        description: stored in the file.
    """

    def __init__(self, name: str, description: str = "") -> None:
        self.name = name
        self.description = description
        self.tensors: list[_Tensor] = []
        self.operators: list[_Operator] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    # Tensors

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        scale: float | np.ndarray | None = None,
        zero_point: int = 0,
        dtype: str = "int8",
        data: np.ndarray | None = None,
        axis: int = 0,
    ) -> int:
        """Add a tensor; ``data`` makes it a constant; several scales quantise it along ``axis``.

        Raises:
            ValueError: an unknown dtype, data of another shape or outside the dtype's range, or a number of scales
                that does not match the axis.
        """
        shape = tuple(int(size) for size in shape)
        if dtype not in DTYPES:
            raise ValueError(f"tensor {name}: dtype {dtype!r} is none of {', '.join(DTYPES)}")
        scales = np.zeros(0, np.float32) if scale is None else np.atleast_1d(np.asarray(scale, np.float32))
        if scales.size > 1 and (not 0 <= axis < len(shape) or shape[axis] != scales.size):
            raise ValueError(f"tensor {name}: {scales.size} scales do not match axis {axis} of shape {shape}")
        payload = b""
        if data is not None:
            data = np.asarray(data)
            if data.shape != shape:
                raise ValueError(f"tensor {name}: data of shape {data.shape} given for shape {shape}")
            converted = data.astype(np.dtype(dtype).newbyteorder("<"))
            if dtype != "float32" and not np.array_equal(converted, data):
                raise ValueError(f"tensor {name}: data {data.min()}..{data.max()} are not all elements of {dtype}")
            payload = converted.tobytes()
        zero_points = np.full(scales.size, zero_point, np.int64)
        self.tensors.append(_Tensor(name, shape, dtype, scales, zero_points, axis, payload))
        return len(self.tensors) - 1

    def input(
        self, name: str, shape: Sequence[int], scale: float | None = None, zero_point: int = 0, dtype: str = "int8"
    ) -> int:
        """Add an input of the network."""
        index = self.tensor(name, shape, scale, zero_point, dtype)
        self.inputs.append(index)
        return index

    def output(self, tensor: int) -> None:
        """Make a tensor an output of the network."""
        self.outputs.append(tensor)

    def _quantization(self, tensor: int, scale: float | None, zero_point: int | None) -> tuple[float | None, int]:
        known = self.tensors[tensor]
        inherited = float(known.scales[0]) if known.scales.size else None
        inherited_zero = int(known.zero_points[0]) if known.scales.size else 0
        return (inherited if scale is None else scale, inherited_zero if zero_point is None else zero_point)

    # Operators

    def operator(
        self,
        code: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        scale: float | None,
        zero_point: int | None,
        options: str = "",
        fields: dict[str, int | float | bool] | None = None,
        name: str = "",
        dtype: str | None = None,
    ) -> int:
        """Add any operator with one output; ``fields`` are the fields of its options table. Returns the output tensor.

        ``scale`` and ``zero_point`` default to those of the first input, as ``dtype`` does.
        """
        if not hasattr(tflite.BuiltinOperator, code):
            raise ValueError(f"operator {code!r} is unknown to the tflite schema")
        dtype = self.tensors[inputs[0]].dtype if dtype is None else dtype
        if dtype == "float32":
            scale, zero_point = None, 0
        else:
            scale, zero_point = self._quantization(inputs[0], scale, zero_point)
        output = self.tensor(name or f"{code.lower()}_{len(self.operators)}", shape, scale, zero_point, dtype)
        self.operators.append(_Operator(code, tuple(inputs), output, options, fields or {}))
        return output

    def _multiply_accumulate(
        self,
        code: str,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        weight_zero_point: int,
        bias: np.ndarray | None,
        axis: int,
        shape: Sequence[int],
        scale: float,
        zero_point: int,
        options: str,
        fields: dict[str, int | float | bool],
        name: str,
    ) -> int:
        name = name or f"{code.lower()}_{len(self.operators)}"
        source = self.tensors[x]
        scales = np.atleast_1d(np.asarray(weight_scales, np.float32))
        dtype = "uint8" if source.dtype == "uint8" else "int8"
        filters = self.tensor(f"{name}/weights", weights.shape, scales, weight_zero_point, dtype, weights, axis)
        inputs = [x, filters]
        if bias is not None:
            bias_scales = source.scales[0] * scales if source.scales.size else None
            bias = np.asarray(bias)
            inputs.append(self.tensor(f"{name}/bias", bias.shape, bias_scales, 0, "int32", bias))
        return self.operator(code, inputs, shape, scale, zero_point, options, fields, name)

    @staticmethod
    def _activation(activation: str) -> int:
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation {activation!r} is none of {', '.join(ACTIVATIONS)}")
        return getattr(tflite.ActivationFunctionType, activation)

    @staticmethod
    def _padding(padding: str) -> int:
        if padding not in PADDINGS:
            raise ValueError(f"padding {padding!r} is neither SAME nor VALID")
        return getattr(tflite.Padding, padding)

    def convolution(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        strides: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
    ) -> int:
        """CONV_2D; weights ``[Co][kh][kw][Ci]``, one scale or one for each output channel; LiteRT insists on a bias."""
        batch, height, width, channels = self.tensors[x].shape
        if weights.ndim != 4 or weights.shape[3] != channels:
            raise ValueError(f"convolution {name}: weights {weights.shape} do not fit {channels} input channels")
        fields = {
            "Padding": self._padding(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "FusedActivationFunction": self._activation(activation),
        }
        shape = (
            batch,
            output_size(height, weights.shape[1], strides[0], padding),
            output_size(width, weights.shape[2], strides[1], padding),
            weights.shape[0],
        )
        return self._multiply_accumulate(
            "CONV_2D",
            x,
            weights,
            weight_scales,
            weight_zero_point,
            bias,
            0,
            shape,
            scale,
            zero_point,
            "Conv2DOptions",
            fields,
            name,
        )

    def depthwise(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        strides: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
    ) -> int:
        """DEPTHWISE_CONV_2D; weights ``[kh][kw][Co]``, Co a multiple of the input's channels (the depth multiplier)."""
        batch, height, width, channels = self.tensors[x].shape
        if weights.ndim != 3 or weights.shape[2] % channels:
            raise ValueError(f"depthwise {name}: weights {weights.shape} do not fit {channels} input channels")
        fields = {
            "Padding": self._padding(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "DepthMultiplier": weights.shape[2] // channels,
            "FusedActivationFunction": self._activation(activation),
        }
        shape = (
            batch,
            output_size(height, weights.shape[0], strides[0], padding),
            output_size(width, weights.shape[1], strides[1], padding),
            weights.shape[2],
        )
        return self._multiply_accumulate(
            "DEPTHWISE_CONV_2D",
            x,
            weights[np.newaxis],
            weight_scales,
            weight_zero_point,
            bias,
            3,
            shape,
            scale,
            zero_point,
            "DepthwiseConv2DOptions",
            fields,
            name,
        )

    def fully_connected(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
    ) -> int:
        """FULLY_CONNECTED; weights ``[Co][Ci]``; every element of a batch's picture is an input."""
        size = int(np.prod(self.tensors[x].shape[1:]))
        if weights.ndim != 2 or weights.shape[1] != size:
            raise ValueError(f"fully connected {name}: weights {weights.shape} do not fit {size} inputs")
        return self._multiply_accumulate(
            "FULLY_CONNECTED",
            x,
            weights,
            weight_scales,
            weight_zero_point,
            bias,
            0,
            (self.tensors[x].shape[0], weights.shape[0]),
            scale,
            zero_point,
            "FullyConnectedOptions",
            {"FusedActivationFunction": self._activation(activation)},
            name,
        )

    def add(self, a: int, b: int, scale: float, zero_point: int, activation: str = "NONE", name: str = "") -> int:
        """ADD of two tensors of equal shape."""
        if self.tensors[a].shape != self.tensors[b].shape:
            raise ValueError(f"add {name}: shapes {self.tensors[a].shape} and {self.tensors[b].shape} differ")
        fields = {"FusedActivationFunction": self._activation(activation)}
        return self.operator("ADD", (a, b), self.tensors[a].shape, scale, zero_point, "AddOptions", fields, name)

    def constant_arithmetic(
        self,
        code: str,
        x: int,
        constant: np.ndarray,
        constant_scale: float,
        constant_zero_point: int,
        scale: float,
        zero_point: int,
        constant_first: bool = False,
        activation: str = "NONE",
        name: str = "",
    ) -> int:
        """MUL, SUB or ADD of a tensor and a constant that broadcasts to it."""
        if code not in ("MUL", "SUB", "ADD"):
            raise ValueError(f"operator {code!r} is none of MUL, SUB, ADD")
        constant = np.asarray(constant)
        known = self.tensors[x]
        other = self.tensor(
            f"constant_{len(self.operators)}",
            constant.shape,
            constant_scale,
            constant_zero_point,
            known.dtype,
            constant,
        )
        fields = {"FusedActivationFunction": self._activation(activation)}
        inputs = (other, x) if constant_first else (x, other)
        return self.operator(
            code, inputs, known.shape, scale, zero_point, f"{code.capitalize()}Options", fields, name, known.dtype
        )

    def average_pool(
        self,
        x: int,
        kernel: tuple[int, int],
        strides: tuple[int, int] = (1, 1),
        padding: str = "VALID",
        activation: str = "NONE",
        name: str = "",
    ) -> int:
        """AVERAGE_POOL_2D, the output quantised as the input is."""
        batch, height, width, channels = self.tensors[x].shape
        fields = {
            "Padding": self._padding(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "FilterHeight": kernel[0],
            "FilterWidth": kernel[1],
            "FusedActivationFunction": self._activation(activation),
        }
        shape = (
            batch,
            output_size(height, kernel[0], strides[0], padding),
            output_size(width, kernel[1], strides[1], padding),
            channels,
        )
        return self.operator("AVERAGE_POOL_2D", (x,), shape, None, None, "Pool2DOptions", fields, name)

    def mean(
        self, x: int, scale: float | None = None, zero_point: int | None = None, keep: bool = False, name: str = ""
    ) -> int:
        """MEAN over height and width; ``keep`` leaves them in the shape as 1."""
        batch, _, _, channels = self.tensors[x].shape
        axes = self.tensor(f"axes_{len(self.operators)}", (2,), dtype="int32", data=np.array([1, 2]))
        shape = (batch, 1, 1, channels) if keep else (batch, channels)
        return self.operator("MEAN", (x, axes), shape, scale, zero_point, "ReducerOptions", {"KeepDims": keep}, name)

    def pad(self, x: int, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0, name: str = "") -> int:
        """PAD of height and width with the zero point."""
        batch, height, width, channels = self.tensors[x].shape
        amounts = np.array([[0, 0], [top, bottom], [left, right], [0, 0]])
        paddings = self.tensor(f"paddings_{len(self.operators)}", (4, 2), dtype="int32", data=amounts)
        shape = (batch, height + top + bottom, width + left + right, channels)
        return self.operator("PAD", (x, paddings), shape, None, None, "PadOptions", {}, name)

    def reshape(self, x: int, shape: Sequence[int], name: str = "") -> int:
        """RESHAPE to ``shape``."""
        if np.prod(shape) != np.prod(self.tensors[x].shape):
            raise ValueError(f"reshape {name}: {self.tensors[x].shape} and {tuple(shape)} differ in size")
        new = self.tensor(f"shape_{len(self.operators)}", (len(shape),), dtype="int32", data=np.array(shape))
        return self.operator("RESHAPE", (x, new), shape, None, None, "ReshapeOptions", {}, name)

    def transpose(self, x: int, permutation: Sequence[int], name: str = "") -> int:
        """TRANSPOSE by ``permutation``."""
        order = np.array(permutation)
        axes = self.tensor(f"permutation_{len(self.operators)}", order.shape, dtype="int32", data=order)
        shape = [self.tensors[x].shape[axis] for axis in permutation]
        return self.operator("TRANSPOSE", (x, axes), shape, None, None, "TransposeOptions", {}, name)

    def rectify(
        self,
        x: int,
        activation: str,
        scale: float | None = None,
        zero_point: int | None = None,
        name: str = "",
    ) -> int:
        """RELU, RELU6 or RELU_N1_TO_1 standing alone."""
        if activation not in ACTIVATIONS[1:]:
            raise ValueError(f"activation {activation!r} is none of {', '.join(ACTIVATIONS[1:])}")
        return self.operator(activation, (x,), self.tensors[x].shape, scale, zero_point, name=name)

    def unary(
        self,
        code: str,
        x: int,
        scale: float | None = None,
        zero_point: int | None = None,
        options: str = "",
        fields: dict[str, int | float | bool] | None = None,
        name: str = "",
    ) -> int:
        """An operator of one tensor that keeps its shape: HARD_SWISH, LOGISTIC, TANH, LEAKY_RELU with ``Alpha`` …"""
        return self.operator(code, (x,), self.tensors[x].shape, scale, zero_point, options, fields, name)

    def prelu(
        self,
        x: int,
        slopes: np.ndarray,
        slope_scale: float,
        slope_zero_point: int,
        scale: float,
        zero_point: int,
        name: str = "",
    ) -> int:
        """PRELU by slopes that broadcast to the tensor."""
        known = self.tensors[x]
        slopes = np.asarray(slopes)
        place = f"slopes_{len(self.operators)}"
        other = self.tensor(place, slopes.shape, slope_scale, slope_zero_point, known.dtype, slopes)
        return self.operator("PRELU", (x, other), known.shape, scale, zero_point, name=name)

    def softmax(self, x: int, beta: float = 1.0, name: str = "") -> int:
        """SOFTMAX over the last axis, with the output scale 1/256 that its kernel demands."""
        zero = 0 if self.tensors[x].dtype == "uint8" else -128
        shape = self.tensors[x].shape
        return self.operator("SOFTMAX", (x,), shape, 1 / 256, zero, "SoftmaxOptions", {"Beta": beta}, name)

    def quantize(self, x: int, scale: float, zero_point: int, dtype: str = "int8", name: str = "") -> int:
        """QUANTIZE of real numbers, or of integers of another scale or type."""
        shape = self.tensors[x].shape
        return self.operator("QUANTIZE", (x,), shape, scale, zero_point, "QuantizeOptions", {}, name, dtype)

    def dequantize(self, x: int, name: str = "") -> int:
        """DEQUANTIZE to float32."""
        shape = self.tensors[x].shape
        return self.operator("DEQUANTIZE", (x,), shape, None, None, "DequantizeOptions", {}, name, "float32")

    # File

    def to_bytes(self) -> bytes:
        """The file. The same calls give the same bytes.

        Raises:
            ValueError: the network has no input or no output.
        """
        if not self.inputs or not self.outputs:
            raise ValueError(f"network {self.name} has {len(self.inputs)} inputs and {len(self.outputs)} outputs")
        b = flatbuffers.Builder(1024)
        self._vectors: dict[tuple[str, bytes], int] = {}
        codes = list(dict.fromkeys(op.code for op in self.operators))
        constants = [index for index, tensor in enumerate(self.tensors) if tensor.data]
        buffers = [self._buffer(b, b"")] + [self._buffer(b, self.tensors[index].data) for index in constants]
        buffer_of = {index: place + 1 for place, index in enumerate(constants)}
        tensors = [self._tensor(b, tensor, buffer_of.get(index, 0)) for index, tensor in enumerate(self.tensors)]
        operators = [self._operator(b, op, codes.index(op.code)) for op in self.operators]
        subgraph = self._subgraph(b, tensors, operators)
        operator_codes = _offsets(b, [self._operator_code(b, code) for code in codes])
        subgraphs = _offsets(b, [subgraph])
        buffers = _offsets(b, buffers)
        description = b.CreateString(self.description)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, operator_codes)
        tflite.ModelAddSubgraphs(b, subgraphs)
        tflite.ModelAddDescription(b, description)
        tflite.ModelAddBuffers(b, buffers)
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())

    def write(self, path: str | Path) -> None:
        """Write the file."""
        Path(path).write_bytes(self.to_bytes())

    def _buffer(self, b: flatbuffers.Builder, data: bytes) -> int:
        vector = None
        if data:
            # Kernels read constants in place, so they are aligned as the schema's force_align asks.
            b.StartVector(1, len(data), 16)
            b.head -= len(data)
            b.Bytes[b.head : b.head + len(data)] = data
            vector = b.EndVector()
        tflite.BufferStart(b)
        if vector is not None:
            tflite.BufferAddData(b, vector)
        return tflite.BufferEnd(b)

    def _vector(self, b: flatbuffers.Builder, values: np.ndarray) -> int:
        """A vector of numbers, written once: zero points of each channel alone would be a fifth of a small file."""
        key = (values.dtype.str, values.tobytes())
        if key not in self._vectors:
            self._vectors[key] = b.CreateNumpyVector(values)
        return self._vectors[key]

    def _tensor(self, b: flatbuffers.Builder, tensor: _Tensor, buffer: int) -> int:
        name = b.CreateString(tensor.name)
        shape = self._vector(b, np.array(tensor.shape, np.int32))
        quantization = None
        if tensor.scales.size:
            scales = self._vector(b, tensor.scales)
            zero_points = self._vector(b, tensor.zero_points)
            tflite.QuantizationParametersStart(b)
            tflite.QuantizationParametersAddScale(b, scales)
            tflite.QuantizationParametersAddZeroPoint(b, zero_points)
            tflite.QuantizationParametersAddQuantizedDimension(b, tensor.axis)
            quantization = tflite.QuantizationParametersEnd(b)
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, shape)
        tflite.TensorAddType(b, getattr(tflite.TensorType, DTYPES[tensor.dtype]))
        tflite.TensorAddBuffer(b, buffer)
        tflite.TensorAddName(b, name)
        if quantization is not None:
            tflite.TensorAddQuantization(b, quantization)
        return tflite.TensorEnd(b)

    def _operator(self, b: flatbuffers.Builder, op: _Operator, code: int) -> int:
        options = None
        if op.options:
            getattr(tflite, f"{op.options}Start")(b)
            for key, value in op.fields.items():
                getattr(tflite, f"{op.options}Add{key}")(b, value)
            options = getattr(tflite, f"{op.options}End")(b)
        inputs = b.CreateNumpyVector(np.array(op.inputs, np.int32))
        outputs = b.CreateNumpyVector(np.array([op.output], np.int32))
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, code)
        tflite.OperatorAddInputs(b, inputs)
        tflite.OperatorAddOutputs(b, outputs)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, op.options))
            tflite.OperatorAddBuiltinOptions(b, options)
        return tflite.OperatorEnd(b)

    def _operator_code(self, b: flatbuffers.Builder, code: str) -> int:
        number = getattr(tflite.BuiltinOperator, code)
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(number, 127))
        tflite.OperatorCodeAddVersion(b, VERSIONS.get(code, DEFAULT_VERSION))
        tflite.OperatorCodeAddBuiltinCode(b, number)
        return tflite.OperatorCodeEnd(b)

    def _subgraph(self, b: flatbuffers.Builder, tensors: list[int], operators: list[int]) -> int:
        tensor_vector = _offsets(b, tensors)
        operator_vector = _offsets(b, operators)
        inputs = b.CreateNumpyVector(np.array(self.inputs, np.int32))
        outputs = b.CreateNumpyVector(np.array(self.outputs, np.int32))
        name = b.CreateString(self.name)
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensor_vector)
        tflite.SubGraphAddInputs(b, inputs)
        tflite.SubGraphAddOutputs(b, outputs)
        tflite.SubGraphAddOperators(b, operator_vector)
        tflite.SubGraphAddName(b, name)
        return tflite.SubGraphEnd(b)


def _offsets(b: flatbuffers.Builder, offsets: list[int]) -> int:
    """A vector of tables already written."""
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()
