"""A memory as a stream: its words in order, for ever, one each cycle."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.primitives import Rom
from mbconv.hdl.rom_source import RomSource
from mbconv.sim.circuits.testbench import Case, run_cases

QUICK = Family("quick", memory_latency=1)


class Gated(Component):
    """Lets a word pass for each beat of ``i``, since a source by itself never ends."""

    i: In(Signature(1))
    o: Out(Signature(unsigned(6)))

    def __init__(self, source: RomSource):
        self.source = source
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.source = self.source
        filled = Signal(self.source.latency)  # the first word is there so long after reset
        m.d.sync += filled.eq(Cat(1, filled))
        wait = Signal(self.source.pieces)  # a word is there so long after the one before
        there, take = Signal(), Signal()
        m.d.comb += [there.eq(filled[-1] & (wait == 0)), take.eq(self.o.valid & self.o.ready)]
        m.d.sync += wait.eq(Mux(take, (1 << self.source.pieces - 1) - 1, wait >> 1))
        m.d.comb += [
            self.o.valid.eq(self.i.valid & there),
            self.o.payload.eq(self.source.o.payload),
            self.i.ready.eq(self.o.ready & there),
            self.source.o.ready.eq(take),
        ]
        return m


def rom_case(words: int, pieces: int = 1, family: Family = GENERIC, repeats: tuple[tuple[int, int], ...] = ()) -> Case:
    contents = [(7 * word + 3) % 61 for word in range(words)]
    name = "_".join(map(str, ("rom_source", words, pieces, family.name, *(n for pair in repeats for n in pair))))
    source = RomSource(unsigned(6), contents, name, pieces, repeats, family=family)
    assert source.rom.width == -(-6 // pieces) and len(source.rom.words) == pieces * words
    period, start = [], 0
    for count, times in repeats or ((words, 1),):
        period += contents[start : start + count] * times
        start += count
    return Case(
        f"{words} words in {pieces} pieces, repeated {repeats}, {family.name}",
        Gated(source),
        {"i": np.zeros(3 * len(period), int)},
        {"o": period * 3},
        interval=len(period) * pieces,
    )


def test_rom_source():
    cases = [rom_case(words) for words in (1, 2, 3, 16, 37)]
    in_pieces = [(1, 2), (2, 3), (5, 2), (16, 4), (37, 4)]
    run_cases(cases + [rom_case(*case, family) for case in in_pieces for family in (GENERIC, QUICK)])


def test_words_that_come_several_times_over():
    repeats = [((1, 3), (4, 1)), ((5, 1), (2, 4)), ((3, 2), (1, 5), (6, 3)), ((7, 2),), ((1, 6),), ((2, 1), (1, 2))]
    run_cases(
        [
            rom_case(sum(count for count, _ in some), pieces, family, some)
            for some in repeats
            for pieces in (1, 3)
            for family in (GENERIC, QUICK)
        ]
    )


def test_rom_refuses():
    with pytest.raises(ValueError, match="no word"):
        Rom([], 8, "empty")
    with pytest.raises(ValueError, match="8 bits"):
        Rom([256], 8, "wide")
    with pytest.raises(ValueError, match="8 bits"):
        RomSource(8, [256], "wide", 2)
    with pytest.raises(ValueError, match=r"repeated has 2 words, which \[\(1, 3\)\] does not repeat"):
        RomSource(8, [1, 2], "repeated", repeats=[(1, 3)])
    with pytest.raises(ValueError, match="does not repeat"):
        RomSource(8, [1, 2], "repeated", repeats=[(1, 3), (1, 0)])
    with pytest.raises(ValueError, match="at least one piece, not 0"):
        RomSource(8, [1], "narrow", 0)
