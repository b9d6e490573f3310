"""The bytes of ``.tflite`` files: tensors, operators and tables, on the flatbuffer builders of the ``tflite`` package.

:class:`~mbconv.training.tflite_writer.TfliteWriter` has a method for each operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import flatbuffers
import numpy as np
import tflite
from flatbuffers import flexbuffers

DTYPES = {"int8": "INT8", "uint8": "UINT8", "int16": "INT16", "int32": "INT32", "int64": "INT64", "float32": "FLOAT32"}
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
PADDINGS = ("SAME", "VALID")
# The first version of each operator that takes int8; the kernels' resolver refuses what it does not know.
VERSIONS = {
    "RELU_0_TO_1": 1,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "HARD_SWISH": 1,
    "PRELU": 1,
    "QUANTIZE": 1,
    "RELU_N1_TO_1": 1,
    "EXPAND_DIMS": 1,
    "FLOOR_DIV": 1,
    "GATHER": 1,
    "RESHAPE": 1,
    "SHAPE": 1,
    "REDUCE_PROD": 1,
    "SQUEEZE": 1,
}
DEFAULT_VERSION = 2
CUSTOM = "CUSTOM "  # before the name of a custom operator


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
    outputs: tuple[int, ...]
    options: str
    fields: dict[str, int | float | bool | tuple[int, ...]] = field(default_factory=dict)

    @property
    def custom(self) -> bool:
        return self.code.startswith(CUSTOM)


def output_size(size: int, kernel: int, stride: int, padding: str) -> int:
    """The output size of a window of ``kernel`` elements moved by ``stride``; ``padding`` is SAME or VALID."""
    return -(-size // stride) if padding == "SAME" else (size - kernel) // stride + 1


class TfliteBuilder:
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

    def integers(self, what: str, values: Sequence[int]) -> int:
        """Add a list of int32: axes, sizes, shapes."""
        return self.tensor(f"{what}_{len(self.operators)}", (len(values),), dtype="int32", data=np.array(values, int))

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
        fields: dict[str, int | float | bool | tuple[int, ...]] | None = None,
        name: str = "",
        dtype: str | None = None,
    ) -> int:
        """Add any operator with one output; ``fields`` are the fields of its options table. Returns the output tensor.

        ``scale`` and ``zero_point`` default to those of the first input, as ``dtype`` does.
        """
        (output,) = self.operator_of_several(code, inputs, (shape,), scale, zero_point, options, fields, name, dtype)
        return output

    def operator_of_several(
        self,
        code: str,
        inputs: Sequence[int],
        shapes: Sequence[Sequence[int]],
        scale: float | None = None,
        zero_point: int | None = None,
        options: str = "",
        fields: dict[str, int | float | bool | tuple[int, ...]] | None = None,
        name: str = "",
        dtype: str | None = None,
    ) -> tuple[int, ...]:
        """Add any operator with an output of each shape, all quantised alike; see :meth:`operator`.

        Of a custom operator (``CUSTOM name``) the fields are the map of its options.

        Raises:
            ValueError: an operator that the schema does not have.
        """
        custom = code.startswith(CUSTOM)
        if not custom and not hasattr(tflite.BuiltinOperator, code):
            raise ValueError(f"operator {code!r} is unknown to the tflite schema")
        dtype = self.tensors[inputs[0]].dtype if dtype is None else dtype
        if dtype in ("float32", "int32", "int64"):
            scale, zero_point = None, 0
        else:
            computed = next((i for i in inputs if self.tensors[i].dtype == dtype), inputs[0])
            scale, zero_point = self._quantization(computed, scale, zero_point)
        name = name or f"{code.removeprefix(CUSTOM).lower()}_{len(self.operators)}"
        names = [name] if len(shapes) == 1 else [f"{name}_{place}" for place in range(len(shapes))]
        outputs = tuple(
            self.tensor(own, shape, scale, zero_point, dtype) for own, shape in zip(names, shapes, strict=True)
        )
        self.operators.append(_Operator(code, tuple(inputs), outputs, options, fields or {}))
        return outputs

    @staticmethod
    def activation_code(activation: str) -> int:
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation {activation!r} is none of {', '.join(ACTIVATIONS)}")
        return getattr(tflite.ActivationFunctionType, activation)

    @staticmethod
    def padding_code(padding: str) -> int:
        if padding not in PADDINGS:
            raise ValueError(f"padding {padding!r} is neither SAME nor VALID")
        return getattr(tflite.Padding, padding)

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
        vector = self._buffer_vector(b, data) if data else None
        tflite.BufferStart(b)
        if vector is not None:
            tflite.BufferAddData(b, vector)
        return tflite.BufferEnd(b)

    @staticmethod
    def _buffer_vector(b: flatbuffers.Builder, data: bytes) -> int:
        """Bytes that are read in place, so they are aligned as the schema's force_align asks."""
        b.StartVector(1, len(data), 16)
        b.head -= len(data)
        b.Bytes[b.head : b.head + len(data)] = data
        return b.EndVector()

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
            vectors = {key: value for key, value in op.fields.items() if isinstance(value, tuple)}
            lists = {key: b.CreateNumpyVector(np.array(value, np.int32)) for key, value in vectors.items()}
            getattr(tflite, f"{op.options}Start")(b)
            for key, value in (op.fields | lists).items():
                getattr(tflite, f"{op.options}Add{key}")(b, value)
            options = getattr(tflite, f"{op.options}End")(b)
        inputs = b.CreateNumpyVector(np.array(op.inputs, np.int32))
        outputs = b.CreateNumpyVector(np.array(op.outputs, np.int32))
        custom = self._buffer_vector(b, _flexbuffer(op.fields)) if op.custom else None
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, code)
        tflite.OperatorAddInputs(b, inputs)
        tflite.OperatorAddOutputs(b, outputs)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, op.options))
            tflite.OperatorAddBuiltinOptions(b, options)
        if custom is not None:
            tflite.OperatorAddCustomOptions(b, custom)
        return tflite.OperatorEnd(b)

    def _operator_code(self, b: flatbuffers.Builder, code: str) -> int:
        custom = code.removeprefix(CUSTOM) if code.startswith(CUSTOM) else None
        number = getattr(tflite.BuiltinOperator, "CUSTOM" if custom else code)
        name = None if custom is None else b.CreateString(custom)
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(number, 127))
        tflite.OperatorCodeAddVersion(b, 1 if custom else VERSIONS.get(code, DEFAULT_VERSION))
        if name is not None:
            tflite.OperatorCodeAddCustomCode(b, name)
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


def _flexbuffer(fields: Mapping[str, int | float | bool | tuple[int, ...]]) -> bytes:
    """The options of a custom operator: a map of numbers."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for key, value in fields.items():
            builder.Key(key)
            builder.Add(value)
    return bytes(builder.Finish())


def _offsets(b: flatbuffers.Builder, offsets: list[int]) -> int:
    """A vector of tables already written."""
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()
