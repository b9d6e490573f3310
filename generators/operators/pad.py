"""PAD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import NO_PADDING, Graph, Operator, Padding, Tensor, Window
from ..graph.lowering import Circuit, Padded
from ..graph.number_checks import shape_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Pad(Operator):
    """PAD of height and width, and of channels behind the last or before the first, with the zero point; before a
    TRANSPOSE_CONV between rows and columns, too."""

    KIND: ClassVar[str] = "PAD"
    BECOMES: ClassVar[str] = "wiring: the padding of the convolutions that read it; else `pad`"
    FIXED_POINT: ClassVar[bool] = True
    padding: Padding = NO_PADDING
    channels: tuple[int, int] = (0, 0)  # before and behind the input's
    between: tuple[int, int] = (0, 0)  # rows and columns between two of the input's

    def takes_padding(self, padding: Padding) -> bool:
        return not any(self.between)

    def lower(self, graph: Graph, padding: Padding) -> Padded | Circuit:
        readers = graph.consumers(self.outputs[0])
        whole = self.padding + padding
        windows = self.outputs[0] not in graph.outputs and all(reader.takes_padding(whole) for reader in readers)
        if windows and not any(self.channels + self.between):
            return Padded(whole)
        window = Window((1, 1), (1, 1), whole)
        first, channels = self.channels[0], graph.tensors[self.inputs[0]].channels
        divided = tuple(count for count in (first, channels) if count) if any(self.channels) else ()
        return Circuit("pad", window, lanes_divide=divided)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        p = self.padding
        if len(input_tensor.shape) != 4:
            return [f"reads shape {list(input_tensor.shape)}; padding of height and width needs 4 dimensions (NHWC)"]
        if min(p.top, p.bottom, p.left, p.right, *self.channels, *self.between) < 0:
            return [f"pads by {p}, channels by {self.channels} and between by {self.between}; padding is 0 or more"]
        rows, columns = self.between
        height = input_tensor.height + (input_tensor.height - 1) * rows + p.top + p.bottom
        width = input_tensor.width + (input_tensor.width - 1) * columns + p.left + p.right
        expected = (1, height, width, input_tensor.channels + sum(self.channels))
        problems = shape_problems(output, expected, f"padding {p}")
        if input_tensor.quantization != output.quantization:
            problems.append("writes another scale or zero point than it reads; padding does not rescale")
        return problems


def _read(reader: Reader) -> Pad:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed()
    amounts = reader.constant(1, "paddings", ("INT32", "INT64"))
    if amounts.shape != (4, 2) or len(input_tensor.shape) != 4:
        raise Unsupported(
            f"has paddings of shape {list(amounts.shape)} for shape {list(input_tensor.shape)}; padding of "
            "4-dimensional tensors is supported"
        )
    batch, (top, bottom), (left, right), channels = amounts.tolist()
    if any(batch):
        raise Unsupported(f"pads by {amounts.tolist()}; padding of the batch is not supported")
    return Pad(**reader.common(input_tensor), padding=Padding(top, bottom, left, right), channels=tuple(channels))


TFLITE = (TfliteForm("PAD", "PadOptions", _read),)
