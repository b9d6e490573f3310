"""The window: every tap of every output pixel, at the cycle that counting predicts."""

import zlib

import numpy as np
import pytest
from amaranth.hdl import Module, signed, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from circuits import OTHER
from windowed import window_times

from mbconv.hdl.credit_queue import CreditQueue
from mbconv.hdl.family import GENERIC
from mbconv.hdl.window import Window
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.hdl.window_parameters import WindowParameters
from mbconv.sim.circuits.testbench import STANDARD_RUNS, Case, Expected, Run, run_cases, tensor_beats
from mbconv.sim.circuits.testbench_check import read_log

FRAMES = 3


class QueuedWindow(Component):
    """A window as a stream, so that a test bench can drive it: a queue's room permits each step."""

    def __init__(self, window: Window, queue_depth: int):
        self.window = window
        self.queue = CreditQueue(window.o.shape(), queue_depth)
        self.latency = window.latency + self.queue.latency
        super().__init__({"i": In(Signature(window.i.payload.shape())), "o": Out(Signature(window.o.shape()))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.window, m.submodules.queue = self.window, self.queue
        connect(m, flipped(self.i), self.window.i)
        connect(m, self.queue.o, flipped(self.o))
        m.d.comb += [
            self.window.permit.eq(self.queue.room),
            self.queue.reserve.eq(self.window.issued),
            self.queue.push.eq(self.window.o_valid),
            self.queue.payload.eq(self.window.o),
        ]
        return m


def windows(geometry: WindowGeometry, frames: np.ndarray, pad_value: int) -> np.ndarray:
    """``[frames, output rows, output columns, kernel taps, channels]`` by indexing a padded copy."""
    top, bottom, left, right = geometry.padding
    padded = np.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad_value)
    taps = []
    for i in range(geometry.kernel[0]):
        for j in range(geometry.kernel[1]):
            rows = i + np.arange(geometry.output_height) * geometry.strides[0]
            columns = j + np.arange(geometry.output_width) * geometry.strides[1]
            taps.append(padded[:, rows[:, None], columns])
    return np.stack(taps, 3)


def seed_of(name: str) -> int:
    return zlib.crc32(name.encode())


def pictures(name: str, geometry: WindowGeometry, channels: int, low: int, high: int) -> np.ndarray:
    shape = (FRAMES, geometry.height, geometry.width, channels)
    return np.random.default_rng(seed_of(name)).integers(low, high, shape)


def queued_case(geometry, channels, lanes, taps, extra=0, shape=None, pad_value=-3, queue_depth=16) -> Case:
    """A case whose reference is :func:`windows`; ``extra`` pixels are added to the least capacity."""
    shape = signed(8) if shape is None else shape
    capacity = geometry.round_capacity(geometry.minimum_capacity(taps) + extra, taps)
    name = f"{geometry}, {channels} channels, {lanes} lanes, {taps} taps, {capacity} pixels, {shape!r}"
    family = (GENERIC, OTHER)[seed_of(name) % 2]  # one ring in two is not rounded up and has another latency
    window = Window(WindowParameters(geometry, shape, channels, lanes, taps, capacity, pad_value, family))
    low, high = (-(1 << shape.width - 1), 1 << shape.width - 1) if shape.signed else (0, 1 << shape.width)
    frames = pictures(name, geometry, channels, low, high)
    expected = windows(geometry, frames, pad_value)
    groups, steps = window.parameters.groups, window.parameters.steps
    # [frame, y, x, step, tap of the step, group, lane] to the order of issue and [lane][tap]
    whole = np.zeros((*expected.shape[:4], groups * lanes), int)
    whole[..., :channels] = expected
    whole = whole.reshape(FRAMES, -1, steps, taps, groups, lanes).transpose(0, 1, 4, 2, 5, 3)
    mask = np.broadcast_to((np.arange(groups * lanes) < channels).reshape(groups, 1, lanes, 1), whole.shape)
    beats, _ = tensor_beats(frames, lanes, filler=high - 1)
    return Case(
        name,
        QueuedWindow(window, queue_depth),
        {"i": beats},
        {"o": Expected(whole.reshape(-1, lanes, taps), mask.reshape(-1, lanes, taps))},
        frames=FRAMES,
    )


SAME = (1, 1, 1, 1)
CASES = [
    # unit stride, SAME, every number of taps, channels that lanes do not divide
    *(
        queued_case(WindowGeometry(5, 6, (3, 3), (1, 1), SAME), 5, 2, taps, extra)
        for taps in (1, 3, 9)
        for extra in (0, 7)
    ),
    # stride 2 as TFLite pads it, and with the last column and row never read
    *(queued_case(WindowGeometry(6, 8, (3, 3), (2, 2), (0, 1, 0, 1)), 3, 3, taps, 8) for taps in (1, 3, 9)),
    *(queued_case(WindowGeometry(6, 6, (3, 3), (2, 2), (0, 0, 0, 0)), 4, 2, taps) for taps in (1, 3, 9)),
    # strides that differ
    *(queued_case(WindowGeometry(5, 7, (3, 3), (1, 2), SAME), 2, 1, taps, 3) for taps in (1, 3, 9)),
    *(queued_case(WindowGeometry(7, 5, (3, 3), (2, 1), (1, 0, 2, 1)), 2, 2, taps, 3) for taps in (1, 3, 9)),
    # maps smaller than the kernel
    *(queued_case(WindowGeometry(1, 1, (3, 3), (1, 1), SAME), 3, 1, taps) for taps in (1, 3, 9)),
    *(queued_case(WindowGeometry(1, 5, (3, 3), (1, 1), SAME), 2, 2, taps) for taps in (1, 3, 9)),
    *(queued_case(WindowGeometry(2, 3, (5, 5), (1, 1), (2, 2, 2, 2)), 2, 1, taps) for taps in (1, 5, 25)),
    *(queued_case(WindowGeometry(4, 1, (3, 3), (1, 1), SAME), 1, 1, taps, 2) for taps in (1, 3, 9)),
    # other kernels
    *(queued_case(WindowGeometry(6, 7, (5, 5), (2, 2), (1, 2, 1, 2)), 3, 2, taps, 5) for taps in (1, 5, 25)),
    *(queued_case(WindowGeometry(4, 6, (1, 3), (1, 1), (0, 0, 1, 1)), 3, 1, taps) for taps in (1, 3)),
    *(queued_case(WindowGeometry(6, 4, (3, 1), (1, 1), (1, 1, 0, 0)), 3, 2, taps, 1) for taps in (1, 3)),
    # even kernels
    *(queued_case(WindowGeometry(6, 5, (2, 2), (2, 2)), 3, 2, taps) for taps in (1, 2, 4)),
    *(queued_case(WindowGeometry(6, 7, (4, 4), (1, 2), (1, 2, 1, 2)), 2, 1, taps, 5) for taps in (1, 4, 16)),
    *(queued_case(WindowGeometry(12, 6, (10, 4), (2, 2), (4, 5, 1, 1)), 1, 1, taps, 4) for taps in (1, 4, 40)),
    *(queued_case(WindowGeometry(12, 3, (10, 1), (1, 1), (4, 5, 0, 0)), 2, 2, taps) for taps in (1, 10)),
    *(queued_case(WindowGeometry(3, 6, (1, 2), (1, 2)), 3, 2, taps) for taps in (1, 2)),
    # kernel 1 with a stride that skips pixels, and with padding beyond the kernel
    queued_case(WindowGeometry(4, 4, (1, 1)), 3, 1, 1),
    queued_case(WindowGeometry(5, 6, (1, 1), (2, 3)), 3, 2, 1),
    # another element shape, and a queue that always holds the window back
    queued_case(WindowGeometry(4, 5, (3, 3), (1, 1), SAME), 4, 2, 3, 4, unsigned(5), 17),
    queued_case(WindowGeometry(4, 5, (3, 3), (1, 1), SAME), 4, 2, 3, 4, signed(11), -1000, queue_depth=1),
]


def check_cycles(case: Case, folder, index: int) -> None:
    """Every beat of the unstalled run came when counting says."""
    window = case.component.window.parameters
    if case.component.queue.depth < 16:
        return
    source = read_log(folder / f"case{index}_i.log")[0][-1]
    first = int(dict(line.split() for line in source)["first"])
    offered = np.full(FRAMES * window.geometry.pixels * window.groups, first)
    _, starts = window_times(
        window.geometry,
        capacity=window.capacity,
        groups=window.groups,
        steps=window.steps,
        offered=offered,
        frames=FRAMES,
    )
    expected = (starts[:, None] + np.arange(window.cycles_per_pixel)).ravel() + case.component.latency
    seen = [int(line.split()[0]) for line in read_log(folder / f"case{index}_o.log")[0][-1]]
    assert seen == expected.tolist(), case.name


@pytest.fixture(
    scope="module",
    params=[pytest.param(3, id="every third case"), pytest.param(1, id="all cases", marks=pytest.mark.slow)],
)
def simulated(request, tmp_path_factory):
    """The cases simulated, and the folder of what they did."""
    folder = tmp_path_factory.mktemp("window")
    cases = CASES[:: request.param]
    run_cases(cases, folder=folder)
    return cases, folder


def test_taps_are_right_under_all_stalls(simulated):
    """run_cases has compared every beat."""
    assert STANDARD_RUNS[0] == Run()


def test_every_step_is_issued_when_counting_says(simulated):
    cases, folder = simulated
    for index, case in enumerate(cases):
        check_cycles(case, folder, index)
