"""The contents of a ``.tflite`` file as plain data, read without trusting a byte of it.

The flatbuffers package reads whatever offsets a file holds and verifies nothing. Here every length and index is
compared with what it indexes before it is used, arrays are views of the file, and what is copied is counted against a
budget that grows with the file: a damaged file costs time and memory in proportion to its size and ends in
:class:`~mbconv.generators.graph.graph.GraphError`.

The schema is that of TensorFlow Lite, version 3 (``tensorflow/lite/schema/schema.fbs``).
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tflite

from ..graph.graph import GraphError
from .custom_options import custom_options

IDENTIFIER = b"TFL3"
MAXIMUM_FILE_SIZE = 2**31 - 1  # flatbuffers' own limit
MAXIMUM_TENSORS = 65_536
MAXIMUM_OPERATORS = 16_384
MAXIMUM_RANK = 8
NAME_LENGTH = 120
OBJECT_BYTES = 64  # what one integer of a list costs in memory, rounded up

DTYPES = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "INT8": "<i1",
    "UINT8": "<u1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
}

_OPERATOR_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
_TYPE_NAMES = {code: name for name, code in vars(tflite.TensorType).items() if isinstance(code, int)}

_BUILTIN_CODE = 10  # place of the field in the table of an operator code
_OPTIONS_NAMES = {code: name for name, code in vars(tflite.BuiltinOptions).items() if isinstance(code, int)}

# What flatbuffers and the schema's classes raise on offsets that point nowhere.
_DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError)


class Damaged(Exception):
    """The file's bytes contradict the format; the message says where."""


@dataclass(frozen=True, eq=False)
class FileTensor:
    """A tensor as the file describes it; ``data`` is None unless it is a constant."""

    index: int
    name: str
    shape: tuple[int, ...]
    dynamic: tuple[int, ...]  # the axes, batch apart, whose size the file leaves open
    type: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int
    data: np.ndarray | None
    special: str  # what makes the tensor unusable whoever reads it, or ""

    @property
    def constant(self) -> bool:
        return self.data is not None

    def __str__(self) -> str:
        return f"tensor {self.index} '{self.name}'"

    def array(self) -> np.ndarray:
        """A constant's elements, a view of the file.

        Raises:
            Damaged: the data's length is not that of the shape.
        """
        dtype = np.dtype(DTYPES[self.type])
        expected = prod(self.shape) * dtype.itemsize
        if self.data is None or min(self.shape, default=0) < 0 or self.data.size != expected:
            size = 0 if self.data is None else self.data.size
            raise Damaged(f"{self} has {size} bytes of data where its shape {list(self.shape)} needs {expected}")
        return self.data.view(dtype).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class FileOperator:
    """An operator as the file describes it.

    ``options`` holds the fields of its options table, which the schema calls ``options_table``: numbers, and tuples of
    integers. Both are empty where the file leaves the table out.
    """

    index: int
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, int | float | tuple[int, ...]]
    options_table: str = ""

    def __str__(self) -> str:
        return f"operator {self.index} {self.code}"


@dataclass(frozen=True, eq=False)
class FileContent:
    """The only subgraph of a file."""

    name: str
    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a model file.

    Raises:
        GraphError: no such file, not a regular file, unreadable, empty, too large, or not a TFLite file.
    """
    try:
        mode = Path(path).stat()
        if stat.S_ISDIR(mode.st_mode):
            raise GraphError(f"{path} is a directory; give the .tflite file in it")
        if not stat.S_ISREG(mode.st_mode):
            raise GraphError(f"{path} is not a regular file")
        if mode.st_size > MAXIMUM_FILE_SIZE:
            raise GraphError(f"{path} has {mode.st_size} bytes; a TFLite file has fewer than 2 GB")
        with open(path, "rb") as file:
            head = file.read(8)
            if not head:
                raise GraphError(f"{path} is empty")
            if head[4:8] != IDENTIFIER:
                raise GraphError(
                    f"{path} is not a TFLite file: bytes 4 to 7 are {head[4:8]!r}, not {IDENTIFIER!r}; convert the "
                    "model with tf.lite.TFLiteConverter (Keras) or litert-torch (PyTorch) first"
                )
            return head + file.read(mode.st_size)  # read() reserves what it is asked for
    except FileNotFoundError:
        raise GraphError(f"{path}: there is no such file") from None
    except OSError as error:
        raise GraphError(f"{path} cannot be read: {error.strerror}") from None
    except GraphError:
        raise
    except ValueError as error:  # a path that no system call takes, as one with a null character
        raise GraphError(f"{str(path)!r} is not a path: {error}") from None


def read_content(path: str | Path) -> FileContent:
    """Read a file into plain data.

    Raises:
        GraphError: the file cannot be read, is no TFLite file, is damaged, or holds other than one subgraph.
    """
    content = read_bytes(path)
    try:
        return _Reader(content).content()
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None
    except Damaged as error:
        raise GraphError(f"{path} is damaged: {error}; download or convert it again") from None
    except _DAMAGE as error:
        raise GraphError(
            f"{path} is damaged: its tables point outside the file ({error}); download or convert it again"
        ) from None


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAs(content, 0)
        self.content_bytes = content
        self.size = len(content)
        # No honest file repeats itself: what is copied out of it is a small part of it.
        self.budget = 8 * len(content) + (1 << 20)
        self.codes: dict[int, str] = {}

    def charge(self, size: int) -> None:
        self.budget -= size
        if self.budget < 0:
            raise Damaged("its tables repeat more than the file holds")

    def vector(self, table: Any, field: str) -> np.ndarray:
        """A vector of numbers, a view of the file."""
        if not getattr(table, f"{field}Length")():
            return np.zeros(0, np.uint8)
        return getattr(table, f"{field}AsNumpy")()

    def integers(self, table: Any, field: str) -> tuple[int, ...]:
        values = self.vector(table, field)
        self.charge(OBJECT_BYTES * values.size)
        return tuple(values.tolist())

    def text(self, value: bytes | None) -> str:
        """A name that can be printed on one line."""
        value = value or b""
        self.charge(len(value))
        text = value[: 4 * NAME_LENGTH].decode("utf-8", errors="replace")
        text = "".join(c if c.isprintable() else "?" for c in text)
        return text if len(text) <= NAME_LENGTH else f"{text[: NAME_LENGTH - 1]}…"

    def content(self) -> FileContent:
        model = self.model
        if model.Version() != 3:
            raise GraphError(f"its schema has version {model.Version()}; version 3 is supported")
        count = model.SubgraphsLength()
        if count != 1:
            self.check_count("subgraphs", count, self.size // 4)
            raise GraphError(f"it has {count} subgraphs; one is supported: convert without control flow or signatures")
        subgraph = model.Subgraphs(0)
        self.check_count("tensors", subgraph.TensorsLength(), MAXIMUM_TENSORS)
        self.check_count("operators", subgraph.OperatorsLength(), MAXIMUM_OPERATORS)
        return FileContent(
            name=self.text(subgraph.Name()),
            tensors=tuple(self.tensor(i, subgraph.Tensors(i)) for i in range(subgraph.TensorsLength())),
            operators=tuple(
                self.operator(i, subgraph.Operators(i), subgraph.TensorsLength())
                for i in range(subgraph.OperatorsLength())
            ),
            inputs=self.indices("network", "inputs", self.integers(subgraph, "Inputs"), subgraph.TensorsLength()),
            outputs=self.indices("network", "outputs", self.integers(subgraph, "Outputs"), subgraph.TensorsLength()),
        )

    def check_count(self, what: str, count: int, maximum: int) -> None:
        if not 0 <= count <= min(maximum, self.size // 4):
            raise Damaged(f"it claims {count} {what}")

    def indices(self, owner: str, what: str, values: tuple[int, ...], count: int, least: int = 0) -> tuple[int, ...]:
        wrong = next((v for v in values if not least <= v < count), None)
        if wrong is not None:
            raise Damaged(f"the {owner}'s {what} name tensor {wrong} of {count}")
        return values

    def tensor(self, index: int, table: Any) -> FileTensor:
        # Small fixed cost, so that a vector that names one table many times is stopped.
        self.charge(4)
        shape = self.integers(table, "Shape")
        signature = self.integers(table, "ShapeSignature")
        if len(shape) > MAXIMUM_RANK:
            raise Damaged(f"tensor {index} has {len(shape)} dimensions")
        type_name = _TYPE_NAMES.get(table.Type(), f"type {table.Type()}")
        name = self.text(table.Name())
        scales, zero_points, axis, special = np.zeros(0, np.float32), np.zeros(0, np.int64), 0, ""
        quantization = table.Quantization()
        if quantization is not None:
            scales = self.vector(quantization, "Scale").astype(np.float32, copy=False)
            zero_points = self.vector(quantization, "ZeroPoint").astype(np.int64, copy=False)
            axis = quantization.QuantizedDimension()
            if quantization.DetailsType() != 0:
                special = "is quantised by a custom or blockwise scheme"
        if table.Sparsity() is not None:
            special = "is sparse"
        elif table.IsVariable():
            special = "is a variable (state kept between pictures)"
        data = self.buffer(index, table.Buffer())
        dynamic = tuple(i for i, size in enumerate(signature) if i and size < 0)
        return FileTensor(index, name, shape, dynamic, type_name, scales, zero_points, axis, data, special)

    def buffer(self, index: int, place: int) -> np.ndarray | None:
        """A tensor's data; None where it has none.

        They lie in the buffer's table, or, as files of more than 2 GB and newer quantisers have them, anywhere in the
        file, at an offset from its beginning.
        """
        count = self.model.BuffersLength()
        if place >= count:
            # Buffer 0 stands for "no data", also in a file without buffers.
            if place == 0:
                return None
            raise Damaged(f"tensor {index} names buffer {place} of {count}")
        buffer = self.model.Buffers(place)
        data = self.vector(buffer, "Data")
        if not data.size and buffer.Offset() > 1:  # 1 stands for a place that a writer has yet to fill in
            offset, size = buffer.Offset(), buffer.Size()
            if offset + size > self.size:
                raise Damaged(f"tensor {index} has data at {offset} to {offset + size} of {self.size} bytes")
            data = np.frombuffer(self.content_bytes, np.uint8, size, offset)
        return data if data.size else None

    def operator(self, index: int, table: Any, tensors: int) -> FileOperator:
        self.charge(4)
        code = self.code(index, table.OpcodeIndex())
        owner = f"operator {index} {code}"
        # −1 stands for an optional input that is left out.
        inputs = self.indices(owner, "inputs", self.integers(table, "Inputs"), tensors, least=-1)
        outputs = self.indices(owner, "outputs", self.integers(table, "Outputs"), tensors)
        return FileOperator(index, code, inputs, outputs, *self.options(owner, table))

    def code(self, index: int, place: int) -> str:
        if place in self.codes:
            return self.codes[place]
        if place >= self.model.OperatorCodesLength():
            raise Damaged(f"operator {index} names operator code {place} of {self.model.OperatorCodesLength()}")
        entry = self.model.OperatorCodes(place)
        number = max(_raw_builtin_code(entry), entry.DeprecatedBuiltinCode())
        name = _OPERATOR_NAMES.get(number, f"operator code {number}")
        if name == "CUSTOM":
            name = f"CUSTOM {self.text(entry.CustomCode())}".strip()
        self.codes[place] = name
        return name

    def options(self, owner: str, table: Any) -> tuple[dict[str, int | float | tuple[int, ...]], str]:
        union, kind = table.BuiltinOptions(), table.BuiltinOptionsType()
        if union is None or kind == tflite.BuiltinOptions.NONE:
            custom = self.vector(table, "CustomOptions")
            self.charge(OBJECT_BYTES * custom.size)
            return custom_options(custom.tobytes()), ""
        if kind not in _OPTIONS_NAMES:
            raise Damaged(f"{owner} carries options of the unknown kind {kind}")
        name = _OPTIONS_NAMES[kind]
        options = getattr(tflite, name)()
        options.Init(union.Bytes, union.Pos)
        numbers, vectors = _option_fields(name)
        values: dict = {field: getattr(options, field)() for field in numbers}
        values |= {field: self.integers(options, field) for field in vectors}
        return {field: value for field, value in values.items() if isinstance(value, int | float | tuple)}, name


def _raw_builtin_code(entry: Any) -> int:
    """The field ``builtin_code``, 0 where it is absent.

    Writers use it, the older ``deprecated_builtin_code`` of one byte, or both, and readers take the greater of the two.
    The schema's class gives the older field in place of every code below 127.
    """
    place = entry._tab.Offset(_BUILTIN_CODE)
    return entry._tab.Get(flatbuffers.number_types.Int32Flags, place + entry._tab.Pos) if place else 0


@lru_cache
def _option_fields(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of an options table that are one value, and those that are vectors of numbers."""
    methods = [
        method
        for method in vars(getattr(tflite, name))
        if method[0].isupper() and not method.startswith("GetRootAs") and not method.endswith("BufferHasIdentifier")
    ]
    vectors = tuple(m.removesuffix("AsNumpy") for m in methods if m.endswith("AsNumpy"))
    of_vectors = {f"{m.removesuffix('Length')}{suffix}" for m in methods if m.endswith("Length") for suffix in _PARTS}
    return tuple(m for m in methods if m not in of_vectors and m != "Init"), vectors


_PARTS = ("", "AsNumpy", "Length", "IsNone")
