"""How a program comes into the engine's memories, and whether it came whole."""

from __future__ import annotations

import enum

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.enum import Enum
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .edges import FRAME_BYTE
from .instruction import WORD_BITS, instruction_words
from .parameters import EngineParameters
from .weight_loader import stream_members
from .weight_port import CHECK_BYTES, COUNT_BYTES, TILE_WORDS
from .weight_ring import WeightRing

MAGIC = b"mbce"
_CRC = 0xEDB88320  # IEEE 802.3, as zlib's
_NO_CHECK = 0xFFFFFFFF
_SECTION_COUNT_BYTES = 3


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
    """Bits of a word of each memory; in an upload it takes whole bytes, the lowest first. Of engines with a port
    constants come in words of weights (:mod:`.constant_memory`)."""
    p = parameters
    return {
        Section.PROGRAM: WORD_BITS,
        Section.WEIGHTS: p.channels * p.weight_bits,
        Section.CONSTANTS: p.channels * p.weight_bits if p.port_bytes else p.requantizers * p.channel_bits,
        Section.FIRST_TABLES: p.table_bits,
        Section.SECOND_TABLES: p.table_bits,
    }


def section_bytes(parameters: EngineParameters) -> dict[Section, int]:
    """Bytes of a word of each memory in an upload."""
    return {section: -(-bits // 8) for section, bits in section_bits(parameters).items()}


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

    With a port of one byte (``shares_upload``) what comes through it passes the same word, check and counters: packets
    come between frames, weights in them. In a frame this is what
    :class:`~mbconv.hdl.engine.weight_loader.WeightLoader` is.

    Cycles: one for each byte. Cost: a word as wide as the widest memory's, the check, counters.

    Members:
        i: ``In(stream.Signature(FRAME_BYTE))``, always ready between frames.
        busy, loaded, failed: ``Out(1)``; a reset leaves ``loaded`` as it is: the memories keep the program.
        number: ``Out(32)``, the check of the program that is loaded.
        write: ``Out(5)``, a bit for each section; address: ``Out``; data: ``Out``, of which each memory takes its part
            (:meth:`word`).
        port, begin and others: those of :func:`~mbconv.hdl.engine.weight_loader.stream_members`.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.ring_counts = WeightRing(p) if p.shares_upload else None
        words = (p.instructions * instruction_words(p), p.weight_words, 256 * p.tables)
        constants = p.constant_words * (p.constant_slices if p.port_bytes else 1)
        super().__init__(
            {
                "i": In(Signature(FRAME_BYTE, always_ready=True)),
                "busy": Out(1),
                "loaded": Out(1),
                "failed": Out(1),
                "number": Out(32),
                "write": Out(len(section_bits(p))),
                "address": Out(address_width(max(*words, constants))),
                "data": Out(8 * max(section_bytes(p).values())),
                **(stream_members(p) if p.shares_upload else {}),
            }
        )

    def word(self, section: Section) -> Value:
        """A memory's word: what came last."""
        bits, size = section_bits(self.parameters)[section], section_bytes(self.parameters)[section]
        return self.data[len(self.data) - 8 * size :][:bits]

    def elaborate(self, platform) -> Module:
        m = Module()
        p, size = self.parameters, section_bytes(self.parameters)
        state = Signal(_State)
        position = Signal(range(max(8, *size.values())))  # bytes of a part before this one
        streaming = Signal()
        byte, valid, last = self._source(m, streaming, state, position)
        check = Signal(32, init=_NO_CHECK)
        following: Value = check ^ byte
        for bit in range(8):
            register = Signal(32, name=f"check_{bit}")
            m.d.comb += register.eq(following)
            following = (register >> 1) ^ (register[0].replicate(32) & _CRC)
        wanted = Const(int.from_bytes(MAGIC, "little") | p.identity << 32, 64)
        word = Signal(len(self.data), reset_less=True)
        length = Signal(range(max(size.values())))  # bytes of a word, less one
        left, address = Signal(24), Signal(len(self.address))  # words of the section; of the one that is written
        tile = Signal(range(TILE_WORDS))
        section = Signal(range(len(size)))
        wrong, ends_well, differs, ends = Signal(), Signal(), Signal(), Signal()
        loaded, number = Signal(reset_less=True), Signal(32, reset_less=True)
        m.d.comb += [self.data.eq(word), self.address.eq(address), self.loaded.eq(loaded), self.number.eq(number)]
        m.d.comb += differs.eq(byte != ~check[:8] ^ (number[:8] & streaming.replicate(8)))
        m.d.sync += self.write.eq(0)
        with m.If(self.write.any()):
            m.d.sync += address.eq(address + 1)
            if p.shares_upload:
                with m.If(streaming & (address == p.weight_words - 1)):
                    m.d.sync += address.eq(self.ring)
        with m.If(valid):
            m.d.sync += [check.eq(following), word.eq(Cat(word, byte)[8:]), position.eq(position + 1)]
            with m.If(~streaming):
                m.d.sync += [self.busy.eq(1), loaded.eq(0), self.failed.eq(0)]
            with m.Switch(state):
                with m.Case(_State.IDENTITY):
                    with m.If(byte != wanted.word_select(position[:3], 8)):
                        m.d.sync += wrong.eq(1)
                    with m.If(position == 7):
                        m.d.sync += state.eq(_State.SECTION)
                with m.Case(_State.SECTION):
                    m.d.sync += [section.eq(byte), position.eq(0)]
                    with m.Switch(byte):
                        for kind, count in size.items():
                            with m.Case(kind):
                                m.d.sync += [length.eq(count - 1), state.eq(_State.COUNT)]
                        with m.Case(END):
                            m.d.sync += state.eq(_State.CHECK)
                        with m.Default():
                            m.d.sync += [wrong.eq(1), state.eq(_State.REST)]
                with m.Case(_State.COUNT):
                    with m.If(position != _SECTION_COUNT_BYTES):
                        m.d.sync += left.eq(Cat(left, byte)[8:])
                    with m.If(position == Mux(streaming, COUNT_BYTES, _SECTION_COUNT_BYTES) - 1):
                        m.d.sync += [position.eq(0), state.eq(_State.WORDS)]
                        with m.If(streaming):
                            m.d.sync += check.eq(_NO_CHECK)
                        with m.Else():
                            m.d.sync += address.eq(0)
                with m.Case(_State.WORDS), m.If(position == length):
                    m.d.sync += [position.eq(0), left.eq(left - 1), self.write.eq(~wrong << section)]
                    with m.If(streaming):
                        m.d.sync += tile.eq(tile + 1)
                        with m.If((left == 1) | (tile == TILE_WORDS - 1)):
                            m.d.sync += state.eq(_State.CHECK)
                    with m.Elif(left == 0):
                        m.d.sync += state.eq(_State.SECTION)
                with m.Case(_State.CHECK):
                    kept = Mux(streaming, number[:8], byte)
                    m.d.sync += [check.eq(check >> 8), number.eq(Cat(number[8:], kept))]
                    with m.If(streaming):
                        with m.If(position == CHECK_BYTES - 1):
                            m.d.sync += [position.eq(0), tile.eq(0), check.eq(_NO_CHECK), state.eq(_State.WORDS)]
                        m.d.comb += ends.eq(differs | ((position == CHECK_BYTES - 1) & (left == 0)))
                    with m.Else():
                        with m.If(differs):
                            m.d.sync += wrong.eq(1)
                        with m.If(position == CHECK_BYTES - 1):
                            m.d.comb += ends_well.eq(~wrong & ~differs)
                            m.d.sync += state.eq(_State.REST)
            with m.If(last):
                m.d.sync += [self.busy.eq(0), loaded.eq(ends_well), self.failed.eq(~ends_well), wrong.eq(0)]
            with m.If(last | ends):
                m.d.sync += [state.eq(_State.IDENTITY), check.eq(_NO_CHECK), position.eq(0)]
        if p.shares_upload:
            with m.If(ends):
                m.d.sync += [streaming.eq(0), self.damaged.eq(differs)]
            with m.If(self.begin):
                m.d.sync += [
                    streaming.eq(1),
                    self.damaged.eq(0),
                    state.eq(_State.COUNT),
                    position.eq(0),
                    tile.eq(0),
                    address.eq(self.first),
                    section.eq(Section.WEIGHTS),
                    length.eq(size[Section.WEIGHTS] - 1),
                ]
        return m

    def _source(self, m: Module, streaming: Signal, state: Signal, position: Signal) -> tuple[Value, Value, Value]:
        """The next byte, whether there is one, whether it is its packet's last: from the port while weights stream."""
        byte, valid, last = self.i.payload.data, self.i.valid, self.i.payload.last
        ring = self.ring_counts
        if ring is None:
            return byte, valid, last
        m.submodules.ring = ring
        words = self.port.words
        first_of_word = (state == _State.WORDS) & (position == 0)
        m.d.comb += [
            self.port.restart.eq(self.begin),
            words.ready.eq(streaming & (~first_of_word | ring.room | self.drop)),
            self.streaming.eq(streaming),
            self.checked.eq(~streaming),
            ring.begin.eq(self.begin),
            ring.first.eq(self.first),
            ring.begun.eq(words.valid & words.ready & first_of_word),
            ring.written.eq(self.write.any()),
            ring.take.eq(self.take),
            ring.free.eq(self.free),
            self.ahead.eq(ring.ahead),
            self.ring.eq(ring.ring),
        ]
        return (
            Mux(streaming, words.payload, byte),
            Mux(streaming, words.valid & words.ready, valid),
            last & ~streaming,
        )
