"""FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Tensor
from ..graph.mac_operator import MacOperator, mac_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported
from ..readers.tflite_weights import read_mac


@dataclass(frozen=True, eq=False)
class FullyConnected(MacOperator):
    """FULLY_CONNECTED; weights ``[Co][Ci]``; a 4-D input is read as one vector in NHWC order."""

    KIND: ClassVar[str] = "FULLY_CONNECTED"
    REDUCED: ClassVar[tuple[int, ...]] = (1,)

    def reads_whole_map(self, source: Tensor) -> bool:
        return True

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        if self.weights.ndim != 2:
            return [f"has weights of shape {list(self.weights.shape)}, not [Co][Ci]"]
        channels, depth = self.weights.shape
        problems = []
        if depth != source.size:
            problems.append(f"has weights for {depth} inputs, but reads {source.size} elements {list(source.shape)}")
        if output.size != output.channels:
            problems.append(f"writes shape {list(output.shape)}; one vector is supported")
        return problems + mac_problems(self, source, output, channels)


def _read(reader: Reader) -> FullyConnected:
    common = read_mac(reader, axis=0, rank=2)
    if reader.option("WeightsFormat"):
        raise Unsupported("has shuffled weights (WeightsFormat); the default format is supported")
    return FullyConnected(**common)


TFLITE = (TfliteForm("FULLY_CONNECTED", "FullyConnectedOptions", _read),)
