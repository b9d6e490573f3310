"""The gearbox: every combination of lanes and padding, its data exact, its cycles those of the slower side."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from elements import random_elements

from mbconv.generators.timing.edge_timing import RegroupTiming, beat_ends
from mbconv.hdl.gearbox import Gearbox
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3
PIXELS = 11


def beats_of(tensor: np.ndarray, lanes: int, contiguous: bool, filler: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The beats of frames ``[frames, pixels, channels]``, padded for each pixel or once for each frame."""
    return tensor_beats(tensor.reshape(len(tensor), -1) if contiguous else tensor, lanes, filler)


def gearbox_case(
    channels: int,
    lanes_in: int,
    lanes_out: int,
    contiguous: int = 0,
    *,
    shape: Shape = signed(8),
    pixels: int = PIXELS,
) -> Case:
    """``contiguous``: 1 the input, 2 the output, 3 both."""
    rng = np.random.default_rng([channels, lanes_in, lanes_out, contiguous])
    x = random_elements(rng, shape, (FRAMES, pixels, channels))
    given, _ = beats_of(x, lanes_in, bool(contiguous & 1), random_elements(rng, shape, (97,)))
    expected, mask = beats_of(x, lanes_out, contiguous > 1, 0)
    circuit = Gearbox(
        shape,
        channels,
        lanes_in,
        lanes_out,
        contiguous_in=bool(contiguous & 1),
        contiguous_out=contiguous > 1,
        pixels=pixels,
    )
    assert circuit.cycles_per_frame == max(len(given), len(expected)) // FRAMES
    last = RegroupTiming.of_gearbox(circuit).run(np.zeros(len(given), np.int64))
    return Case(
        f"{channels} channels, {lanes_in} to {lanes_out} lanes, {pixels} pixels, contiguous {contiguous}, {shape}",
        circuit,
        {"i": given},
        {"o": Expected(expected, mask)},
        FRAMES,
        interval=circuit.cycles_per_frame,
        latency=int(last[len(expected) // FRAMES - 1]),
    )


def test_padded():
    pairs = ((12, 3, 4), (12, 4, 3), (7, 3, 2), (10, 4, 6), (5, 8, 3), (16, 5, 7), (6, 6, 6), (7, 1, 4), (9, 4, 2))
    run_cases([gearbox_case(*pair) for pair in pairs])


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_contiguous(seed):
    rng = np.random.default_rng(seed)
    shapes = (signed(8), unsigned(3), signed(12))
    cases = {}
    for contiguous in (1, 2, 3):
        for shape in shapes * 2:
            channels, lanes_in, lanes_out = (int(rng.integers(1, 12)) for _ in range(3))
            pixels = int(rng.choice([1, 2, PIXELS]))
            case = gearbox_case(channels, lanes_in, lanes_out, contiguous, shape=shape, pixels=pixels)
            cases[case.name] = case
    # the first two need all of the capacity, one word more than whole beats would
    for pair in ((11, 6, 7, 1), (13, 4, 6, 0), (3, 4, 3, 1), (3, 1, 4, 2), (3, 16, 3, 1), (5, 3, 8, 2)):
        case = gearbox_case(*pair)
        cases[case.name] = case
    run_cases(list(cases.values()), seeds=(seed + 1,))


@pytest.mark.parametrize("channels", range(1, 15))
def test_capacity(channels):
    """Counting units only: for all small parameters and any source, no beat leaves later than from an unlimited
    buffer, and a source that is always valid gets the cycles of the formula."""
    rng = np.random.default_rng(channels)
    for lanes_in in range(1, 10):
        for lanes_out in range(1, 10):
            for contiguous in range(4):
                options = {"contiguous_in": bool(contiguous & 1), "contiguous_out": contiguous > 1, "pixels": 5}
                gearbox = Gearbox(8, channels, lanes_in, lanes_out, **options)
                if gearbox.simple is not None:
                    continue
                timing = RegroupTiming.of_gearbox(gearbox)
                count = beat_ends(timing.elements, timing.run_in, lanes_in).size * FRAMES
                steady = np.arange(count)
                for offered in (steady, steady + np.cumsum(rng.choice([0, 0, 0, 1, 3], count))):
                    left = count_cycles(gearbox, offered)
                    assert (left == timing.run(offered)).all(), (channels, lanes_in, lanes_out, options)
                    if offered is steady:
                        assert left[-1] - left[-1 - len(left) // FRAMES] == gearbox.cycles_per_frame


def count_cycles(gearbox: Gearbox, offered: np.ndarray) -> np.ndarray:
    """When each output beat leaves the buffer, given when each input beat is offered."""

    def beats(run: int, lanes: int) -> list[int]:
        ends = beat_ends(gearbox.channels * gearbox.pixels, run, lanes)
        return [-(-int(elements) // gearbox.unit) for elements in np.diff(ends, prepend=0)] * FRAMES

    given, taken = beats(gearbox.run_in, gearbox.lanes_in), beats(gearbox.run_out, gearbox.lanes_out)
    level = cycle = i = 0
    left: list[int] = []
    while len(left) < len(taken):
        accept = i < len(given) and offered[i] <= cycle and level + given[i] <= gearbox.capacity
        if level >= taken[len(left)]:
            level -= taken[len(left)]
            left.append(cycle)
        if accept:
            level += given[i]
            i += 1
        cycle += 1
        assert cycle < 100_000, "deadlock"
    return np.array(left)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, 0, 4), "lanes_in must be at least 1, not 0"),
        ((4, 4, -1), "lanes_out must be at least 1, not -1"),
        ((0, 4, 4), "channels must be at least 1, not 0"),
    ],
)
def test_gearbox_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Gearbox(8, *arguments)


def test_timing_refuses_parts_of_frames():
    with pytest.raises(ValueError, match="7 beats are not whole frames of 6"):
        RegroupTiming.of_gearbox(Gearbox(8, 9, 3, 4, pixels=2)).run(np.zeros(7, np.int64))
