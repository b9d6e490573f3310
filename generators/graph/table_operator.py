"""Operators of one element: what a table of all inputs describes completely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .graph import Graph, GraphError, Operator, Padding, Tensor
from .lowering import Circuit
from .number_checks import scaling_problems, shape_problems


@dataclass(frozen=True, eq=False)
class TableOperator(Operator):
    """An operator each of whose output elements is a function of the input element at its place.

    The function is one for all channels, or, where constants belong to channels, one for each. A table is exhaustive:
    nothing about it remains to be proved but that it is the kernel's function, and tests compare all entries with it.
    """

    @property
    def by_channel(self) -> bool:
        """Whether there is a table for all channels or one for each: not where constants differ from pixel to pixel."""
        return True

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        """The results for input elements ``values``, int64 ``[1][n]``: int64 ``[1 or C][n]``, within the output's
        element."""
        raise NotImplementedError(f"{type(self).__name__} has no tables")

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        if not self.by_channel:
            raise GraphError("has a constant that differs from pixel to pixel, which has no circuit yet")
        return Circuit("lookup")

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = shape_problems(output, input_tensors[0].shape, "its input's shape")
        return problems + scaling_problems(255, input_tensors[0].scale / output.scale)
