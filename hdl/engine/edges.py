"""Frames between the engine's map memory and AXI4-Stream: the instructions INPUT and OUTPUT."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import address_width
from .instruction import instruction_layout
from .parameters import EngineParameters
from .words import ELEMENT

FRAME_BYTE = StructLayout({"data": unsigned(8), "last": unsigned(1)})
"""A byte of a frame on its way in."""

RESULT_BYTE = StructLayout({"data": unsigned(8), "last": unsigned(1), "user": unsigned(1)})
"""A byte of a frame on its way out; ``user`` with the last says that the frame's packet was too short or too long."""


class _Elements(Component):
    """Counts the elements of a frame: of a word, words of a pixel, pixels."""

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        super().__init__(
            {
                "instruction": In(instruction_layout(parameters)),
                "start": In(1),
                "step": In(1),
                "word_ends": Out(1),
                "ends": Out(1),
                "position": Out(address_width(parameters.channels)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p, instruction = self.parameters, self.instruction
        word, pixel = Signal(p.group_bits), Signal(len(instruction.pixels))
        limit = Mux(word == 0, instruction.tail, p.channels - 1)
        m.d.comb += [
            self.word_ends.eq(self.position == limit),
            self.ends.eq(self.word_ends & (word == 0) & (pixel == 0)),
        ]
        with m.If(self.step):
            m.d.sync += self.position.eq(Mux(self.word_ends, 0, self.position + 1))
            with m.If(self.word_ends):
                m.d.sync += word.eq(Mux(word == 0, instruction.words, word - 1))
                with m.If(word == 0):
                    m.d.sync += pixel.eq(pixel - 1)
        with m.If(self.start):
            m.d.sync += [self.position.eq(0), word.eq(instruction.words), pixel.eq(instruction.pixels)]
        return m


class FrameInput(Component):
    """INPUT: a packet of elements, one byte each, becomes words of the map memory; the channels of a pixel fill
    words of their own.

    A packet that ends early is completed with ``fill``; of one that is too long the rest is dropped. Both set ``bad``,
    which the next start clears where the frame's first INPUT begins (``clear``).

    Cycles: one for each element from the one after ``start``, and one more; a packet that is too long takes as many
    more as it has bytes too many.

    Members:
        instruction: ``In``; start, clear: ``In(1)``.
        i: ``In(stream.Signature(FRAME_BYTE))``
        put: ``Out(1)``; element, position: ``Out``; complete: ``Out(1)``, address: ``Out``, with a word's last element:
            as of :class:`~mbconv.hdl.engine.map_memory.MapMemory`.
        finished, bad: ``Out(1)``.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.elements = _Elements(p)
        super().__init__(
            {
                "instruction": In(instruction_layout(p)),
                "start": In(1),
                "clear": In(1),
                "i": In(Signature(FRAME_BYTE)),
                "put": Out(1),
                "element": Out(ELEMENT),
                "position": Out(address_width(p.channels)),
                "complete": Out(1),
                "address": Out(address_width(p.map_words)),
                "finished": Out(1),
                "bad": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.elements = elements = self.elements
        instruction = self.instruction
        filling, short, dropping = Signal(), Signal(), Signal()
        ends = Signal()
        m.d.comb += [
            self.i.ready.eq((filling & ~short) | dropping),
            elements.instruction.eq(instruction),
            elements.start.eq(self.start),
            elements.step.eq(filling & (short | self.i.valid)),
            ends.eq(elements.step & elements.ends),
        ]
        element = Mux(short, instruction.fill.as_unsigned(), self.i.payload.data ^ Cat([0] * 7, instruction.unsigned))
        m.d.comb += [
            self.put.eq(elements.step),
            self.element.eq(element),
            self.position.eq(elements.position),
            self.complete.eq(elements.word_ends),
        ]
        with m.If(elements.step & elements.word_ends):
            m.d.sync += self.address.eq(self.address + 1)
        m.d.sync += self.finished.eq(0)
        with m.If(filling & ~short & self.i.valid & self.i.payload.last & ~elements.ends):
            m.d.sync += [short.eq(1), self.bad.eq(1)]
        with m.If(ends):
            m.d.sync += filling.eq(0)
            with m.If(short | self.i.payload.last):
                m.d.sync += self.finished.eq(1)
            with m.Else():
                m.d.sync += [dropping.eq(1), self.bad.eq(1)]
        with m.If(dropping & self.i.valid & self.i.payload.last):
            m.d.sync += [dropping.eq(0), self.finished.eq(1)]
        with m.If(self.start):
            m.d.sync += [filling.eq(1), short.eq(0), self.address.eq(instruction.destination)]
        with m.If(self.clear):
            m.d.sync += self.bad.eq(0)
        return m


class FrameOutput(Component):
    """OUTPUT: words of the map memory become a packet of elements, one byte each.

    Cycles, where every byte is taken at once: for each word its elements and 1 + M to read it. A frame's last byte
    waits for ``checked``.

    Members:
        instruction: ``In``; start, bad, checked: ``In(1)``.
        address: ``Out``; reads: ``Out(1)``; load: ``Out(1)``, M cycles later, when its word is there; step: ``Out(1)``,
            an element of it is taken; element: ``In(signed(8))``, the lowest, from the cycle after ``load``.
        o: ``Out(stream.Signature(RESULT_BYTE))``
        finished: ``Out(1)``, with the last byte's being taken.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        self.elements = _Elements(p)
        super().__init__(
            {
                "instruction": In(instruction_layout(p)),
                "start": In(1),
                "bad": In(1),
                "checked": In(1),
                "address": Out(address_width(p.map_words)),
                "reads": Out(1),
                "load": Out(1),
                "step": Out(1),
                "element": In(ELEMENT),
                "o": Out(Signature(RESULT_BYTE)),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.elements = elements = self.elements
        ask, valid, taken = Signal(), Signal(), Signal()
        arrived = delayed(m, ask, self.family.memory_latency, "arrived", reset=True)
        m.d.comb += [
            taken.eq(self.o.valid & self.o.ready),
            elements.instruction.eq(self.instruction),
            elements.start.eq(self.start),
            elements.step.eq(taken),
            self.o.valid.eq(valid & ~(elements.ends & self.instruction.last & ~self.checked)),
            self.reads.eq(ask),
            self.load.eq(arrived),
            self.step.eq(taken),
            self.o.payload.data.eq(self.element.as_unsigned() ^ Cat([0] * 7, self.instruction.unsigned)),
            self.o.payload.last.eq(elements.ends),
            self.o.payload.user.eq(elements.ends & self.bad),
            self.finished.eq(taken & elements.ends),
        ]
        m.d.sync += ask.eq(0)
        with m.If(self.start):
            m.d.sync += [self.address.eq(self.instruction.source), ask.eq(1)]
        with m.If(arrived):
            m.d.sync += valid.eq(1)
        with m.If(taken & elements.word_ends):
            m.d.sync += [valid.eq(0), ask.eq(~elements.ends), self.address.eq(self.address + 1)]
        return m
