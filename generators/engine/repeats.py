"""Operators of two tensors of which one is repeated over the other: the engine's TABLE takes maps of one shape, so that
the smaller one is repeated before.

Over rows and columns that is RESIZE_NEAREST_NEIGHBOR, over channels a convolution whose weights are 1. What is repeated
lies in the map memory as any other map does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..graph.extremum_operator import ExtremumOperator
from ..graph.graph import Operator, Tensor
from ..operators.add import Add
from ..operators.convolution import Convolution
from ..operators.multiply import Multiply
from ..operators.resize_nearest import ResizeNearest
from ..operators.subtract import Subtract
from .rewriting import Rewriting

_PAIRS = (Add, Subtract, Multiply, ExtremumOperator)


class Repeats(Rewriting):
    """Operators of two tensors that read maps of one shape, but for MUL by a vector, which has instructions of its own,
    and tensors that are no maps."""

    def rewritten(self, op: Operator) -> Operator:
        if not isinstance(op, _PAIRS) or self._by_vector(op):
            return op
        output = self.tensors[op.outputs[0]]
        return replace(op, inputs=tuple(self._repeated(self.tensors[tensor], output) for tensor in op.inputs))

    def _by_vector(self, op: Operator) -> bool:
        first, second = (self.tensors[tensor] for tensor in op.inputs)
        return (
            isinstance(op, Multiply)
            and bool(self.parameters.vectors or not self.parameters.products)
            and 1 in (first.pixels, second.pixels)
            and first.channels == second.channels
        )

    def _repeated(self, tensor: Tensor, output: Tensor) -> int:
        """The tensor in the output's shape."""
        if len(tensor.shape) != 4 or len(output.shape) != 4:
            return tensor.index
        if tensor.channels != output.channels:
            made = self.tensor(tensor, "repeated", (*tensor.shape[:3], output.channels))
            weights = np.ones((output.channels, 1, 1, 1), tensor.element.dtype)
            one, none = np.ones(1, np.float32), np.zeros(output.channels, np.int32)
            numbers = {"weight_element": tensor.element, "weight_zero_point": 0, "weight_scales": one, "bias": none}
            self.operators.append(Convolution(self.next_index(), (tensor.index,), (made.index,), weights, **numbers))
            tensor = made
        if tensor.shape != output.shape:
            made = self.tensor(tensor, "repeated", output.shape)
            self.operators.append(ResizeNearest(self.next_index(), (tensor.index,), (made.index,)))
            tensor = made
        return tensor.index
