"""Every circuit knows its cycles, its latency and its cost in multipliers and memory bits."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed
from circuits import random_requantization

from mbconv.generators.emission.design import make_design
from mbconv.hdl.credit_queue import CreditQueue
from mbconv.hdl.fifo import Fifo
from mbconv.hdl.requantize import Requantize
from mbconv.hdl.rom_source import RomSource
from mbconv.models import load

FORMAT, _ = random_requantization(np.random.default_rng(0), np.ones((1, 4), np.int64), Shape.cast(signed(8)))


def circuits() -> dict[str, object]:
    """Those of a network with every kind of stage, and the parts that they are made of."""
    found = {}
    for stage in make_design(load("digits"), 16).stages:
        found[type(stage.component).__name__] = stage.component
    depthwise, convolution = found["Depthwise"], found["Convolution"]
    parts = [depthwise.window, convolution.window, depthwise.widen, convolution.narrow, depthwise.mac.result.requantize]
    parts += [Fifo(8, 1), CreditQueue(8, 40), Requantize(FORMAT, 2, 3), RomSource(8, [1, 2, 3], "words")]
    return found | {f"{type(part).__name__} {n}": part for n, part in enumerate(parts)}


CIRCUITS = circuits()


def test_every_stage_is_there():
    assert {"Pointwise", "Depthwise", "Convolution", "Add", "AveragePool"} <= CIRCUITS.keys()


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_circuit_knows_what_it_takes(name):
    circuit = CIRCUITS[name]
    cycles = [getattr(circuit, f"cycles_per_{unit}", None) for unit in ("frame", "pixel", "beat")]
    assert any(number is not None and number >= 1 for number in cycles)
    assert circuit.latency >= 0 and circuit.multipliers >= 0 and circuit.memory_bits >= 0


def test_a_queue_of_one_place_takes_two_cycles():
    assert [Fifo(8, depth).cycles_per_beat for depth in (1, 2, 33)] == [2, 1, 1]
