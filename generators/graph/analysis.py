"""What a network costs before any circuit is chosen: operations, parameters, and the memory that streaming needs.

Streaming stores no map whole. Two kinds of memory remain, in bytes of the tensors' own elements:

- the **line buffer** of an operator with a k×k window: k − 1 rows and k pixels of its input map;
- the **residual delay** of a join: what arrives early on the shorter path waits for the longer one. Along a path a
  window waits for the pixels below and to the right of its output's first pixel (one row and one pixel of a padded
  3×3), every multiply-accumulate operator takes in a pixel before it gives one out, and an operator that reads the
  whole map waits for all of it.

Delays add up as fractions of a frame, so that paths at different resolutions compare.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from .graph import Graph, GraphError, Operator, Tensor
from .mac_operator import MacOperator


@dataclass(frozen=True)
class OperatorSummary:
    """One operator's shapes and costs; shapes with the batch, memories in bytes."""

    index: int
    kind: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    kernel: tuple[int, int] | None
    strides: tuple[int, int] | None
    macs: int
    parameters: int
    line_buffer_bytes: int
    residual_delay_bytes: int


@dataclass(frozen=True)
class Totals:
    """The sums over a network."""

    operators: int
    macs: int
    parameters: int
    line_buffer_bytes: int
    residual_delay_bytes: int


def summarize(graph: Graph) -> tuple[tuple[OperatorSummary, ...], Totals]:
    """Every operator's costs in execution order, and their sums."""
    rows = []
    arrival = dict.fromkeys(graph.inputs, Fraction(0))
    for operator in graph:
        inputs = [graph.tensors[index] for index in operator.inputs]
        ready = max(arrival[tensor.index] for tensor in inputs)
        waiting = sum(_waiting_bytes(tensor, ready - arrival[tensor.index]) for tensor in inputs)
        delay = _delay_pixels(operator, inputs[0])
        for output in operator.outputs:
            arrival[output] = ready + Fraction(delay, _pixels(inputs[0]))
        window = operator.window
        rows.append(
            OperatorSummary(
                index=operator.index,
                kind=operator.kind,
                inputs=tuple(tensor.shape for tensor in inputs),
                outputs=tuple(graph.tensors[index].shape for index in operator.outputs),
                kernel=None if window is None else window.kernel,
                strides=None if window is None else window.strides,
                macs=graph.macs(operator),
                parameters=operator.parameters,
                line_buffer_bytes=_line_buffer_bytes(operator, inputs[0]),
                residual_delay_bytes=waiting,
            )
        )
    totals = Totals(
        operators=len(rows),
        macs=sum(row.macs for row in rows),
        parameters=sum(row.parameters for row in rows),
        line_buffer_bytes=sum(row.line_buffer_bytes for row in rows),
        residual_delay_bytes=sum(row.residual_delay_bytes for row in rows),
    )
    return tuple(rows), totals


def _pixels(tensor: Tensor) -> int:
    return tensor.height * tensor.width


def _bytes(tensor: Tensor, pixels: int) -> int:
    return ceil(pixels * tensor.channels * tensor.element.bits / 8)


def _waiting_bytes(tensor: Tensor, wait: Fraction) -> int:
    return _bytes(tensor, min(ceil(wait * _pixels(tensor)), _pixels(tensor)))


def _line_buffer_bytes(operator: Operator, input_tensor: Tensor) -> int:
    window = operator.window
    if window is None or window.kernel == (1, 1) or operator.reads_whole_map(input_tensor):
        return 0
    height, width = window.kernel
    return _bytes(input_tensor, min((height - 1) * input_tensor.width + width, _pixels(input_tensor)))


def _delay_pixels(operator: Operator, input_tensor: Tensor) -> int:
    """Input pixels that arrive before those of the first output pixel can leave, beyond the one that it stands for."""
    if operator.reads_whole_map(input_tensor):
        return _pixels(input_tensor)
    delay = 1 if isinstance(operator, MacOperator) else 0
    window = operator.window
    if window is not None:
        (height, width), padding = window.kernel, window.padding
        delay += max(height - 1 - padding.top, 0) * input_tensor.width + max(width - 1 - padding.left, 0)
    return min(delay, _pixels(input_tensor))


def residual_block(graph: Graph) -> tuple[int, int]:
    """The first inverted residual block with its residual, as a half-open range of operator indices.

    Raises:
        GraphError: the network has none.
    """
    for operator in graph:
        if len(operator.inputs) == 2 and operator.closes_block(graph):
            producers = [graph.producer(index) for index in operator.inputs]
            starts = [0 if producer is None else producer.index + 1 for producer in producers]
            if min(starts) < operator.index:
                return min(starts), operator.index + 1
    raise GraphError(f"{graph.name} has no block with a residual")


def described(graph: Graph) -> dict[str, Any]:
    """A graph as plain numbers and text."""
    operators, totals = summarize(graph)
    return {
        "model": graph.name,
        "inputs": [_tensor(graph.tensors[index]) for index in graph.inputs],
        "outputs": [_tensor(graph.tensors[index]) for index in graph.outputs],
        "operators": [asdict(row) for row in operators],
        "totals": asdict(totals),
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "tensor": tensor.index,
        "name": tensor.name,
        "shape": list(tensor.shape),
        "type": str(tensor.element),
        "scale": float(tensor.scale),
        "zero_point": int(tensor.zero_point),
    }
