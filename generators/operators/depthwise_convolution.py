"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from ..graph.graph import NO_PADDING, Graph, Padding, Tensor, Window
from ..graph.lowering import Circuit
from ..graph.mac_operator import MacOperator, dilated, mac_problems
from ..graph.window_checks import begins_in_padding, check_circuit_window, window_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported
from ..readers.tflite_weights import read_mac


@dataclass(frozen=True, eq=False)
class DepthwiseConvolution(MacOperator):
    """DEPTHWISE_CONV_2D; weights ``[kh][kw][Co]``; output channel ``c·depth_multiplier + m`` reads input channel c;
    of a dilated kernel zeros between the weights are multiplied, too."""

    KIND: ClassVar[str] = "DEPTHWISE_CONV_2D"
    BECOMES: ClassVar[str] = "`depthwise`, of any depth multiplier; `convolution` over one channel"
    REDUCED: ClassVar[tuple[int, ...]] = (0, 1)
    KERNEL_AXES: ClassVar[tuple[int, ...]] = (0, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    depth_multiplier: int = 1

    @property
    def kernel(self) -> tuple[int, int]:
        return self.weights.shape[0], self.weights.shape[1]

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.strides, self.padding)

    def closes_block(self, graph: Graph) -> bool:
        return self.depth_multiplier > 1  # a first convolution in another guise

    def takes_padding(self, padding: Padding) -> bool:
        return not begins_in_padding(Window(self.kernel, self.strides, self.padding + padding))

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        window = check_circuit_window(Window(self.kernel, self.strides, self.padding + padding))
        channels = graph.tensors[self.inputs[0]].channels
        return Circuit("depthwise" if channels > 1 else "convolution", window, prod(self.kernel))

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        if self.weights.ndim != 3:
            return [f"has weights of shape {list(self.weights.shape)}, not [kh][kw][Co]"]
        channels = self.weights.shape[2]
        if self.depth_multiplier < 1 or channels != input_tensor.channels * self.depth_multiplier:
            return [
                f"has weights for {channels} channels, where {input_tensor.channels} input channels and depth "
                f"multiplier {self.depth_multiplier} make {input_tensor.channels * self.depth_multiplier}"
            ]
        return window_problems(self.window, input_tensor, output) + mac_problems(self, input_tensor, output, channels)


def _read(reader: Reader) -> DepthwiseConvolution:
    common = read_mac(reader, axis=3, rank=4)
    strides, dilation = reader.strides(), reader.dilation(common["weights"].shape[1:3])
    weights = dilated(common.pop("weights"), (1, 2), dilation, common["weight_zero_point"])
    if weights.shape[0] != 1:
        raise Unsupported(f"has weights of shape {list(weights.shape)}; the first dimension is 1")
    channels = reader.computed().channels
    # As the kernels do, from the shapes: the option is redundant and left 0 by some converters.
    multiplier = weights.shape[3] // channels
    padding = reader.padding(weights.shape[1:3], strides)
    return DepthwiseConvolution(
        **common, weights=weights[0], strides=strides, padding=padding, depth_multiplier=multiplier, dilation=dilation
    )


TFLITE = (TfliteForm("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", _read),)
