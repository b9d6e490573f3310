"""A frame's last layers among the first of the next: results, cycles, and what is said of whose packet."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from engine_networks import FASTER, OVERLAPPING, faults, random_work

from mbconv.frames import random_frames
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import Loads
from mbconv.generators.engine.overlap import Part, Work, merge
from mbconv.generators.engine.program_file import stream_bytes
from mbconv.generators.engine.segments import Piece
from mbconv.generators.engine.streams import stream_places
from mbconv.models import load
from mbconv.sim.circuits.testbench_case import HALF
from mbconv.sim.engine import simulate
from mbconv.sim.engine.simulate import simulate_programs


@pytest.fixture(scope="module")
def digits():
    return compile_network(load("digits", None), OVERLAPPING, timing=FASTER)


def test_two_frames_at_once_come_sooner(digits):
    """Every weight is in the stream for both, and in one of the two others."""
    plain = compile_network(digits.graph, replace(OVERLAPPING, overlaps=0), timing=FASTER)
    assert not plain.overlaps and digits.overlaps
    assert digits.interval < plain.interval
    early, both, late = (digits.streams[part] for part in Part)
    assert len(early) + len(late) == len(both) == len(plain.streams[Part.EARLY])
    assert sorted(map(tuple, np.concatenate([early, late]))) == sorted(map(tuple, both))
    assert not any(place % 8 for place in stream_places(OVERLAPPING, digits.streams).values())  # bursts of 32 bytes


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_intervals_add_up(digits, frames):
    """The last frame has none behind it, and comes sooner or later after the one before."""
    intervals = digits.intervals(frames)
    assert len(intervals) == frames - 1
    assert set(intervals[:-1]) <= {digits.interval}


def test_frames_in_a_row_and_alone(digits):
    """As predicted whether another frame waits or not, and after each of them again."""
    frames = random_frames(digits.graph, 3, 5)
    results = simulate_programs([(digits, frames), (digits, frames[:1]), (digits, frames[:2])])
    assert not faults(results)
    assert all(result.ok for result in results)
    assert [any(layer.two_frames for layer in result.layers) for result in results] == [True, False, True]


def test_stalls_and_a_reset(digits):
    work = [(digits, random_frames(digits.graph, 3, 6)), (digits, random_frames(digits.graph, 1, 7))]
    for seed, reset_after in ((1, None), (2, 9000)):
        assert not faults(simulate_programs(work, source=HALF, sink=HALF, seed=seed, reset_after=reset_after))


def test_a_packet_that_is_too_short_is_marked_alone(digits, monkeypatch):
    """Of three frames the second's ends early, while the first is computed still."""
    made = []

    def cut(program, values):
        beats = whole(program, values)
        made.append(beats)
        if len(made) != 2:
            return beats
        return [*beats[:7], beats[-1]]

    whole = simulate._frame_beats
    monkeypatch.setattr(simulate, "_frame_beats", cut)
    (result,) = simulate_programs([(digits, random_frames(digits.graph, 3, 8))])
    assert result.marked == (False, True, False)


@pytest.mark.parametrize(("part", "marked"), [(Part.EARLY, (True, False, False)), (Part.LATE, (False, False, True))])
def test_what_a_memory_gives_wrong_is_said(digits, monkeypatch, part, marked):
    """Weights for the first frame alone, or for the last one's late layers."""

    def flipped(program):
        stream = bytearray(stream_bytes(program))
        stream[4 * stream_places(program.parameters, program.streams)[part] + 50] ^= 4
        return bytes(stream)

    monkeypatch.setattr(simulate, "stream_bytes", flipped)
    (result,) = simulate_programs([(digits, random_frames(digits.graph, 3, 9))])
    assert result.marked == marked


@pytest.mark.slow  # a simulator of its own
def test_random_networks(tmp_path):
    """So few words of weights that some networks have them from outside, and are cut."""
    work = random_work(range(120), tmp_path, 3, replace(OVERLAPPING, weight_words=100), FASTER)
    assert any(program.overlaps for program, _ in work)
    assert not faults(simulate_programs(work))
    assert not faults(simulate_programs(work, source=HALF, sink=HALF, seed=4))


def test_late_pieces_come_where_their_weights_are():
    """Both frames' pieces keep their order; what late ones read is overwritten behind them."""
    early = [Work(Piece(number, 0, 1), 1000, 10) for number in range(8)]
    late = [Work(Piece(10 + number, 0, 1), 20, 90) for number in range(4)]
    merged = merge(early, late, 6, 200, Fraction(8))
    assert [piece.layer for piece, is_late in merged.order if not is_late] == list(range(8))
    assert [piece.layer for piece, is_late in merged.order if is_late] == list(range(10, 14))
    places = [piece.layer for piece, _ in merged.order]
    assert places[0] == 0 and places.index(6) > places.index(13)
    alone = merge(early, [], 8, 200, Fraction(8)).cycles
    assert merged.cycles < alone + sum(work.words for work in late) * 8  # loads are hidden


def test_a_check_is_that_of_its_tile():
    """Words that are used are known to be right when the check behind them has come."""
    loads = Loads(OVERLAPPING, FASTER, 0, 100, 100)
    assert loads.checked(1) == loads.checked(64) < loads.checked(65) == loads.checked(100) == loads.end()
