"""CONCATENATION."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..graph.graph import UINT8, Graph, Operator, Padding, Placement, Tensor
from ..graph.lowering import Circuit
from ..graph.number_checks import equal_quantization_problems, shape_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Concatenation(Operator):
    """CONCATENATION along ``axis`` (0 or more) of any number of tensors.

    All have the output's scale and zero point, but where they are uint8, which is rescaled.
    """

    KIND: ClassVar[str] = "CONCATENATION"
    BECOMES: ClassVar[str] = "`concatenate`; at the end the host"
    INPUTS: ClassVar[int | None] = None
    FIXED_POINT: ClassVar[bool] = True
    axis: int = 0

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST if graph.at_end(self) else Placement.CIRCUIT

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        tensors = [graph.tensors[tensor] for tensor in (*self.inputs, *self.outputs)]
        by_channels = self.axis == len(tensors[0].shape) - 1
        return Circuit(
            "concatenate", lanes_divide=tuple(tensor.channels for tensor in tensors[:-1]) if by_channels else ()
        )

    def tables(self, graph: Graph) -> np.ndarray | None:
        """What becomes of every element of each input, int64 ``[inputs][2^bits]`` in ascending order of its values;
        None where no input is rescaled.

        As ``ConcatenationWithScaling`` computes it, in float32: the nearest integer, halves away from zero.
        """
        input_tensors, output = [graph.tensors[index] for index in self.inputs], graph.tensors[self.outputs[0]]
        if all(input_tensor.quantization == output.quantization for input_tensor in input_tensors):
            return None
        low, high = output.element.minimum, output.element.maximum
        values = np.arange(low, high + 1, dtype=np.int64)
        tables = []
        for input_tensor in input_tensors:
            entries = values
            if input_tensor.quantization != output.quantization:
                scale = np.float32(input_tensor.scale) * (np.float32(1) / np.float32(output.scale))
                exact = values.astype(np.float32) * scale + np.float32(-input_tensor.zero_point) * scale
                entries = (np.sign(exact) * np.floor(np.abs(exact) + np.float32(0.5))).astype(np.int64)
                entries = np.clip(entries + output.zero_point, low, high)
            tables.append(entries)
        return np.stack(tables)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        rank = len(input_tensors[0].shape)
        if not 0 <= self.axis < rank:
            return [f"joins along axis {self.axis} of shape {list(input_tensors[0].shape)}"]
        rests = {
            (*s.shape[: self.axis], 0, *s.shape[self.axis + 1 :]) if len(s.shape) == rank else () for s in input_tensors
        }
        if len(rests) > 1:
            shapes = ", ".join(str(list(input_tensor.shape)) for input_tensor in input_tensors)
            return [f"joins shapes {shapes} along axis {self.axis}, which do not fit"]
        shape = list(input_tensors[0].shape)
        shape[self.axis] = sum(input_tensor.shape[self.axis] for input_tensor in input_tensors)
        problems = shape_problems(output, tuple(shape), "joining its inputs")
        if output.element == UINT8 and self.numbers == "affine":
            return problems  # whose kernel rescales
        return problems + equal_quantization_problems(input_tensors, output)


def _read(reader: Reader) -> Concatenation:
    count = len(reader.operator.inputs)
    reader.check_inputs(1, max(count, 1))
    if reader.activation().value != "none":
        raise Unsupported("has a fused activation, which its kernel does not compute")
    input_tensors = [reader.computed(position) for position in range(count)]
    axis = reader.option("Axis")
    return Concatenation(**reader.common(*input_tensors), axis=axis + len(input_tensors[0].shape) if axis < 0 else axis)


TFLITE = (TfliteForm("CONCATENATION", "ConcatenationOptions", _read),)
