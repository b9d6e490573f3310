"""Results on their way into the map memory: words, and where they belong."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .instruction import Operation, instruction_layout
from .parameters import EngineParameters
from .words import ELEMENT


class WriteBack(Component):
    """Makes words of results and writes them: the pixels of a block, block by block, then the next group of channels.

    A word is written 1 cycle after its last elements came; those of pixels beyond the last are dropped.
    ``finished`` rises for the cycle of the instruction's last word, written or dropped.

    Cost: a word, an address, counters.

    Members:
        instruction: ``In``; start: ``In(1)``.
        valid, elements: ``In``, ``requantizers`` elements.
        write: ``Out(1)``; address, word: ``Out``; finished: ``Out(1)``.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        p = parameters
        super().__init__(
            {
                "instruction": In(instruction_layout(p)),
                "start": In(1),
                "valid": In(1),
                "elements": In(ArrayLayout(ELEMENT, p.requantizers)),
                "write": Out(1),
                "address": Out(address_width(p.map_words)),
                "word": Out(ArrayLayout(ELEMENT, p.channels)),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p, instruction = self.parameters, self.instruction
        beat = Signal(address_width(p.beats))
        lane = Signal(address_width(p.pixels))
        remaining = Signal(len(instruction.pixels) + 1)  # pixels of the group beside this one; the sign: none
        group = Signal(p.group_bits)
        first, address = Signal(len(self.address)), Signal(len(self.address))
        complete, last_lane = Signal(), Signal()
        dense = instruction.operation == Operation.DENSE
        m.d.comb += [
            complete.eq(self.valid & (beat == p.beats - 1)),
            last_lane.eq(~dense | (lane == p.pixels - 1)),
        ]
        with m.If(self.valid):
            m.d.sync += beat.eq(Mux(complete, 0, beat + 1))
            whole = Cat(self.word.as_value(), self.elements.as_value())
            m.d.sync += self.word.as_value().eq(whole[8 * p.requantizers :])
        m.d.sync += [self.write.eq(0), self.finished.eq(0)]
        with m.If(complete):
            m.d.sync += [
                self.write.eq(~remaining[-1]),
                self.address.eq(address),
                remaining.eq(remaining - ~remaining[-1]),
                address.eq(address + instruction.destination_step),
                lane.eq(Mux(last_lane, 0, lane + 1)),
            ]
            with m.If(last_lane & (remaining[-1] | (remaining == 0))):
                m.d.sync += [
                    remaining.eq(instruction.pixels),
                    first.eq(first + 1),
                    address.eq(first + 1),
                    group.eq(group - 1),
                    self.finished.eq(group == 0),
                ]
        with m.If(self.start):
            m.d.sync += [
                beat.eq(0),
                lane.eq(0),
                remaining.eq(instruction.pixels),
                group.eq(instruction.groups),
                first.eq(instruction.destination),
                address.eq(instruction.destination),
            ]
        return m
