"""Operators that look their elements up: TABLE, of one operand or of two that are added, multiplied or compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.engine.instruction import Operation

from ..constants.add_tables import add_solutions
from ..constants.lookup_tables import lookup_tables
from ..graph.graph import GraphError
from ..operators.add import Add
from ..operators.subtract import Subtract
from ..stages.network import Node
from .layer import Layer
from .layout import StoredMap
from .requantize import ChannelConstants
from .stored_maps import StoredMaps


def _folded(constants: AddConstants) -> AddConstants:
    """The same sums with their rounding constant in a table, where it is one for both signs; offsets of the tables that
    cancel each other are taken out."""
    first, second = np.array(constants.first), np.array(constants.second)
    if constants.positive == constants.negative:
        first = first + constants.positive
        constants = replace(constants, positive=0, negative=0)
    moved = (int(second.max() + second.min()) - int(first.max() + first.min())) // 4
    return replace(constants, first=tuple(first + moved), second=tuple(second - moved))


class TableLayers(StoredMaps):
    """Makes their layers."""

    def unscaled(self, shift: int, rounded: int = 0) -> ChannelConstants:
        """Constants of a multiplication by 2^−shift."""
        whole = max(self.parameters.least_shift, shift)
        multiplier = 1 << (whole - shift)
        return ChannelConstants(*(np.array([value], np.int64) for value in (0, multiplier, whole, rounded)))

    def elementwise_fields(self, node: Node) -> tuple[dict[str, int], int]:
        """The fields of a TABLE, and ``rows``."""
        maps = [self.map(tensor) for tensor in (*node.inputs, node.output)]
        source, output = maps[0], maps[-1]
        words = source.row_words * source.tensor.height
        if (
            output.row_words * output.tensor.height != words
            or self._raster(node)[2] != self.graph.tensors[node.output].channels
        ):
            raise GraphError(f"{node.name} writes a map of other words than it reads, which is no instruction")
        shapes = {(found.tensor.height, found.row_words) for found in maps}
        rasters = {(raster.height, raster.width) for raster in node.rasters}
        by_rows = len(shapes) == 1 and rasters == {(source.tensor.height, source.tensor.width)}
        values = {
            "operation": Operation.TABLE,
            "pixel_step": 1,
            "row_step": source.step,
            "destination_step": 1,
            "destination_row_step": output.step,
            "destination_width": source.row_words - 1,
            "destination_height": source.tensor.height - 1,
            "still_constants": 1,
        }
        if not by_rows:
            values |= {"destination_width": words - 1, "destination_height": 0}
        return values, source.tensor.height if by_rows else 0

    def entries(self, table: np.ndarray | tuple[int, ...], source: StoredMap) -> tuple[int, ...]:
        """256 entries by the stored element, the least first; 0 for those that do not occur."""
        entries = [int(entry) for entry in table]
        limit = 1 << (self.parameters.table_bits - 1)
        if min(entries) < -limit or max(entries) >= limit:
            raise GraphError(
                f"a table of tensor {source.tensor.index} has entries of {min(entries)} to {max(entries)}; the engine "
                f"has table_bits = {self.parameters.table_bits}"
            )
        before = source.tensor.element.minimum - source.offset + 128
        return (*[0] * before, *entries, *[0] * (256 - before - len(entries)))

    def _table(self, node: Node) -> Layer:
        source, output = self.map(node.inputs[0]), self.map(node.output)
        tables = lookup_tables(node.operator, self.graph)
        if len(tables) > 1:
            raise GraphError(
                f"{node.name} ({node.operator.kind}) has constants of each channel's own, for which the engine has no "
                "instruction yet"
            )
        entries = self.entries(tables[0] - output.offset, source)
        values, rows = self.elementwise_fields(node)
        return Layer(
            node.name,
            values | {"minimum": -128, "maximum": 127},
            node.inputs,
            node.output,
            constants=self.unscaled(0).packed(self.parameters),
            tables=(entries, (0,) * 256),
            rows=rows,
        )

    def alike(self, node: Node) -> bool:
        """Whether the words of a node's two operands lie in the same order."""
        first, second = (self.map(tensor) for tensor in node.inputs)
        return all(getattr(first, name) == getattr(second, name) for name in ("words_of_pixel", "words", "step"))

    def _add(self, node: Node) -> Layer:
        op = node.operator
        assert isinstance(op, (Add, Subtract))
        maps = [self.map(tensor) for tensor in node.inputs]
        output = self.map(node.output)
        values, rows = self.elementwise_fields(node)
        if not self.alike(node):
            raise GraphError(f"{node.name} adds maps that are stored in different views, which is no instruction")
        solutions = [_folded(found) for found in add_solutions(op, self.graph)]
        constants = min(solutions, key=lambda found: max(map(abs, (*found.first, *found.second))))
        positive, negative = constants.positive, constants.negative
        words = self.unscaled(constants.shift, 1)
        whole = int(words.shift[0])
        scale, half = 1 << (whole - constants.shift), 1 << (whole - 1)
        return Layer(
            node.name,
            values
            | {
                "binary": 1,
                "positive": positive * scale - half,
                "negative": negative * scale - half,
                "zero_point": constants.zero_point - output.offset,
                "minimum": constants.minimum - output.offset,
                "maximum": constants.maximum - output.offset,
            },
            node.inputs,
            node.output,
            constants=words.packed(self.parameters),
            tables=(self.entries(constants.first, maps[0]), self.entries(constants.second, maps[1])),
            rows=rows,
        )
