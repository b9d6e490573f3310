"""How a program comes into the engine's memories, and whether it came whole."""

from __future__ import annotations

import enum

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.enum import Enum
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .edges import FRAME_BYTE
from .finish import constants_layout
from .instruction import WORD_BITS
from .parameters import EngineParameters

MAGIC = b"mbce"
_CRC = 0xEDB88320  # IEEE 802.3, as zlib's


class Section(enum.IntEnum):
    """A memory, by the byte that begins its section of an upload."""

    PROGRAM = 0
    WEIGHTS = 1
    CONSTANTS = 2
    FIRST_TABLES = 3
    SECOND_TABLES = 4


END = 255
"""The byte behind the last section; the check follows it."""


def section_bits(parameters: EngineParameters) -> dict[Section, int]:
    """Bits of a word of each memory; in an upload it takes whole bytes, the lowest first."""
    p = parameters
    return {
        Section.PROGRAM: WORD_BITS,
        Section.WEIGHTS: p.channels * p.weight_bits,
        Section.CONSTANTS: p.requantizers * constants_layout(p).size,
        Section.FIRST_TABLES: p.table_bits,
        Section.SECOND_TABLES: p.table_bits,
    }


class _State(Enum, shape=3):
    IDENTITY = 0
    SECTION = 1
    COUNT = 2
    WORDS = 3
    CHECK = 4
    REST = 5


class Upload(Component):
    """Takes a packet and writes the memories.

    The packet: ``mbce``, the parameters' identity (4 bytes), sections, the byte 255, and the CRC-32 of all bytes before
    it (4 bytes), lowest bytes first. A section: the byte of :class:`Section`, the number of words less one (3 bytes),
    the words. ``loaded`` rises with a packet that is whole; any other sets ``failed``. Both fall when a packet begins.

    Cycles: one for each byte. Cost: a word as wide as the widest memory's, the check, counters.

    Members:
        i: ``In(stream.Signature(FRAME_BYTE))``, always ready.
        busy, loaded, failed: ``Out(1)``; a reset leaves ``loaded`` as it is: the memories keep the program.
        number: ``Out(32)``, the check of the program that is loaded.
        write: ``Out(5)``, a bit for each section; address, data: ``Out``.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        bits = section_bits(parameters)
        super().__init__(
            {
                "i": In(Signature(FRAME_BYTE, always_ready=True)),
                "busy": Out(1),
                "loaded": Out(1),
                "failed": Out(1),
                "number": Out(32),
                "write": Out(len(bits)),
                "address": Out(24),
                "data": Out(max(bits.values())),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = section_bits(self.parameters)
        size = -(-max(bits.values()) // 8)
        byte, valid, last = self.i.payload.data, self.i.valid, self.i.payload.last
        check = Signal(32, init=0xFFFFFFFF)
        following: Value = check ^ byte
        for bit in range(8):
            register = Signal(32, name=f"check_{bit}")
            m.d.comb += register.eq(following)
            following = (register >> 1) ^ (register[0].replicate(32) & _CRC)
        wanted = Const(int.from_bytes(MAGIC, "little") | self.parameters.identity << 32, 64)
        state = Signal(_State)
        position = Signal(range(8))
        word = Signal(8 * size, reset_less=True)
        count, length = Signal(range(size)), Signal(range(size))  # bytes of a word: before this one; less one
        left, address = Signal(24), Signal(24)  # words of the section beside this one; of the one that is written
        section = Signal(range(len(bits)))
        wrong, ends_well = Signal(), Signal()
        loaded, number = Signal(reset_less=True), Signal(32, reset_less=True)
        m.d.comb += [self.data.eq(word), self.address.eq(address), self.loaded.eq(loaded), self.number.eq(number)]
        m.d.sync += self.write.eq(0)
        with m.If(self.write.any()):
            m.d.sync += address.eq(address + 1)
        with m.If(valid):
            m.d.sync += [check.eq(following), self.busy.eq(1), loaded.eq(0), self.failed.eq(0)]
            m.d.sync += position.eq(position + 1)
            with m.Switch(state):
                with m.Case(_State.IDENTITY):
                    with m.If(byte != wanted.word_select(position, 8)):
                        m.d.sync += wrong.eq(1)
                    with m.If(position == 7):
                        m.d.sync += state.eq(_State.SECTION)
                with m.Case(_State.SECTION):
                    m.d.sync += [section.eq(byte), position.eq(0)]
                    with m.Switch(byte):
                        for kind, width in bits.items():
                            with m.Case(kind):
                                m.d.sync += [length.eq(-(-width // 8) - 1), state.eq(_State.COUNT)]
                        with m.Case(END):
                            m.d.sync += state.eq(_State.CHECK)
                        with m.Default():
                            m.d.sync += [wrong.eq(1), state.eq(_State.REST)]
                with m.Case(_State.COUNT):
                    m.d.sync += left.eq(Cat(left[8:], byte))
                    with m.If(position == 2):
                        m.d.sync += [address.eq(0), state.eq(_State.WORDS)]
                with m.Case(_State.WORDS):
                    m.d.sync += count.eq(count + 1)
                    with m.Switch(count):
                        for place in range(size):
                            with m.Case(place):
                                m.d.sync += word[8 * place : 8 * place + 8].eq(byte)
                    with m.If(count == length):
                        m.d.sync += [count.eq(0), left.eq(left - 1), self.write.eq(~wrong << section)]
                        with m.If(left == 0):
                            m.d.sync += state.eq(_State.SECTION)
                with m.Case(_State.CHECK):
                    m.d.sync += [check.eq(check >> 8), number.eq(Cat(number[8:], byte))]
                    with m.If(byte != ~check[:8] & 0xFF):
                        m.d.sync += wrong.eq(1)
                    with m.If(position == 3):
                        m.d.comb += ends_well.eq(~wrong & (byte == ~check[:8] & 0xFF))
                        m.d.sync += state.eq(_State.REST)
            with m.If(last):
                m.d.sync += [
                    self.busy.eq(0),
                    loaded.eq(ends_well),
                    self.failed.eq(~ends_well),
                    state.eq(_State.IDENTITY),
                    check.eq(0xFFFFFFFF),
                    position.eq(0),
                    count.eq(0),
                    wrong.eq(0),
                ]
        return m
