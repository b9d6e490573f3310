"""The sequence of a window's output pixels: which taps lie in the map, which pixels each needs and frees."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Module, Shape, Signal
from amaranth.lib.wiring import Component, In, Out

from .cost import NOTHING
from .primitives import address_width
from .window_geometry import WindowGeometry


class PixelSequence(Component):
    """Walks over the output pixels of back-to-back frames and holds what is special about the present one.

    The counters run one pixel ahead and every output is a register, so a pixel may take a single cycle. All tables are
    constants of a row and a column; rows and columns away from the map's edges share one value. Cost: counted with its
    :class:`~mbconv.hdl.window.Window`.

    Members:
        advance: ``In(1)``, go to the next output pixel at the end of this cycle
        rows_inside, columns_inside: ``Out``, a bit for each row and column of the kernel that lies in the map
        last_column, last_row: ``Out(1)``
        need, need_less_one: ``Out``, minus the number of pixels by which the next output pixel needs more than this,
            and that plus one
        free, free_less_one: ``Out``, the number of pixels that this output pixel frees, and that less one
    """

    own_cost = NOTHING

    def __init__(self, geometry: WindowGeometry):
        self.geometry = geometry
        required, released = geometry.required, geometry.released
        need = np.diff(np.append(required, required[0] + geometry.pixels))
        free = np.diff(np.append(0, released))
        shape = geometry.output_height, geometry.output_width
        last_row = np.zeros(shape, int)
        last_row[-1] = 1
        last_column = np.zeros(shape, int)
        last_column[:, -1] = 1
        self.tables = {
            "rows_inside": np.broadcast_to(_bits(geometry.rows_inside)[:, None], shape),
            "columns_inside": np.broadcast_to(_bits(geometry.columns_inside), shape),
            "last_row": last_row,
            "last_column": last_column,
            "need": -need.reshape(shape),
            "need_less_one": 1 - need.reshape(shape),
            "free": free.reshape(shape),
            "free_less_one": free.reshape(shape) - 1,
        }
        kernel_rows, kernel_columns = geometry.kernel
        shapes = {"rows_inside": kernel_rows, "columns_inside": kernel_columns}
        super().__init__(
            {"advance": In(1)}
            | {
                name: Out(shapes.get(name, _shape(table)), init=int(table.flat[0]))
                for name, table in self.tables.items()
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        height, width = self.geometry.output_height, self.geometry.output_width
        # The counters are at the second pixel when the outputs hold the first.
        row = Signal(address_width(height), init=1 % height if width == 1 else 0)
        column = Signal(address_width(width), init=1 % width)
        for name, table in self.tables.items():
            following = Signal.like(getattr(self, name), name=f"{name}_ahead")
            _look_up(m, following, table, row, column)
            with m.If(self.advance):
                m.d.sync += getattr(self, name).eq(following)
        last_column, last_row = column == width - 1, row == height - 1
        with m.If(self.advance):
            m.d.sync += column.eq(column + 1)
            with m.If(last_column):
                m.d.sync += [column.eq(0), row.eq(row + 1)]
                with m.If(last_row):
                    m.d.sync += row.eq(0)
        return m


def _bits(flags: np.ndarray) -> np.ndarray:
    """The last axis of booleans as one integer, first flag lowest."""
    return (flags << np.arange(flags.shape[-1])).sum(-1)


def _shape(table: np.ndarray) -> Shape:
    return Shape.cast(range(min(0, int(table.min())), max(0, int(table.max())) + 1))


def _look_up(m: Module, target: Signal, table: np.ndarray, row: Signal, column: Signal) -> None:
    """Select ``table[row, column]``: equal rows, then equal columns, share a case; the commonest is the default."""
    for rows, line in _cases(m, row, table):
        with rows:
            for columns, value in _cases(m, column, line):
                with columns:
                    m.d.comb += target.eq(int(value))


def _cases(m: Module, selector: Signal, values: np.ndarray):
    """The branches of a switch over the first axis of ``values``, each with its value."""
    distinct, index, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    index = index.reshape(-1)
    common = int(counts.argmax())
    with m.Switch(selector):
        for case, value in enumerate(distinct):
            if case != common:
                yield m.Case(*np.flatnonzero(index == case).tolist()), value
        yield m.Default(), distinct[common]
