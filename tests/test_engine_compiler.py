"""Parts of the engine's compiler by themselves: banks, rows, products, the memory's timing."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from engine_networks import SMALL

from mbconv.generators.engine.banks import least_pitch, rows_at_once
from mbconv.generators.engine.compile import SEVERAL_LAYERS, compile_network
from mbconv.generators.engine.layers import Lowering
from mbconv.generators.engine.layout import Area, _placed, place
from mbconv.generators.engine.memory_timing import Loads, MemoryTiming, parse_engine
from mbconv.generators.engine.operators import engine_table
from mbconv.generators.engine.report import layer_reports
from mbconv.generators.engine.traits import instructions
from mbconv.generators.engine.vectors import fills, parts
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.stages.network import build_network
from mbconv.hdl.engine.map_memory import bank_of
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.models import load


@pytest.mark.parametrize("banks", [2, 4, 8])
def test_every_word_has_a_place_of_its_own(banks):
    """A bank and a line for each address, no two alike."""
    assert len({(bank_of(address, banks), address // banks) for address in range(banks**3)}) == banks**3


def test_areas_of_any_lifetimes_lie_apart():
    """Also where the first order that is tried leaves one beyond the memory's end; rings at multiples of their size."""
    generator, beyond = np.random.default_rng(3), 0
    for _ in range(60):
        lifetimes = {}
        for tensor in range(12):
            begin, ring = int(generator.integers(8)), int(generator.choice([0, 0, 4, 8]))
            area = Area(ring or int(generator.integers(1, 20)), ring=ring)
            lifetimes[tensor] = area, begin, begin + int(generator.integers(4))
        live = [sum(a.words for a, begin, end in lifetimes.values() if begin <= time <= end) for time in range(12)]
        words = max(live) + 4
        try:
            found = place(lifetimes, words, dict.fromkeys(range(12), "x"), 1)
        except GraphError:
            continue
        order = sorted(lifetimes, key=lambda tensor: (-lifetimes[tensor][0].words, lifetimes[tensor][1]))
        beyond += _placed(lifetimes, order, 0)[1] > words
        for tensor, (area, begin, end) in lifetimes.items():
            assert found[tensor] % (area.ring or 1) == 0 and found[tensor] + area.words <= words
            for other, (second, sooner, later) in lifetimes.items():
                apart = found[tensor] + area.words <= found[other] or found[other] + second.words <= found[tensor]
                assert other == tensor or later < begin or end < sooner or apart
    assert beyond


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("row_words", [3, 16, 48, 100, 101])
def test_rows_are_moved_into_different_banks(stride, row_words):
    pitch = least_pitch(row_words, stride, SMALL)
    assert row_words <= pitch < row_words + SMALL.banks**2
    step = stride * pitch
    assert rows_at_once(step, SMALL.banks) >= SMALL.depthwise_rows
    for start in range(40):
        rows = range(SMALL.depthwise_rows)
        assert len({bank_of(start + row * step, SMALL.banks) for row in rows}) == SMALL.depthwise_rows


@pytest.mark.parametrize("zero_point", [-128, -127, -1, 0, 3, 127])
def test_a_product_is_one_of_bytes(zero_point):
    found = parts(zero_point)
    assert all(part.min() >= -128 and part.max() <= 127 for part in found)
    assert (sum(found) == np.arange(-128, 128) - zero_point).all()
    assert sum(fills(zero_point)) == -zero_point
    assert all(-128 <= fill <= 127 for fill in fills(zero_point)) and len(set(fills(zero_point))) <= 1


def test_a_memory_of_stated_timing():
    """Half a byte a cycle, four bytes a word: a word every eight cycles, and eight more for a check."""
    timing = MemoryTiming(Fraction(1, 2), 10)
    parameters, _ = parse_engine("channels=4,pixels=1,memory_bytes=1/2")
    loads = Loads(parameters, timing, begin=100, words=70, room=66)
    usable = loads.usable(0, 66)
    first = 100 + 1 + 10 + 2 * 4  # the count goes before
    assert usable[0] == first + 2 * 3 + 2
    assert {later - sooner for sooner, later in pairwise(usable[:64])} == {8}
    assert usable[64] - usable[63] == 16
    loads.free([5000] * 4)
    assert loads.usable(66, 1) == [5000 + 2 * 3 + 2]
    assert loads.end() == 5000 + 2 * 3 + 3 * 8 + 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memory_bytes=1/0", "memory_bytes is a number or fraction"),
        ("memory_bytes=5", "at most 4 bytes a cycle"),
        ("memory_latency=3", "memory_latency needs memory_bytes"),
        ("memory_bytes=1,memory_bytes=2", "memory_bytes is given twice"),
        ("memory_bytes=2,port_bytes=1", "needs a port of so many bytes"),
        ("memory_bytes=1,port_bytes=0", "port_bytes=0 is none"),
    ],
)
def test_memories_that_are_none(text, message):
    with pytest.raises(ValueError, match=message):
        parse_engine(text)


def test_reports_add_up():
    """Instructions of rows are those of their layers."""
    program = compile_network(load("digits", None), SMALL, timing=MemoryTiming(Fraction(1, 2)))
    reports = layer_reports(program)
    assert sum(one.cycles for one in reports) == program.cycles
    assert sum(one.instructions for one in reports) == len(program.instructions) > len(reports)
    assert sum(one.macs for one in reports) == program.macs
    assert "weights" in {one.bound for one in reports}


def test_operators_of_the_documentation_are_those_that_have_instructions():
    """The table is the one that is printed, and its circuits are those for which the compiler makes layers."""
    assert engine_table() in (Path(__file__).parent.parent / "docs/engine.md").read_text()
    lowering = Lowering(build_network(load("digits", None)), EngineParameters())
    assert set(instructions()) == {*lowering.makers, *SEVERAL_LAYERS}
    assert all(instructions().values())
