"""Queues: order, depth, throughput and latency under every pattern of stalls."""

import numpy as np
import pytest
from amaranth.hdl import signed
from amaranth.lib.data import ArrayLayout

from mbconv.hdl.credit_queue import CreditQueue
from mbconv.hdl.fifo import Fifo
from mbconv.sim.circuits.testbench import Case, Run, run_cases
from mbconv.sim.circuits.testbench_case import ALWAYS, HALF


def queue_case(depth: int, frames: int = 3, beats: int = 150) -> Case:
    rng = np.random.default_rng(depth)
    shape = ArrayLayout(signed(5), 3)
    data = rng.integers(-16, 16, (frames * beats, 3))
    queue = Fifo(shape, depth)
    # A beat a cycle, except that a single place is either full or empty.
    interval = beats if depth > queue.latency else 2 * beats
    return Case(
        f"depth {depth}",
        queue,
        {"i": data},
        {"o": data},
        frames,
        interval=interval,
        latency=(interval // beats) * (beats - 1) + queue.latency,
    )


def test_fifo():
    run_cases([queue_case(depth) for depth in (1, 2, 3, 8, 31, 32, 33, 40, 64, 100)])


@pytest.mark.slow
def test_a_queue_of_more_than_65536_beats():
    """A map that waits whole for squeeze-excite: filled to its end, its places used more than once."""
    data = np.random.default_rng(3).integers(-128, 128, (180_000, 1))
    queue = Fifo(ArrayLayout(signed(8), 1), 70_001)
    run_cases([Case("70,001 beats", queue, {"i": data}, {"o": data}, 1)], runs=[Run(ALWAYS, HALF)], seeds=(1,))


def test_a_queue_holds_its_depth():
    assert Fifo(8, 5).memory_bits == 40
    with pytest.raises(ValueError, match="not 0"):
        Fifo(8, 0)


@pytest.mark.parametrize(("depth", "step"), [(3, 4), (4, 0)])
def test_credit_queue_refuses(depth, step):
    with pytest.raises(ValueError, match=str(min(depth, step))):
        CreditQueue(8, depth, step)
