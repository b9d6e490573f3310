"""MAX_POOL_2D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import NO_PADDING, Activation, Graph, Operator, Padding, Tensor, Window
from ..graph.lowering import Circuit
from ..graph.window_checks import check_circuit_window, pool_problems, window_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class MaxPool(Operator):
    """MAX_POOL_2D: the greatest of a window's valid elements; padding counts for nothing."""

    KIND: ClassVar[str] = "MAX_POOL_2D"
    BECOMES: ClassVar[str] = "`max_pool`"
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    activation: Activation = Activation.NONE

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.strides, self.padding)

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return Circuit("max_pool", check_circuit_window(self.window))

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        return window_problems(self.window, source, output) + pool_problems(source, output)


def _read(reader: Reader) -> MaxPool:
    reader.check_inputs(1, 1)
    source = reader.computed()
    kernel, strides = reader.pool_kernel(), reader.strides()
    return MaxPool(
        **reader.common(source),
        kernel=kernel,
        strides=strides,
        padding=reader.padding(kernel, strides),
        activation=reader.activation(),
    )


TFLITE = (TfliteForm("MAX_POOL_2D", "Pool2DOptions", _read),)
