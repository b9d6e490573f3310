"""MEAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Operator, Tensor
from ..graph.number_checks import scaling_problems, shape_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Mean(Operator):
    """MEAN over height and width."""

    KIND: ClassVar[str] = "MEAN"

    def reads_whole_map(self, source: Tensor) -> bool:
        return True

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        if len(source.shape) != 4:
            return [f"reads shape {list(source.shape)}; a mean over height and width needs 4 dimensions (NHWC)"]
        if output.shape not in ((1, source.channels), (1, 1, 1, source.channels)):
            return shape_problems(output, (1, 1, 1, source.channels), "a mean over height and width")
        pixels = source.height * source.width
        return scaling_problems(255 * pixels, source.scale / (output.scale * pixels))


def _read(reader: Reader) -> Mean:
    reader.check_inputs(2, 2)
    source = reader.computed()
    rank = len(source.shape)
    axes = reader.constant(1, "axes", ("INT32",)).reshape(-1).tolist()
    if {axis + rank if axis < 0 else axis for axis in axes} != {1, 2} or rank != 4:
        raise Unsupported(
            f"takes the mean over axes {axes[:8]} of shape {list(source.shape)}; height and width are supported"
        )
    return Mean(**reader.common(source))


TFLITE = (TfliteForm("MEAN", "ReducerOptions", _read),)
