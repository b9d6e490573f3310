"""FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, GraphError, Padding, Tensor
from ..graph.lowering import Circuit
from ..graph.mac_operator import MacOperator, mac_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported
from ..readers.tflite_weights import read_mac


@dataclass(frozen=True, eq=False)
class FullyConnected(MacOperator):
    """FULLY_CONNECTED; weights ``[Co][Ci]``: every Ci elements of the input, in its own order, are one vector.

    A map is read as one vector in NHWC order where it has Ci elements, pixel by pixel where it has Ci channels.
    """

    KIND: ClassVar[str] = "FULLY_CONNECTED"
    BECOMES: ClassVar[str] = "`pointwise`: of each pixel, or of the whole map as one vector"
    REDUCED: ClassVar[tuple[int, ...]] = (1,)

    def reads_whole_map(self, input_tensor: Tensor) -> bool:
        return self.weights.shape[1] == input_tensor.size

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        input_tensor, depth = graph.tensors[self.inputs[0]], self.weights.shape[1]
        if depth not in (input_tensor.size, input_tensor.channels):
            raise GraphError(
                f"reads vectors of {depth} elements, which are neither the pixels of shape "
                f"{list(input_tensor.shape)} nor the whole of it"
            )
        return Circuit("pointwise", reduction=depth, whole_vector=depth == input_tensor.size)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        if self.weights.ndim != 2:
            return [f"has weights of shape {list(self.weights.shape)}, not [Co][Ci]"]
        channels, depth = self.weights.shape
        problems = []
        if not depth or input_tensor.size % depth:
            problems.append(
                f"has weights for {depth} inputs, but reads {input_tensor.size} elements {list(input_tensor.shape)}"
            )
        elif output.size != input_tensor.size // depth * channels:
            vectors = input_tensor.size // depth
            problems.append(f"writes shape {list(output.shape)} where {vectors} vectors of {channels} are made")
        return problems + mac_problems(self, input_tensor, output, channels)


def _read(reader: Reader) -> FullyConnected:
    common = read_mac(reader, axis=0, rank=2)
    if reader.option("WeightsFormat"):
        raise Unsupported("has shuffled weights (WeightsFormat); the default format is supported")
    return FullyConnected(**common)


TFLITE = (TfliteForm("FULLY_CONNECTED", "FullyConnectedOptions", _read),)
