"""Averages over windows: equal to the golden model at borders and within, cycles as counted."""

import numpy as np
import pytest
from amaranth.hdl import signed
from circuits import OTHER
from stage_cases import BYTES, operator_graph, stage_case, stage_of

from mbconv.generators.constants.pool_constants import window_requantization
from mbconv.generators.graph.graph import UINT8, Activation, Padding
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.hdl.family import GENERIC
from mbconv.hdl.window_average import WindowAverage, WindowAverageParameters, counts_of, elements_counted
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.hdl.window_parameters import WindowParameters
from mbconv.sim.circuits.testbench import run_cases

UNSIGNED = UINT8, 0.02, 9


def graph(size, channels, kernel, strides=(1, 1), same=False, activation=Activation.NONE, numbers=BYTES):
    padding = Padding.same(size, kernel, strides) if same else Padding()
    out = [
        (length + before + after - taps) // step + 1
        for length, taps, step, before, after in zip(
            size, kernel, strides, (padding.top, padding.left), (padding.bottom, padding.right), strict=True
        )
    ]
    return operator_graph(
        lambda *place: AveragePool(*place, kernel=kernel, strides=strides, padding=padding, activation=activation),
        [(1, *size, channels), (1, *out, channels)],
        [numbers, numbers],
    )


CASES = [
    # size, channels, kernel, strides, SAME, lanes, interval in beats of the output
    (((6, 8), 5, (2, 2), (2, 2)), {}, 2, 1),
    (((6, 8), 5, (2, 2), (2, 2)), {"same": True}, 5, 4),
    (((5, 6), 3, (3, 3)), {"same": True}, 1, 9),
    (((5, 6), 3, (3, 3)), {"same": True, "activation": Activation.RELU6}, 3, 1),
    (((7, 7), 4, (3, 3), (2, 2)), {"same": True}, 2, 3),
    (((7, 5), 2, (2, 5), (3, 1)), {"same": True, "numbers": UNSIGNED}, 1, 5),
    (((9, 4), 2, (5, 1), (1, 2)), {"same": True}, 2, 5),
    (((4, 4), 3, (4, 4)), {"same": True}, 3, 16),
    (((6, 6), 2, (6, 3)), {"activation": Activation.RELU_N1_TO_1}, 1, 18),
]


def test_averages():
    run_cases(cases(CASES[1:6:2]))


@pytest.mark.slow
def test_averages_of_every_kind():
    run_cases(cases(CASES))


def cases(chosen):
    made_cases = []
    for number, (shape, options, lanes, factor) in enumerate(chosen):
        made = graph(*shape, **options)
        beats = np.prod(made.tensors[1].shape[:3]) * -(-shape[1] // lanes)
        size = np.prod(made.tensors[0].shape[:3]) * -(-shape[1] // lanes)
        interval = int(max(beats * factor, size))
        family = OTHER if number % 3 == 2 else GENERIC
        made_cases.append(stage_case(f"{number}: {shape} {options}", made, lanes, interval=interval, family=family))
    return made_cases


def test_elements_of_windows():
    geometry = WindowGeometry(5, 4, (3, 3), (2, 1), (1, 1, 1, 1))
    assert elements_counted(geometry) == ((2, 3, 2), (2, 3, 3, 2))
    assert counts_of(geometry) == (4, 6, 9)
    assert counts_of(WindowGeometry(6, 6, (2, 2), (2, 2))) == (4,)


@pytest.mark.parametrize("counts", [(4, 6, 9), (1, 2, 3, 4, 6, 9), (49,), (20, 25)])
def test_words_divide_every_sum(counts):
    """The circuit's own arithmetic over every sum of every window."""
    found = window_requantization(graph((8, 8), 1, (3, 3)).operators[0], graph((8, 8), 1, (3, 3)), counts)
    for place, count in enumerate(counts):
        sums = np.arange(-128 * count, 127 * count + 1)
        wanted = np.sign(sums) * ((2 * np.abs(sums) + count) // (2 * count))
        rows = np.broadcast_to(sums, (len(counts), sums.size))
        np.testing.assert_array_equal(found.format.compute(rows, found.words)[place], wanted)


def test_what_is_refused():
    stage = stage_of(graph((5, 6), 3, (3, 3), same=True), 1)
    p = stage.component.parameters
    with pytest.raises(ValueError, match="padding of 5 would count; it must hold 0"):
        WindowAverageParameters(WindowParameters(p.window.geometry, signed(8), 3, 1, pad_value=5), p.format, p.words)
    with pytest.raises(ValueError, match="windows of 1 sizes need as many words, not 3"):
        WindowAverageParameters(WindowParameters(WindowGeometry(6, 6, (3, 3)), signed(8), 3, 1), p.format, p.words)
    with pytest.raises(ValueError, match=r"sums of 9 elements of signed\(16\) need 20 bits"):
        WindowAverageParameters(WindowParameters(p.window.geometry, signed(16), 3, 1), p.format, p.words)


def test_cost():
    stage = stage_of(graph((5, 6), 4, (3, 3), same=True), 2, interval=10_000)
    pool = stage.component
    assert isinstance(pool, WindowAverage)
    assert (pool.multipliers, pool.parameters.combinations, pool.parameters.sum_bits) == (0, 2 * (0 + 1), 12)
    assert pool.cycles_per_frame == 30 * 2 * 9 == stage.cycles
    assert pool.memory_bits == pool.window.memory_bits + pool.queue.memory_bits
