"""The map memory: where words come from and go to, through one port or two."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..family import GENERIC, Family
from ..primitives import Ram, SinglePortRam, address_width
from .parameters import EngineParameters
from .words import ELEMENT


def written_layout(parameters: EngineParameters) -> StructLayout:
    """A word on its way into the map memory."""
    word = ArrayLayout(ELEMENT, parameters.channels)
    return StructLayout({"word": word, "address": unsigned((parameters.map_words - 1).bit_length())})


class MapMemory(Component):
    """The memory, and a word on its way into it: a whole one of results, or one that INPUT puts together.

    The word is written in the cycle after it is complete; with one port in the first cycle after that in which none is
    read (``reads``). Whoever completes words leaves time: :class:`~mbconv.hdl.engine.sequence.Sequence` has a slot
    without a reading for each word that is written.

    Cost: ``map_words`` words, a register and a selection for each bit of a word.

    Members:
        reads: ``In(1)``; read_address: ``In``; word: ``Out``, M cycles later.
        whole: ``In(1)``; result: ``In``, a word; result_address: ``In``.
        put: ``In(1)``; element: ``In(signed(8))``; position, element_address: ``In``; complete: ``In(1)``, with the
            word's last element.
        written: ``Out``, a stream for those who watch, always ready: words as they enter the memory.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters = p = parameters
        word = ArrayLayout(ELEMENT, p.channels)
        self.memory = (SinglePortRam if p.map_ports == 1 else Ram)(word, p.map_words, family=family)
        address = address_width(p.map_words)
        super().__init__(
            {
                "reads": In(1),
                "read_address": In(address),
                "word": Out(word),
                "whole": In(1),
                "result": In(word),
                "result_address": In(address),
                "put": In(1),
                "element": In(ELEMENT),
                "position": In(address_width(p.channels)),
                "complete": In(1),
                "element_address": In(address),
                "written": Out(Signature(written_layout(p))),
            }
        )

    @property
    def memory_bits(self) -> int:
        return self.memory.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory
        word = Signal(self.result.shape(), reset_less=True)
        address = Signal(len(self.read_address), reset_less=True)
        waits, writes = Signal(), Signal()
        for g in range(self.parameters.channels):
            with m.If(self.whole | (self.put & (self.position == g))):
                m.d.sync += word[g].eq(Mux(self.whole, self.result[g], self.element))
        with m.If(writes):
            m.d.sync += waits.eq(0)
        with m.If(self.whole | (self.put & self.complete)):
            m.d.sync += [waits.eq(1), address.eq(Mux(self.whole, self.result_address, self.element_address))]
        m.d.comb += [
            memory.w_en.eq(writes),
            Value.cast(memory.w_data).eq(Value.cast(word)),
            Value.cast(self.word).eq(Value.cast(memory.r_data)),
            self.written.valid.eq(writes),
            self.written.payload.address.eq(address),
            Value.cast(self.written.payload.word).eq(Value.cast(word)),
        ]
        if self.parameters.map_ports == 1:
            m.d.comb += [writes.eq(waits & ~self.reads), memory.addr.eq(Mux(self.reads, self.read_address, address))]
        else:
            m.d.comb += [writes.eq(waits), memory.w_addr.eq(address), memory.r_addr.eq(self.read_address)]
        return m
