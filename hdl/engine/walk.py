"""The windows of a convolution, pixel by pixel: where each begins in the map memory, and in the map."""

from __future__ import annotations

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .instruction import instruction_layout
from .parameters import EngineParameters


def position_bits(parameters: EngineParameters) -> int:
    """Of a window's first row or column, which padding makes negative: signed. What lies
    further on is of no pixel."""
    return max(parameters.side_bits, parameters.kernel_bits) + 2


def window_layout(parameters: EngineParameters) -> StructLayout:
    """A window: the address of its first tap, and its row and column in the source."""
    bits = position_bits(parameters)
    return StructLayout(
        {"address": unsigned(address_width(parameters.map_words)), "row": signed(bits), "column": signed(bits)}
    )


class Walk(Component):
    """Gives the windows of an instruction's output pixels in raster order, one for each ``step``.

    ``restart`` makes ``window`` the first pixel's in the next cycle, ``group`` words further on. Beyond the last pixel
    it goes on to rows that do not exist.

    Cost: an address, a row, a column, a counter of pixels; no multiplier: every distance is an instruction's.

    Members:
        instruction: ``In``, stands while it is executed.
        group: ``In``, words by which the first window lies further on.
        restart, step: ``In(1)``; ``restart`` wins.
        window: ``Out`` of :func:`window_layout`.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        super().__init__(
            {
                "instruction": In(instruction_layout(parameters)),
                "group": In(parameters.group_bits),
                "restart": In(1),
                "step": In(1),
                "window": Out(window_layout(parameters)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        instruction, bits = self.instruction, position_bits(self.parameters)
        left = Signal(len(instruction.output_width))  # pixels of the row after this one
        window = Signal(window_layout(self.parameters))
        m.d.comb += self.window.eq(window)
        first_column = Signal(signed(bits))
        m.d.comb += first_column.eq(-instruction.left)
        with m.If(self.restart):
            m.d.sync += [
                window.address.eq(instruction.source + self.group),
                window.row.eq(-instruction.top),
                window.column.eq(first_column),
                left.eq(instruction.output_width),
            ]
        with m.Elif(self.step):
            step = Mux(left == 0, instruction.row_step, instruction.pixel_step)
            m.d.sync += window.address.eq(window.address + step)
            with m.If(left == 0):
                m.d.sync += [
                    window.row.eq(window.row + instruction.row_stride),
                    window.column.eq(first_column),
                    left.eq(instruction.output_width),
                ]
            with m.Else():
                m.d.sync += [
                    window.column.eq(window.column + instruction.column_stride),
                    left.eq(left - 1),
                ]
        return m


class Recall(Component):
    """The windows of the pixels that are computed together: taken from a :class:`Walk` with a block's first tap, given
    again in the same order with every other.

    Cost: ``pixels`` windows in a ring of registers.

    Members:
        first: ``In(1)``, the block's first tap: ``window`` is ``walked`` and is kept.
        shift: ``In(1)``, the window is used.
        single: ``In(1)``, one pixel is computed at a time.
        walked: ``In``; window: ``Out``, of :func:`window_layout`.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        layout = window_layout(parameters)
        super().__init__({"first": In(1), "shift": In(1), "single": In(1), "walked": In(layout), "window": Out(layout)})

    def elaborate(self, platform) -> Module:
        m = Module()
        layout = window_layout(self.parameters)
        kept = [Signal(layout, name=f"window_{i}", reset_less=True) for i in range(self.parameters.pixels)]
        m.d.comb += self.window.as_value().eq(Mux(self.first, self.walked.as_value(), kept[-1].as_value()))
        with m.If(self.shift):
            m.d.sync += [kept[0].eq(self.window), *(later.eq(sooner) for sooner, later in pairwise(kept))]
            with m.If(self.single):  # one pixel at a time goes round a ring of one
                m.d.sync += kept[-1].eq(self.window)
        return m
