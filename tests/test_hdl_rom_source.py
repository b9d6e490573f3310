"""A memory as a stream: its words in order, for ever, one each cycle."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.primitives import Rom
from mbconv.hdl.rom_source import RomSource
from mbconv.sim.bench.bench import Case, run_cases

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


def rom_case(words: int, pieces: int = 1, family: Family = GENERIC) -> Case:
    contents = [(7 * word + 3) % 61 for word in range(words)]
    source = RomSource(unsigned(6), contents, f"rom_source_{words}_{pieces}_{family.name}", pieces, family=family)
    assert source.rom.width == -(-6 // pieces) and len(source.rom.words) == pieces * words
    beats = 3 * words
    return Case(
        f"{words} words in {pieces} pieces, {family.name}",
        Gated(source),
        {"i": np.zeros(beats, int)},
        {"o": [*contents] * 3},
        interval=words * pieces,
    )


def test_rom_source():
    cases = [rom_case(words) for words in (1, 2, 3, 16, 37)]
    in_pieces = [(1, 2), (2, 3), (5, 2), (16, 4), (37, 4)]
    run_cases(cases + [rom_case(*case, family) for case in in_pieces for family in (GENERIC, QUICK)])


def test_rom_refuses():
    with pytest.raises(ValueError, match="no word"):
        Rom([], 8, "empty")
    with pytest.raises(ValueError, match="8 bits"):
        Rom([256], 8, "wide")
    with pytest.raises(ValueError, match="8 bits"):
        RomSource(8, [256], "wide", 2)
    with pytest.raises(ValueError, match="at least one piece, not 0"):
        RomSource(8, [1], "narrow", 0)
