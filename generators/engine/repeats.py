"""Operators of two tensors of which one is repeated over the other: the engine's TABLE takes maps of one shape, so that
the smaller one is repeated before.

Over rows and columns that is RESIZE_NEAREST_NEIGHBOR, over channels a convolution whose weights are 1. What is repeated
lies in the map memory as any other map does. Such an operator's index is beyond the file's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mbconv.hdl.engine.parameters import EngineParameters

from ..graph.extremum_operator import ExtremumOperator
from ..graph.graph import Graph, Operator, Tensor
from ..operators.add import Add
from ..operators.convolution import Convolution
from ..operators.multiply import Multiply
from ..operators.resize_nearest import ResizeNearest
from ..operators.subtract import Subtract

_PAIRS = (Add, Subtract, Multiply, ExtremumOperator)


def with_repeats(graph: Graph, parameters: EngineParameters) -> Graph:
    """The graph with operators of two tensors that read maps of one shape, but for MUL by a vector, which has
    instructions of its own, and tensors that are no maps."""
    return _Repeated(graph, parameters).graph


class _Repeated:
    def __init__(self, graph: Graph, parameters: EngineParameters) -> None:
        self.tensors, self.operators = dict(graph.tensors), list[Operator]()
        self.index = max((op.index for op in graph.operators), default=0)
        host = {op.index for op in graph.host}
        for op in graph.operators:
            if isinstance(op, _PAIRS) and op.index not in host and not self._by_vector(op, parameters):
                output = self.tensors[op.outputs[0]]
                op = replace(op, inputs=tuple(self._repeated(self.tensors[tensor], output) for tensor in op.inputs))
            self.operators.append(op)
        self.graph = replace(graph, tensors=self.tensors, operators=tuple(self.operators))

    def _by_vector(self, op: Operator, parameters: EngineParameters) -> bool:
        first, second = (self.tensors[tensor] for tensor in op.inputs)
        return (
            isinstance(op, Multiply)
            and bool(parameters.vectors or not parameters.products)
            and 1 in (first.pixels, second.pixels)
            and first.channels == second.channels
        )

    def _repeated(self, tensor: Tensor, output: Tensor) -> int:
        """The tensor in the output's shape."""
        if len(tensor.shape) != 4 or len(output.shape) != 4:
            return tensor.index
        if tensor.channels != output.channels:
            made = self._made(tensor, (*tensor.shape[:3], output.channels))
            weights = np.ones((output.channels, 1, 1, 1), tensor.element.dtype)
            one, none = np.ones(1, np.float32), np.zeros(output.channels, np.int32)
            numbers = {"weight_element": tensor.element, "weight_zero_point": 0, "weight_scales": one, "bias": none}
            self.operators.append(Convolution(self._next(), (tensor.index,), (made.index,), weights, **numbers))
            tensor = made
        if tensor.shape != output.shape:
            made = self._made(tensor, output.shape)
            self.operators.append(ResizeNearest(self._next(), (tensor.index,), (made.index,)))
            tensor = made
        return tensor.index

    def _next(self) -> int:
        self.index += 1
        return self.index

    def _made(self, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        index = max(self.tensors) + 1
        name = f"{like.name}/repeated"
        self.tensors[index] = replace(like, index=index, name=name, shape=shape, in_file=False)
        return self.tensors[index]
