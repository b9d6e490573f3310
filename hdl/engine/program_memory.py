"""The memory of a program: rows of 32-bit words, of which an instruction takes some."""

from __future__ import annotations

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import Component, In, Out

from ..family import GENERIC, Family
from ..primitives import Ram, address_width
from .instruction import WORD_BITS, instruction_rows, row_places, row_words
from .parameters import EngineParameters


class ProgramMemory(Component):
    """Words are written one at a time and read in rows of :func:`~mbconv.hdl.engine.instruction.row_words`.

    In an upload a row takes a power of two of words, so that the lowest bits of a word's address are its place in the
    row; those beyond the row are not kept.

    Cost: a memory for each word of a row.

    Members:
        write: ``In(1)``; address: ``In``, of a word of the upload; word: ``In(32)``.
        row: ``In``; data: ``Out``, M cycles later.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters = p = parameters
        rows = p.instructions * instruction_rows(p)
        self.rams = [Ram(WORD_BITS, rows, family=family) for _ in range(row_words(p))]
        super().__init__(
            {
                "write": In(1),
                "address": In(address_width(rows * row_places(p))),
                "word": In(WORD_BITS),
                "row": In(address_width(rows)),
                "data": Out(WORD_BITS * row_words(p)),
            }
        )

    @property
    def memory_bits(self) -> int:
        return sum(ram.memory_bits for ram in self.rams)

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = (row_places(self.parameters) - 1).bit_length()
        for place, ram in enumerate(self.rams):
            m.submodules[f"word_{place}"] = ram
            m.d.comb += [
                ram.w_en.eq(self.write & (self.address[:bits] == place)),
                ram.w_addr.eq(self.address[bits:]),
                ram.w_data.eq(self.word),
                ram.r_addr.eq(self.row),
            ]
        m.d.comb += self.data.eq(Cat(ram.r_data for ram in self.rams))
        return m
