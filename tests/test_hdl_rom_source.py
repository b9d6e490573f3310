"""A memory as a stream: its words in order, for ever, one each cycle."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from mbconv.hdl.primitives import Rom
from mbconv.hdl.rom_source import RomSource
from mbconv.sim.bench.bench import Case, run_cases


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
        m.d.comb += [
            self.o.valid.eq(self.i.valid & filled[-1]),
            self.o.payload.eq(self.source.o.payload),
            self.i.ready.eq(self.o.ready & filled[-1]),
            self.source.o.ready.eq(self.o.valid & self.o.ready),
        ]
        return m


def rom_case(words: int) -> Case:
    contents = [(7 * word + 3) % 61 for word in range(words)]
    source = Gated(RomSource(unsigned(6), contents, f"rom_source_{words}"))
    beats = 3 * words
    return Case(f"{words} words", source, {"i": np.zeros(beats, int)}, {"o": [*contents] * 3}, interval=words)


def test_rom_source():
    run_cases([rom_case(words) for words in (1, 2, 3, 16, 37)])


def test_rom_refuses():
    with pytest.raises(ValueError, match="no word"):
        Rom([], 8, "empty")
    with pytest.raises(ValueError, match="8 bits"):
        Rom([256], 8, "wide")
