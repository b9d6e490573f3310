"""The part of the weight memory through which weights from outside pass: words that are there, and places."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .parameters import EngineParameters


class WeightRing(Component):
    """Counts words of the ring, from ``first`` to the memory's end.

    Cost: two counters, an address.

    Members:
        begin: ``In(1)``, the ring is empty; first: ``In``, its first word, with ``begin``.
        begun: ``In(1)``, a word comes, whose place is taken; written: ``In(1)``, one is in the memory.
        take: ``In(1)``, one is used for the first time; free: ``In(1)``, one is used no more.
        room: ``Out(1)``, a word has a place; ahead: ``Out``, words that are there and were not taken.
        ring: ``Out``, the first word.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        address = address_width(parameters.weight_words)
        super().__init__(
            {
                "begin": In(1),
                "first": In(address),
                "begun": In(1),
                "written": In(1),
                "take": In(1),
                "free": In(1),
                "room": Out(1),
                "ahead": Out(address + 1),
                "ring": Out(address),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        space = Signal(len(self.ahead))
        with m.If(self.begun != self.free):
            m.d.sync += [
                space.eq(space + (self.begun.replicate(len(space)) | 1)),
                self.room.eq(self.free | (space != 1)),
            ]
        with m.If(self.written != self.take):
            m.d.sync += self.ahead.eq(self.ahead + (self.take.replicate(len(space)) | 1))
        with m.If(self.begin):
            m.d.sync += [
                space.eq(self.parameters.weight_words - self.first),
                self.ahead.eq(0),
                self.ring.eq(self.first),
                self.room.eq(1),
            ]
        return m
