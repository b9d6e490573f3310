"""AVERAGE_POOL_2D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import NO_PADDING, Activation, Graph, Operator, Padding, Tensor, Window
from ..graph.lowering import Circuit, Summed
from ..graph.window_checks import check_circuit_window, pool_problems, window_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class AveragePool(Operator):
    """AVERAGE_POOL_2D; windows at the border average their valid elements only."""

    KIND: ClassVar[str] = "AVERAGE_POOL_2D"
    BECOMES: ClassVar[str] = "`window_average`; `pool`, of the whole map"
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    activation: Activation = Activation.NONE

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.strides, self.padding)

    def reads_whole_map(self, source: Tensor) -> bool:
        return self.kernel == (source.height, source.width)

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        source = graph.tensors[self.inputs[0]]
        if self.kernel == (source.height, source.width) and self.padding == NO_PADDING:
            return Circuit("pool")
        return Circuit("window_average", check_circuit_window(self.window))

    def summed(self, graph: Graph) -> Summed:
        """What the circuit of the whole map sums."""
        return Summed(1, graph.tensors[self.inputs[0]].pixels)

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        return window_problems(self.window, source, output) + pool_problems(source, output)


def _read(reader: Reader) -> AveragePool:
    reader.check_inputs(1, 1)
    source = reader.computed()
    kernel, strides = reader.pool_kernel(), reader.strides()
    return AveragePool(
        **reader.common(source),
        kernel=kernel,
        strides=strides,
        padding=reader.padding(kernel, strides),
        activation=reader.activation(),
    )


TFLITE = (TfliteForm("AVERAGE_POOL_2D", "Pool2DOptions", _read),)
