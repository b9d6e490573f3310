"""A memory as the source of a periodic stream: weights and requantisation words of a network that never changes."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, Out

from .cost import NOTHING
from .counting import advance
from .family import GENERIC, Family
from .primitives import Rom, address_width


class RomSource(Component):
    """Streams the words of a :class:`~mbconv.hdl.primitives.Rom` over and over, from its first after reset.

    It never starves, as ``always_valid`` says: each word is read before the one in front of it is taken, and the first
    is there ``latency`` cycles after reset, before any pipeline can want it: what is issued in the first cycle has its
    data that much later.

    Of ``repeats`` each says of so many words, beginning where the one before ends, how many times over they come before
    those of the next: the memory holds them once.

    A word of several ``pieces`` is as many words of the memory, which is as much narrower: a reader that takes a word
    every ``cycles_per_beat`` cycles or less often always finds one; in between there is none, and nothing says so.

    Cost: ``memory_bits``, an address counter, one of repetitions; of several pieces registers of all but one, and a
    counter of them. Only the memory is in estimates: counters are a few tables.

    Args:
        shape: of a beat's payload.
        words: the period's beats as non-negative integers of the payload's width, those that are repeated once.
        name: of the memory file.
        pieces: that a word is read in.
        repeats: pairs, a number of words and how many times over they come; together all words. By default all once.

    Members:
        o: ``Out(stream.Signature(shape, always_valid=True))``

    Raises:
        ValueError: no word, one that the shape does not hold, no piece, or repeats of other words than there are.
    """

    multipliers = 0
    own_cost = NOTHING

    def __init__(
        self,
        shape: ShapeLike,
        words: Sequence[int],
        name: str,
        pieces: int = 1,
        repeats: Sequence[tuple[int, int]] = (),
        *,
        family: Family = GENERIC,
    ):
        if pieces < 1:
            raise ValueError(f"the words of {name} are read in at least one piece, not {pieces}")
        width = Shape.cast(shape).width
        if words and (min(words) < 0 or max(words) >> width):
            raise ValueError(f"the memory {name} holds a word that {width} bits do not hold")
        if repeats and (sum(count for count, _ in repeats) != len(words) or min(min(pair) for pair in repeats) < 1):
            raise ValueError(f"the memory {name} has {len(words)} words, which {list(repeats)} does not repeat")
        self.shape, self.pieces = shape, pieces
        self.repeats = tuple(repeats) or ((len(words), 1),)
        self.piece_bits = -(-width // pieces)
        mask = (1 << self.piece_bits) - 1
        parts = [word >> piece * self.piece_bits & mask for word in words for piece in range(pieces)]
        self.rom = Rom(parts if pieces > 1 else words, self.piece_bits, name, family=family)
        super().__init__({"o": Out(Signature(shape, always_valid=True))})

    @property
    def cycles_per_beat(self) -> int:
        return self.pieces

    @property
    def latency(self) -> int:
        """Cycles after reset before the first word is there."""
        return self.rom.latency + self.pieces - 1

    @property
    def memory_bits(self) -> int:
        return self.rom.memory_bits

    def _place(self, read: int) -> tuple[int, int]:
        """Address and repetition of what is read as number ``read``."""
        start = 0
        while True:
            for count, times in self.repeats:
                size = count * self.pieces
                if read < size * times:
                    return start + read % size, read // size
                start, read = start + size, read - size * times
            start = 0

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rom = self.rom
        address = Signal(address_width(len(self.rom.words)))
        filled = Signal()  # the memory's registers hold words
        whole, taken = Signal(), Signal()
        m.d.comb += [
            taken.eq(~whole | self.o.ready),
            self.rom.en.eq(~filled | taken),
            self.rom.addr.eq(address),
        ]
        # Told by the address: counted alike in all sources it would be one register, far from most of them. A single
        # word never changes.
        turn = Signal(range(max(times for _, times in self.repeats)))
        if len(self.rom.words) > 1:
            begun = self._place(self.rom.latency - 1)
            with m.If((address == begun[0]) & (turn == begun[1])):
                m.d.sync += filled.eq(1)
        with m.If(self.rom.en):
            advance(m, address, len(self.rom.words))
            end = 0
            for count, times in self.repeats:
                start, end = end, end + count * self.pieces
                if times > 1:
                    with m.If(address == end - 1):
                        m.d.sync += turn.eq(0)
                        with m.If(turn != times - 1):
                            m.d.sync += [turn.eq(turn + 1), address.eq(start)]
        if self.pieces == 1:
            m.d.comb += [whole.eq(1), Value.cast(self.o.payload).eq(self.rom.data)]
        else:
            # The last piece is the memory's own output, the others move down as they come.
            piece = Signal(range(self.pieces))
            held = Signal(self.piece_bits * (self.pieces - 1), reset_less=True)
            m.d.comb += [
                whole.eq(piece == self.pieces - 1),
                Value.cast(self.o.payload).eq(Cat(held, self.rom.data)),
            ]
            with m.If(filled & taken):
                advance(m, piece, self.pieces)
                m.d.sync += held.eq(Cat(held, self.rom.data)[self.piece_bits :])
        return m
