"""The order of things: programs are taken between frames, instructions one after another."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import address_width
from .instruction import WORD_BITS, instruction_layout, instruction_words
from .latencies import Latencies
from .parameters import EngineParameters


class Control(Component):
    """Fetches the instructions of a frame and starts each when the one before has finished.

    A frame begins when a program is loaded and ``frame`` says that elements wait; a program is taken (``open_upload``)
    when no frame is under way.

    Cycles: from ``go`` (a frame's beginning, or ``finished``) to ``start``: 1 + the words of an instruction + M.
    Cost: an instruction in registers.

    Members:
        loaded, uploading, frame: ``In(1)``; finished: ``In(1)``, of the present instruction.
        open_upload: ``Out(1)``
        address: ``Out``, of the program memory; word: ``In``, M cycles later.
        instruction: ``Out``; start: ``Out(1)``; begins: ``Out(1)``, with a frame's first start.
        retired: ``Out(1)``, in the cycle after ``finished``; number: ``Out``, of the instruction that it is of.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        self.words = instruction_words(parameters)
        self.depth = parameters.instructions * self.words
        super().__init__(
            {
                "loaded": In(1),
                "uploading": In(1),
                "frame": In(1),
                "finished": In(1),
                "open_upload": Out(1),
                "address": Out(address_width(self.depth)),
                "word": In(WORD_BITS),
                "instruction": Out(instruction_layout(parameters)),
                "start": Out(1),
                "begins": Out(1),
                "retired": Out(1),
                "number": Out(address_width(parameters.instructions)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from ``go`` to ``start``."""
        return Latencies(self.parameters, self.family).control

    def elaborate(self, platform) -> Module:
        m = Module()
        running, asking = Signal(), Signal()
        left = Signal(address_width(self.words))
        number = Signal(len(self.number))
        held = Signal(self.words * WORD_BITS, reset_less=True)
        go, fetch = Signal(), Signal()
        m.d.comb += [
            self.open_upload.eq(~running),
            go.eq(~running & self.loaded & ~self.uploading & self.frame),
            self.instruction.as_value().eq(held),
            fetch.eq(go | (self.finished & ~self.instruction.last)),
        ]
        last = asking & (left == 0)
        arrives = delayed(m, asking, self.family.memory_latency, "arrives", reset=True)
        whole = delayed(m, last, self.family.memory_latency, "whole", reset=True)
        m.d.sync += [self.start.eq(whole), self.begins.eq(whole & (number == 0))]
        with m.If(asking):
            m.d.sync += [self.address.eq(self.address + 1), left.eq(left - 1)]
            with m.If(left == 0):
                m.d.sync += asking.eq(0)
        with m.If(arrives):
            m.d.sync += held.eq(Cat(held[WORD_BITS:], self.word))
        with m.If(fetch):
            m.d.sync += [asking.eq(1), left.eq(self.words - 1), number.eq(Mux(go, 0, number + 1))]
            with m.If(go):
                m.d.sync += self.address.eq(0)
        m.d.sync += self.retired.eq(self.finished)
        with m.If(self.finished):
            m.d.sync += self.number.eq(number)
            with m.If(self.instruction.last):
                m.d.sync += running.eq(0)
        with m.If(go):
            m.d.sync += running.eq(1)
        return m
