"""AVERAGE_POOL_2D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import NO_PADDING, Graph, Padding, Tensor
from ..graph.lowering import Circuit, Summed
from ..graph.pool_operator import PoolOperator, read_pool
from ..graph.window_checks import check_circuit_window
from ..readers.tflite_reader import TfliteForm


@dataclass(frozen=True, eq=False)
class AveragePool(PoolOperator):
    """AVERAGE_POOL_2D; windows at the border average their valid elements only."""

    KIND: ClassVar[str] = "AVERAGE_POOL_2D"
    BECOMES: ClassVar[str] = "`window_average`; `pool`, of the whole map"

    def reads_whole_map(self, input_tensor: Tensor) -> bool:
        return self.kernel == (input_tensor.height, input_tensor.width)

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        input_tensor = graph.tensors[self.inputs[0]]
        if self.kernel == (input_tensor.height, input_tensor.width) and self.padding == NO_PADDING:
            return Circuit("pool")
        return Circuit("window_average", check_circuit_window(self.window))

    def summed(self, graph: Graph) -> Summed:
        """What the circuit of the whole map sums."""
        return Summed(1, graph.tensors[self.inputs[0]].pixels)


TFLITE = (TfliteForm("AVERAGE_POOL_2D", "Pool2DOptions", lambda reader: read_pool(reader, AveragePool)),)
