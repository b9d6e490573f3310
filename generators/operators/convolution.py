"""CONV_2D."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from ..graph.graph import NO_PADDING, NO_WINDOW, Graph, Padding, Tensor, Window
from ..graph.lowering import Circuit
from ..graph.mac_operator import MacOperator, dilated, mac_problems
from ..graph.window_checks import begins_in_padding, check_circuit_window, window_problems
from ..readers.tflite_reader import Reader, TfliteForm
from ..readers.tflite_weights import read_mac
from .depthwise_convolution import DepthwiseConvolution


@dataclass(frozen=True, eq=False)
class Convolution(MacOperator):
    """CONV_2D; weights ``[Co][kh][kw][Ci]``; of a dilated kernel zeros between them are multiplied, too."""

    KIND: ClassVar[str] = "CONV_2D"
    BECOMES: ClassVar[str] = "`pointwise` (1×1, stride 1), else `convolution`"
    REDUCED: ClassVar[tuple[int, ...]] = (1, 2, 3)
    KERNEL_AXES: ClassVar[tuple[int, ...]] = (1, 2)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING

    @property
    def kernel(self) -> tuple[int, int]:
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def pointwise(self) -> bool:
        return self.kernel == (1, 1) and self.strides == (1, 1) and self.padding == NO_PADDING

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.strides, self.padding)

    def closes_block(self, graph: Graph) -> bool:
        return not self.pointwise or isinstance(graph.producer(self.inputs[0]), DepthwiseConvolution)

    def takes_padding(self, padding: Padding) -> bool:
        return not begins_in_padding(Window(self.kernel, self.strides, self.padding + padding))

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        window = check_circuit_window(Window(self.kernel, self.strides, self.padding + padding))
        pointwise = window == NO_WINDOW
        return Circuit("pointwise" if pointwise else "convolution", window, prod(self.weights.shape[1:]))

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        if self.weights.ndim != 4:
            return [f"has weights of shape {list(self.weights.shape)}, not [Co][kh][kw][Ci]"]
        channels, depth = self.weights.shape[0], self.weights.shape[3]
        if depth != input_tensor.channels:
            if depth and input_tensor.channels % depth == 0 and channels % (input_tensor.channels // depth) == 0:
                return [
                    f"is a grouped convolution ({input_tensor.channels // depth} groups); only depthwise is supported"
                ]
            return [f"has weights for {depth} input channels, but reads {input_tensor.channels}"]
        return window_problems(self.window, input_tensor, output) + mac_problems(self, input_tensor, output, channels)


def _read(reader: Reader) -> Convolution:
    common = read_mac(reader, axis=0, rank=4)
    strides, dilation = reader.strides(), reader.dilation(common["weights"].shape[1:3])
    weights = dilated(common.pop("weights"), (1, 2), dilation, common["weight_zero_point"])
    padding = reader.padding(weights.shape[1:3], strides)
    return Convolution(**common, weights=weights, strides=strides, padding=padding, dilation=dilation)


TFLITE = (TfliteForm("CONV_2D", "Conv2DOptions", _read),)
