"""Results on their way into the map memory: words, and where they belong."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .destination import destination
from .instruction import instruction_layout, ringed
from .parameters import EngineParameters
from .words import ELEMENT


class WriteBack(Component):
    """Makes words of results and writes them where :mod:`.destination` says.

    A word is written 1 cycle after its last elements came; those of pixels beyond the last are dropped.
    ``finished`` rises for the cycle of the instruction's last word, written or dropped.

    Cost: a word, an address; the destination's.

    Members:
        instruction: ``In``; start: ``In(1)``.
        valid, elements: ``In``, ``requantizers`` elements.
        write: ``Out(1)``; address, word: ``Out``; finished: ``Out(1)``.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.destination = destination(p)
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
        m.submodules.destination = place = self.destination
        beat = Signal(address_width(p.beats))
        complete = Signal()
        m.d.comb += [
            complete.eq(self.valid & (beat == p.beats - 1)),
            place.instruction.eq(instruction),
            place.start.eq(self.start),
            place.step.eq(complete),
        ]
        with m.If(self.valid):
            m.d.sync += beat.eq(Mux(complete, 0, beat + 1))
            whole = Cat(self.word.as_value(), self.elements.as_value())
            m.d.sync += self.word.as_value().eq(whole[8 * p.requantizers :])
        m.d.sync += [self.write.eq(complete & place.keep), self.finished.eq(complete & place.last)]
        address: Value = place.address
        if p.ranges:
            address = ringed(address, instruction.destination, instruction.destination_ring)
        with m.If(complete):
            m.d.sync += self.address.eq(address)
        with m.If(self.start):
            m.d.sync += beat.eq(0)
        return m
