"""MAX_POOL_2D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Padding
from ..graph.lowering import Circuit
from ..graph.pool_operator import PoolOperator, read_pool
from ..graph.window_checks import check_circuit_window
from ..readers.tflite_reader import TfliteForm


@dataclass(frozen=True, eq=False)
class MaxPool(PoolOperator):
    """MAX_POOL_2D: the greatest of a window's valid elements; padding counts for nothing."""

    KIND: ClassVar[str] = "MAX_POOL_2D"
    BECOMES: ClassVar[str] = "`max_pool`"

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return Circuit("max_pool", check_circuit_window(self.window))


TFLITE = (TfliteForm("MAX_POOL_2D", "Pool2DOptions", lambda reader: read_pool(reader, MaxPool)),)
