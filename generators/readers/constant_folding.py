"""Operators of a file whose results do not depend on the picture, computed on reading.

Converters leave shapes to be computed where they did not know them (SHAPE, STRIDED_SLICE, PACK before a RESHAPE), and
weights that are turned, reshaped or stored as float16. With fixed shapes all of that is constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from .slices import strided_slices
from .tflite_content import DTYPES, Damaged, FileContent, FileOperator, FileTensor

MAXIMUM_BYTES = 1 << 28  # of all results; weights are turned or widened, shapes have a few numbers

_Fold = Callable[[FileOperator, list[np.ndarray], FileTensor, list[FileTensor]], np.ndarray]


def fold_constants(content: FileContent) -> FileContent:
    """The content without the operators whose inputs are all constants, their results in their place.

    What cannot be computed stays, to be refused by name.
    """
    tensors = list(content.tensors)
    operators = []
    budget = MAXIMUM_BYTES
    for op in content.operators:
        result = _result(op, tensors)
        if result is None or result.nbytes > budget:
            operators.append(op)
            continue
        budget -= result.nbytes
        (output,) = op.outputs
        data = np.frombuffer(result.tobytes(), np.uint8)
        tensors[output] = replace(tensors[output], shape=result.shape, dynamic=(), data=data)
    return replace(content, tensors=tuple(tensors), operators=tuple(operators))


def _result(op: FileOperator, tensors: list[FileTensor]) -> np.ndarray | None:
    if op.code not in _FOLDS or len(op.outputs) != 1:
        return None
    output = tensors[op.outputs[0]]
    input_tensors = [tensors[index] for index in op.inputs if index >= 0]
    if output.constant or output.special or output.type not in DTYPES or not input_tensors:
        return None
    if op.code == "SHAPE":
        (input_tensor, *_) = input_tensors
        if input_tensor.dynamic or min(input_tensor.shape, default=0) < 0:
            return None
        return np.array(input_tensor.shape, DTYPES[output.type])
    if not all(
        input_tensor.constant and not input_tensor.special and input_tensor.type in DTYPES
        for input_tensor in input_tensors
    ):
        return None
    try:
        result = _FOLDS[op.code](op, [input_tensor.array() for input_tensor in input_tensors], output, input_tensors)
    except (Damaged, ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, KeyError):
        return None
    return np.asarray(result).astype(DTYPES[output.type], copy=False)


def _reshape(
    op: FileOperator, values: list[np.ndarray], output: FileTensor, input_tensors: list[FileTensor]
) -> np.ndarray:
    shape = values[1].reshape(-1).tolist() if len(values) > 1 else op.options["NewShape"]
    return values[0].reshape(tuple(shape))


def _strided_slice(op: FileOperator, values: list[np.ndarray], *_) -> np.ndarray:
    data, *lists = values
    slices, vanishing = strided_slices(data.shape, *(v.reshape(-1).tolist() for v in lists), op.options)
    result = data[np.ix_(*(first + step * np.arange(count) for first, step, count in slices))]
    return result.reshape([size for axis, size in enumerate(result.shape) if axis not in vanishing])


def _slice(op: FileOperator, values: list[np.ndarray], *_) -> np.ndarray:
    data, begin, size = values
    ends = [None if s == -1 else b + s for b, s in zip(begin.tolist(), size.tolist(), strict=True)]
    return data[tuple(slice(b, e) for b, e in zip(begin.tolist(), ends, strict=True))]


def _expand(op: FileOperator, values: list[np.ndarray], *_) -> np.ndarray:
    return np.expand_dims(values[0], int(values[1].reshape(())))


def _squeeze(op: FileOperator, values: list[np.ndarray], *_) -> np.ndarray:
    return values[0].squeeze(tuple(op.options.get("SqueezeDims", ())) or None)


def _product(op: FileOperator, values: list[np.ndarray], *_) -> np.ndarray:
    axes = tuple(values[1].reshape(-1).tolist())
    return values[0].prod(axis=axes, keepdims=bool(op.options.get("KeepDims")))


def _whole(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Fold:
    """An operation on whole numbers; on quantised ones it would have scales to heed."""

    def fold(
        op: FileOperator, values: list[np.ndarray], output: FileTensor, input_tensors: list[FileTensor]
    ) -> np.ndarray:
        if output.type not in ("INT32", "INT64") or op.options.get("FusedActivationFunction"):
            raise ValueError
        a, b = values
        return function(a, b)

    return fold


def _dequantize(op: FileOperator, values: list[np.ndarray], _, input_tensors: list[FileTensor]) -> np.ndarray:
    data, input_tensor = values[0], input_tensors[0]
    if input_tensor.type == "FLOAT16":
        return data.astype(np.float32)
    if input_tensor.scales.size not in (1, data.shape[input_tensor.axis] if data.ndim else 1):
        raise ValueError
    shape = [-1 if axis == input_tensor.axis and input_tensor.scales.size > 1 else 1 for axis in range(data.ndim)]
    zero_points = input_tensor.zero_points if input_tensor.zero_points.size else np.zeros(1)
    centred = data.astype(np.float64) - (zero_points.reshape(shape) if zero_points.size > 1 else zero_points[0])
    return (input_tensor.scales.astype(np.float64).reshape(shape) * centred).astype(np.float32)


_FOLDS: Mapping[str, _Fold] = {
    "SHAPE": lambda *_: np.zeros(0),  # of any tensor, not of constants alone: computed apart
    "RESHAPE": _reshape,
    "TRANSPOSE": lambda op, v, *_: v[0].transpose(v[1].reshape(-1).tolist()),
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    "EXPAND_DIMS": _expand,
    "SQUEEZE": _squeeze,
    "PACK": lambda op, v, *_: np.stack(v, op.options.get("Axis", 0)),
    "CONCATENATION": lambda op, v, *_: np.concatenate(v, op.options.get("Axis", 0)),
    "GATHER": lambda op, v, *_: np.take(v[0], v[1], op.options.get("Axis", 0)),
    "CAST": lambda op, v, *_: v[0],
    "FILL": lambda op, v, *_: np.full(v[0].tolist(), v[1].reshape(())),
    "RANGE": lambda op, v, *_: np.arange(*(x.reshape(()).item() for x in v)),
    "REDUCE_PROD": _product,
    "ADD": _whole(np.add),
    "SUB": _whole(np.subtract),
    "MUL": _whole(np.multiply),
    "FLOOR_DIV": _whole(np.floor_divide),
    "MAXIMUM": _whole(np.maximum),
    "MINIMUM": _whole(np.minimum),
    "DEQUANTIZE": _dequantize,
}
