"""TRANSPOSE_CONV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from ..graph.graph import Operator, Padding, Tensor
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported
from ..readers.tflite_weights import read_mac
from .convolution import Convolution
from .pad import Pad


@dataclass(frozen=True, eq=False)
class TransposeConvolution(Convolution):
    """TRANSPOSE_CONV: a convolution of the kernel turned by 180°, over a map with zero points put between its elements,
    which a PAD of its own does; every place is a multiplication, though MACs count the map's elements alone.

    ``spread`` is the distance of the map's own elements in what it reads.
    """

    KIND: ClassVar[str] = "TRANSPOSE_CONV"
    BECOMES: ClassVar[str] = "`pad` between the elements, then as CONV_2D"
    spread: tuple[int, int] = (1, 1)

    def macs(self, tensors: Mapping[int, Tensor]) -> int:
        input_tensor = tensors[self.inputs[0]]
        rows, columns = (
            -(-n // step) for n, step in zip((input_tensor.height, input_tensor.width), self.spread, strict=True)
        )
        return rows * columns * prod(self.weights.shape)


def _read(reader: Reader) -> tuple[Operator, ...]:
    common = read_mac(reader, axis=0, rank=4, positions=(2, 1, 3))
    input_tensor, output, strides = reader.computed(2), reader.output(), reader.strides()
    asked = reader.constant(0, "output shape", ("INT32",)).reshape(-1).tolist()
    if tuple(asked) != output.shape or len(output.shape) != 4 or len(input_tensor.shape) != 4:
        raise Unsupported(
            f"turns shape {list(input_tensor.shape)} into {list(output.shape)}, where {asked[:8]} is asked for"
        )
    weights = common["weights"]
    kernel = weights.shape[1:3]
    # The convolution whose gradient it is: its windows over the output are the elements of the input.
    window = reader.padding(kernel, strides, output)
    sizes = zip((output.height, output.width), kernel, strides, strict=True)
    lost = (window.top + window.bottom, window.left + window.right)
    of_input = tuple((size + more - k) // step + 1 for (size, k, step), more in zip(sizes, lost, strict=True))
    if of_input != (input_tensor.height, input_tensor.width):
        raise Unsupported(
            f"makes {output.height}×{output.width} of {input_tensor.height}×{input_tensor.width}, where windows of "
            f"{kernel[0]}×{kernel[1]} that move by {strides[0]}×{strides[1]} over that are {of_input[0]}×{of_input[1]}"
        )
    top, left = kernel[0] - 1 - window.top, kernel[1] - 1 - window.left
    spaced = [
        (size - 1) * step + 1 for size, step in zip((input_tensor.height, input_tensor.width), strides, strict=True)
    ]
    bottom = output.height + kernel[0] - 1 - spaced[0] - top
    right = output.width + kernel[1] - 1 - spaced[1] - left
    # A convolution's own padding is less than its kernel.
    more = Padding(bottom=max(bottom - kernel[0] + 1, 0), right=max(right - kernel[1] + 1, 0))
    common["weights"] = np.ascontiguousarray(weights[:, ::-1, ::-1])
    padding = Padding(top, bottom - more.bottom, left, right - more.right)
    if strides == (1, 1) and more == Padding():
        return (TransposeConvolution(**common, padding=padding),)
    shape = 1, spaced[0] + more.bottom, spaced[1] + more.right, input_tensor.channels
    spread = reader.tensors.add(f"{output.name}/spread", shape, input_tensor)
    pad = Pad(common["index"], (input_tensor.index,), (spread.index,), more, between=(strides[0] - 1, strides[1] - 1))
    common["inputs"] = (spread.index,)
    return pad, TransposeConvolution(**common, padding=padding, spread=strides)


TFLITE = (TfliteForm("TRANSPOSE_CONV", "TransposeConvOptions", _read),)
