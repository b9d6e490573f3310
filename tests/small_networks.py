"""Small graphs built operator by operator: structure and shapes as a file has them, all weights zero."""

import numpy as np

from mbconv.generators.graph.graph import INT8, Graph, Operator, Padding, Tensor
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.operators.fully_connected import FullyConnected
from mbconv.generators.operators.mean import Mean
from mbconv.generators.operators.pad import Pad
from mbconv.generators.operators.rectify import Rectify
from mbconv.generators.operators.reshape import Reshape
from mbconv.generators.operators.softmax import Softmax
from mbconv.generators.operators.transpose import Transpose


class GraphBuilder:
    """Methods add an operator and return the index of the tensor that it writes."""

    def __init__(self) -> None:
        self.tensors: dict[int, Tensor] = {}
        self.operators: list[Operator] = []
        self.inputs: list[int] = []

    def tensor(self, *shape: int) -> int:
        index = len(self.tensors)
        self.tensors[index] = Tensor(index, f"tensor{index}", (1, *shape), INT8, 0.5, 0)
        return index

    def input(self, *shape: int) -> int:
        self.inputs.append(self.tensor(*shape))
        return self.inputs[-1]

    def graph(self, *outputs: int) -> Graph:
        return Graph("small", self.tensors, tuple(self.operators), tuple(self.inputs), outputs)

    def operator(self, kind: type, sources: tuple[int, ...], shape: tuple[int, ...], **fields) -> int:
        output = self.tensor(*shape)
        self.operators.append(kind(len(self.operators), sources, (output,), **fields))
        return output

    def _weighted(self, kind: type, x: int, shape: tuple[int, ...], weights: tuple[int, ...], **fields) -> int:
        constants = {
            "weights": np.zeros(weights, np.int8),
            "weight_element": INT8,
            "weight_zero_point": 0,
            "weight_scales": np.ones(1, np.float32),
            "bias": np.zeros(shape[-1], np.int32),
        }
        return self.operator(kind, (x,), shape, **constants, **fields)

    def _map(self, x: int, kernel: tuple[int, int], strides: tuple[int, int], padding: Padding) -> tuple[int, int]:
        _, height, width, _ = self.tensors[x].shape
        return (
            (height + padding.top + padding.bottom - kernel[0]) // strides[0] + 1,
            (width + padding.left + padding.right - kernel[1]) // strides[1] + 1,
        )

    def _same(self, x: int, kernel: tuple[int, int], strides: tuple[int, int]) -> Padding:
        return Padding.same(self.tensors[x].shape[1:3], kernel, strides)

    def convolution(self, x: int, channels: int, kernel=(1, 1), strides=(1, 1), padding: Padding | None = None) -> int:
        padding = self._same(x, kernel, strides) if padding is None else padding
        shape = (*self._map(x, kernel, strides, padding), channels)
        weights = (channels, *kernel, self.tensors[x].channels)
        return self._weighted(Convolution, x, shape, weights, strides=strides, padding=padding)

    def depthwise(self, x: int, kernel=(3, 3), strides=(1, 1), multiplier: int = 1) -> int:
        padding = self._same(x, kernel, strides)
        channels = self.tensors[x].channels * multiplier
        shape = (*self._map(x, kernel, strides, padding), channels)
        fields = {"strides": strides, "padding": padding, "depth_multiplier": multiplier}
        return self._weighted(DepthwiseConvolution, x, shape, (*kernel, channels), **fields)

    def fully_connected(self, x: int, channels: int) -> int:
        return self._weighted(FullyConnected, x, (channels,), (channels, self.tensors[x].size))

    def add(self, a: int, b: int) -> int:
        return self.operator(Add, (a, b), self.tensors[a].shape[1:])

    def rectify(self, x: int) -> int:
        return self.operator(Rectify, (x,), self.tensors[x].shape[1:])

    def mean(self, x: int) -> int:
        return self.operator(Mean, (x,), self.tensors[x].shape[-1:])

    def pool(self, x: int, kernel: tuple[int, int]) -> int:
        shape = (*self._map(x, kernel, kernel, Padding()), self.tensors[x].channels)
        return self.operator(AveragePool, (x,), shape, kernel=kernel, strides=kernel)

    def pad(self, x: int, padding: Padding) -> int:
        _, height, width, channels = self.tensors[x].shape
        shape = (height + padding.top + padding.bottom, width + padding.left + padding.right, channels)
        return self.operator(Pad, (x,), shape, padding=padding)

    def reshape(self, x: int, *shape: int) -> int:
        return self.operator(Reshape, (x,), shape)

    def transpose(self, x: int, permutation: tuple[int, ...]) -> int:
        shape = [self.tensors[x].shape[axis] for axis in permutation]
        return self.operator(Transpose, (x,), tuple(shape[1:]), permutation=permutation)

    def softmax(self, x: int) -> int:
        return self.operator(Softmax, (x,), self.tensors[x].shape[1:])
