"""Where results belong: the pixels of a destination in the order in which they come."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .instruction import Operation, instruction_layout
from .parameters import EngineParameters


def _members(parameters: EngineParameters) -> dict:
    return {
        "instruction": In(instruction_layout(parameters)),
        "start": In(1),
        "step": In(1),
        "keep": Out(1),
        "address": Out(address_width(parameters.map_words)),
        "last": Out(1),
    }


class LineDestination(Component):
    """Pixels one after another, block by block, then the next group of channels; those of a block beyond the last are
    dropped.

    Cost: an address, counters.

    Members:
        instruction: ``In``; start: ``In(1)``; step: ``In(1)``, on to the next lane's pixel.
        keep: ``Out(1)``, there is such a pixel; address: ``Out``; last: ``Out(1)``, the instruction's last lane.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        super().__init__(_members(parameters))

    def elaborate(self, platform) -> Module:
        m = Module()
        p, instruction = self.parameters, self.instruction
        lane = Signal(address_width(p.pixels))
        remaining = Signal(len(instruction.pixels) + 1)  # pixels of the group beside this one; the sign: none
        group = Signal(p.group_bits)
        address = Signal(len(self.address))
        dense = instruction.operation == Operation.DENSE
        last_lane, group_ends = Signal(), Signal()
        m.d.comb += [
            last_lane.eq(~dense | (lane == p.pixels - 1)),
            group_ends.eq(last_lane & (remaining[-1] | (remaining == 0))),
            self.keep.eq(~remaining[-1]),
            self.address.eq(address),
            self.last.eq(group_ends & (group == 0)),
        ]
        with m.If(self.step):
            m.d.sync += [
                remaining.eq(remaining - self.keep),
                address.eq(address + Mux(group_ends, instruction.second, instruction.destination_step)),
                lane.eq(Mux(last_lane, 0, lane + 1)),
            ]
            with m.If(group_ends):
                m.d.sync += [remaining.eq(instruction.pixels), group.eq(group - 1)]
        with m.If(self.start):
            m.d.sync += [
                lane.eq(0),
                remaining.eq(instruction.pixels),
                group.eq(instruction.groups),
                address.eq(instruction.destination),
            ]
        return m


class RowDestination(Component):
    """The same where DEPTHWISE computes several pixels at once, and rows of a map may lie further apart than their
    pixels take. DEPTHWISE gives blocks of rows and columns; lanes that are no pixel, and those beyond the right and the
    lower edge, are dropped.

    Cost: five addresses, counters.

    Members: as of :class:`LineDestination`.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        super().__init__(_members(parameters))

    def elaborate(self, platform) -> Module:
        m = Module()
        p, instruction = self.parameters, self.instruction
        bits = len(self.address)
        lane = Signal(address_width(p.pixels))
        lane_row, lane_column = Signal(address_width(p.depthwise_rows)), Signal(address_width(p.depthwise_lanes))
        group = Signal(p.group_bits)
        first, block_row, block, row, address = (
            Signal(bits, name=name) for name in ("first", "block_row", "block", "row", "pixel")
        )
        # What is left of a row beside the present pixel, and of rows beside the present one; the sign: they are beyond.
        block_left, left = (Signal(len(instruction.destination_width) + 1, name=n) for n in ("block_left", "left"))
        block_below, below = (Signal(len(instruction.destination_height) + 2, name=n) for n in ("block_below", "below"))
        dense, depthwise = Signal(), Signal()
        one_row: Value = instruction.one_row if p.depthwise_rows > 1 else Const(0)
        group_ends, chosen = Signal(), Signal()
        m.d.comb += [
            dense.eq(instruction.operation == Operation.DENSE),
            depthwise.eq(instruction.operation == Operation.DEPTHWISE),
            chosen.eq(
                instruction.lane_columns.bit_select(lane_column, 1) & instruction.lane_rows.bit_select(lane_row, 1)
            ),
            self.keep.eq(~left[-1] & ~below[-1] & (chosen | ~depthwise)),
            self.address.eq(address),
            self.last.eq(group_ends & (group == 0)),
        ]

        def begin(first: Signal) -> list:
            """The first pixel of a group."""
            return [
                *(one.eq(first) for one in (block_row, block, row, address)),
                *(one.eq(instruction.destination_width) for one in (block_left, left)),
                *(one.eq(instruction.destination_height) for one in (block_below, below)),
            ]

        next_row = Signal(bits)
        m.d.comb += next_row.eq(row + instruction.destination_row_step)
        with m.If(self.step & depthwise):
            last_column = lane_column == Mux(one_row, p.depthwise_lanes - 1, p.depthwise_columns - 1)
            last_row = one_row | (lane_row == p.depthwise_rows - 1)
            m.d.sync += lane_column.eq(lane_column + 1)
            with m.If(instruction.lane_columns.bit_select(lane_column, 1) & ~left[-1]):
                m.d.sync += [address.eq(address + instruction.destination_step), left.eq(left - 1)]
            with m.If(last_column):
                m.d.sync += [
                    lane_column.eq(0),
                    lane_row.eq(lane_row + 1),
                    row.eq(next_row),
                    address.eq(next_row),
                    left.eq(block_left),
                    below.eq(Mux(below[-1], below, below - 1)),
                ]
                with m.If(last_row):
                    m.d.sync += lane_row.eq(0)
                    with m.If(block_left >= instruction.block_pixels):  # another block of the row
                        following, rest = block + instruction.block_step, block_left - instruction.block_pixels
                        m.d.sync += [
                            *(one.eq(following) for one in (block, row, address)),
                            *(one.eq(rest) for one in (block_left, left)),
                            below.eq(block_below),
                        ]
                    with m.Else():
                        following, rest = block_row + instruction.block_row_step, block_below - instruction.block_rows
                        m.d.sync += [
                            *(one.eq(following) for one in (block_row, block, row, address)),
                            *(one.eq(instruction.destination_width) for one in (block_left, left)),
                            *(one.eq(rest) for one in (block_below, below)),
                        ]
                        m.d.comb += group_ends.eq(block_below < instruction.block_rows)
        with m.Elif(self.step):
            last_lane = ~dense | (lane == p.pixels - 1)
            m.d.sync += lane.eq(Mux(last_lane, 0, lane + 1))
            m.d.comb += group_ends.eq(last_lane & (below[-1] | ((below == 0) & (left == 0))))
            with m.If(left == 0):
                m.d.sync += [
                    row.eq(next_row),
                    address.eq(next_row),
                    left.eq(instruction.destination_width),
                    below.eq(Mux(below[-1], below, below - 1)),
                ]
            with m.Else():
                m.d.sync += [address.eq(address + instruction.destination_step), left.eq(left - 1)]
        with m.If(group_ends):
            m.d.sync += [group.eq(group - 1), first.eq(first + 1), *begin(first + 1)]
        with m.If(self.start):
            m.d.sync += [lane.eq(0), lane_row.eq(0), lane_column.eq(0)]
            m.d.sync += [group.eq(instruction.groups), first.eq(instruction.destination)]
            m.d.sync += begin(instruction.destination)
        return m


def destination(parameters: EngineParameters) -> Component:
    """What an engine of these parameters needs."""
    return RowDestination(parameters) if parameters.depthwise_lanes > 1 else LineDestination(parameters)
