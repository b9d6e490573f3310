"""What the two resizing operators share: places along both axes, the circuit that has them, and their options."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from .graph import Activation, Graph, GraphError, Operator, Padding, Tensor, Window
from .kept import Kept
from .lowering import Circuit
from .resized_axis import ResizedAxis, repeated_axis

if TYPE_CHECKING:
    from ..readers.tflite_reader import Reader


@dataclass(frozen=True, eq=False)
class ResizeOperator(Operator):
    """A map resized to its output's height and width.

    Enlarged it is the circuit ``resize``; made smaller it keeps some rows and columns, or means of two neighbours.
    """

    BECOMES: ClassVar[str] = "`resize` where every pixel is used; by whole factors smaller `slice` or `window_average`"
    activation: ClassVar[Activation] = Activation.NONE
    align_corners: bool = False
    half_pixel_centers: bool = False

    @abstractmethod
    def axis(self, size: int, output_size: int, signed: bool) -> ResizedAxis:
        """The places of an axis."""

    def axes(self, graph: Graph) -> tuple[ResizedAxis, ResizedAxis]:
        """Those of rows and of columns."""
        input_tensor, output = graph.tensors[self.inputs[0]], graph.tensors[self.outputs[0]]
        if input_tensor.pixels == 1:  # whatever the weights, they are of one element
            return repeated_axis(output.height), repeated_axis(output.width)
        signed = input_tensor.element.signed
        return self.axis(input_tensor.height, output.height, signed), self.axis(
            input_tensor.width, output.width, signed
        )

    def kept(self, graph: Graph, output: int) -> tuple[Kept, Kept, Kept]:
        """Rows, columns and channels that a smaller map keeps."""
        rows, columns = (axis.kept for axis in self.axes(graph))
        assert rows and columns, "asked of what is lowered to a slice"
        return rows, columns, (0, 1, graph.tensors[output].channels)

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        rows, columns = axes = self.axes(graph)
        if all(axis.enlarged for axis in axes):
            return Circuit("resize")
        if all(axis.kept for axis in axes):
            return Circuit("slice")
        if all(axis.kept or axis.halved for axis in axes):
            return Circuit("window_average", _window(rows, columns))
        input_tensor, output = graph.tensors[self.inputs[0]], graph.tensors[self.outputs[0]]
        what = f"makes {output.height}×{output.width} of {input_tensor.height}×{input_tensor.width}"
        if any(axis.bits is None for axis in axes):
            raise GraphError(
                f"{what} with weights that are exact in no circuit: {input_tensor.element} by powers of two only"
            )
        raise GraphError(f"{what}; enlarging, and making smaller by whole factors in both directions, have a circuit")

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        if self.align_corners and self.half_pixel_centers:
            return ["has both align_corners and half_pixel_centers, which exclude each other"]
        if len(input_tensor.shape) != 4 or len(output.shape) != 4 or input_tensor.channels != output.channels:
            return [f"turns shape {list(input_tensor.shape)} into {list(output.shape)}; a map has 4 dimensions (NHWC)"]
        return []


def _window(rows: ResizedAxis, columns: ResizedAxis) -> Window:
    """The window whose mean each place is: one element or two of each axis, those before the first left out."""
    kernel, strides, sides = [], [], []
    for axis in (rows, columns):
        first, step = axis.halved or axis.kept[:2]
        taps = 2 if axis.halved else 1
        last = first + (len(axis.newest) - 1) * step + taps
        kernel.append(taps)
        strides.append(step)
        sides += [-first, last - axis.size]
    return Window((kernel[0], kernel[1]), (strides[0], strides[1]), Padding(*sides))


Resize = TypeVar("Resize", bound=ResizeOperator)


def read_resize(reader: Reader, kind: type[Resize]) -> Resize:
    """A resizing operator of a TFLite file."""
    from ..readers.tflite_reader import Unsupported

    reader.check_inputs(2, 2)
    input_tensor, output = reader.computed(), reader.output()
    size = reader.constant(1, "size", ("INT32",)).reshape(-1).tolist()
    if size != [output.height, output.width]:
        raise Unsupported(f"asks for {size[:8]} and writes shape {list(output.shape)}")
    return kind(
        **reader.common(input_tensor),
        align_corners=bool(reader.option("AlignCorners")),
        half_pixel_centers=bool(reader.option("HalfPixelCenters")),
    )
