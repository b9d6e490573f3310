"""The constants of channels, a word for those that are requantised at once; from the upload, or beside the weights."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from ..family import GENERIC, Family
from ..primitives import Ram, address_width
from .finish import constants_layout
from .parameters import EngineParameters


class ConstantMemory(Component):
    """``constant_words`` words of ``requantizers`` channels' constants.

    Without a port to a memory outside the upload writes them. With one every word comes through the memory of weights,
    of whose words it takes ``constant_slices``: from the upload those that stay, from the port those of a group of
    channels. The latter have the first words, the groups take turns: while one is requantised the next one's come.

    Cost: the memory; with a port a counter of words.

    Members:
        read_address: ``In``; data: ``Out(ArrayLayout(constants_layout, requantizers))``, M cycles later.
        write: ``In(1)``; word: ``In``, a word of constants, or with a port of weights.
        address: ``In``, without a port.
        stay: ``In(1)``, words that follow stay; start: ``In(1)``, the next word is the first group's.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters = p = parameters
        bits = p.requantizers * p.channel_bits
        size = min(bits, p.channels * p.weight_bits) if p.port_bytes else bits
        self.rams = [Ram(min(size, bits - first), p.constant_words, family=family) for first in range(0, bits, size)]
        address = address_width(p.constant_words)
        super().__init__(
            {
                "read_address": In(address),
                "data": Out(ArrayLayout(constants_layout(p), p.requantizers)),
                "write": In(1),
                "word": In(size),
                "address": In(address),
                "stay": In(1),
                "start": In(1),
            }
        )

    @property
    def memory_bits(self) -> int:
        return sum(ram.memory_bits for ram in self.rams)

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        slices = len(self.rams)
        place, part = Signal(len(self.address)), Signal(range(max(2, slices)))
        for number, ram in enumerate(self.rams):
            m.submodules[f"slice_{number}"] = ram
            m.d.comb += [
                ram.w_en.eq(self.write & (part == number)),
                ram.w_addr.eq(place if p.port_bytes else self.address),
                ram.w_data.eq(self.word),
                ram.r_addr.eq(self.read_address),
            ]
        m.d.comb += self.data.as_value().eq(Cat(ram.r_data for ram in self.rams))
        if not p.port_bytes:
            return m
        staying = Signal()
        following = Signal(len(place))
        m.d.comb += following.eq(place + 1)
        with m.If(self.write):
            m.d.sync += part.eq(part + 1)
            with m.If(part == slices - 1):
                turns = ~staying & (place == p.constants_in_turn - 1)
                m.d.sync += [part.eq(0), place.eq(Mux(turns, 0, following))]
        with m.If(self.stay):
            m.d.sync += [part.eq(0), place.eq(p.constants_in_turn), staying.eq(1)]
        with m.If(self.start):
            m.d.sync += [part.eq(0), place.eq(0), staying.eq(0)]
        return m
