"""Rests of pixels in front of their other beats: every beat and every cycle exact, whatever stalls."""

import numpy as np
import pytest
from circuits import OTHER

from mbconv.hdl.family import GENERIC
from mbconv.hdl.rest_queue import RestQueue
from mbconv.sim.circuits.testbench import Case, run_cases

FRAMES, PERIODS = 3, 5


def rest_case(rest: int, own: int, pixels: int, family=GENERIC) -> Case:
    rng = np.random.default_rng([rest, own, pixels])
    beats = rng.integers(0, 256, (FRAMES * PERIODS, pixels, rest + own))
    come = np.concatenate(
        [beats[:, :, :rest].reshape(FRAMES * PERIODS, -1), beats[:, :, rest:].reshape(FRAMES * PERIODS, -1)], axis=1
    )
    circuit = RestQueue(8, rest, own, pixels, family=family)
    interval = PERIODS * circuit.cycles_per_period
    return Case(
        f"{rest} + {own} of {pixels} pixels, {family.name}",
        circuit,
        {"i": come.reshape(-1)},
        {"o": beats.reshape(-1)},
        FRAMES,
        interval=interval,
        latency=interval - 1,
    )


def test_rests_come_first():
    shapes = [(1, 1, 2), (1, 3, 3), (2, 1, 2), (3, 2, 5), (1, 4, 1)]
    run_cases([rest_case(*shape, family) for shape in shapes for family in (GENERIC, OTHER)])


@pytest.mark.parametrize("wrong", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_a_count_below_one_is_refused(wrong):
    with pytest.raises(ValueError, match="must be at least 1, not 0"):
        RestQueue(8, *wrong)
