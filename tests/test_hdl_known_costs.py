"""Every circuit knows its cycles, its latency and its cost: as its Verilog has them, and as its page states them.

Cycles and latencies are also measured, by each circuit's own test and for whole networks.
"""

import re

import numpy as np
import pytest
from amaranth.hdl import Shape, signed
from circuits import OTHER, random_requantization

from mbconv.generators.emission.design import make_design
from mbconv.hdl.credit_queue import CreditQueue
from mbconv.hdl.elastic_source import ElasticSource
from mbconv.hdl.family import GENERIC
from mbconv.hdl.fifo import Fifo, RegisterQueue
from mbconv.hdl.requantize import Requantize, RequantizeParameters
from mbconv.hdl.rom_source import RomSource
from mbconv.hdl.round_memory import RoundMemory
from mbconv.hdl.verilog import to_verilog
from mbconv.models import load

FORMAT, _ = random_requantization(np.random.default_rng(0), np.ones((1, 4), np.int64), Shape.cast(signed(8)))
DISTRIBUTED = re.compile(r"reg \[(\d+):0\] \\?\w+\s*\[(\d+):0\];")
PLACE = re.compile(r"reg (?:\[(\d+):0\] )?place_\d+\b")


def circuits() -> dict[str, object]:
    """Those of a network with every kind of stage for two families, and the parts that they are made of."""
    found = {}
    for family in (GENERIC, OTHER):
        for stage in make_design(load("digits"), 16, family=family).stages:
            found[f"{type(stage.component).__name__}, {family.name}"] = stage.component
    depthwise, convolution = found["Depthwise, generic"], found["Convolution, generic"]
    parts = [depthwise.window, convolution.window, depthwise.widen, convolution.narrow]
    parts += [depthwise.mac.result.requantize, Requantize(RequantizeParameters(FORMAT, 2, 3))]
    parts += [Fifo(8, 1), Fifo(8, 9, family=OTHER), CreditQueue(8, 40), ElasticSource(8, 5, 2)]
    parts += [RomSource(8, [1, 2, 3], "words")]
    return found | {f"{type(part).__name__} {n}": part for n, part in enumerate(parts)}


CIRCUITS = circuits()


def test_every_stage_is_there():
    kinds = {"Pointwise", "Depthwise", "Convolution", "Add", "AveragePool"}
    assert {f"{kind}, {family.name}" for kind in kinds for family in (GENERIC, OTHER)} <= CIRCUITS.keys()


@pytest.mark.parametrize("name", CIRCUITS)
def test_cost_is_that_of_the_verilog(name):
    """Multipliers and memories are counted in the text; the registers in front of a block RAM's queue do not count."""
    circuit = CIRCUITS[name]
    made = to_verilog(circuit, "top")
    assert circuit.multipliers == sum(cell.count for cell in made.multipliers)
    block = sum(cell.width * cell.depth for cell in made.memories)
    distributed = sum((int(width) + 1) * (int(depth) + 1) for width, depth in DISTRIBUTED.findall(made.text))
    registers = sum(int(width or 0) + 1 for width in PLACE.findall(made.text))
    # The first place of a queue in registers has the name of its output.
    registers += sum(part.memory_bits // part.depth for part in inside(circuit, RegisterQueue))
    fronts = sum(queue.front.memory_bits for queue in inside(circuit, Fifo) if queue.in_block_ram)
    registers += sum(part.memory_bits for part in inside(circuit, RoundMemory) if part.in_registers)
    assert circuit.memory_bits == block + distributed + registers - fronts


def inside(circuit, kind: type) -> list:
    """Every part of a kind in a circuit."""
    parts = [part for part in vars(circuit).values() if hasattr(part, "elaborate")]
    return [circuit] * isinstance(circuit, kind) + [found for part in parts for found in inside(part, kind)]


@pytest.mark.parametrize("name", CIRCUITS)
def test_cycles_and_latency_are_stated(name):
    circuit = CIRCUITS[name]
    cycles = [getattr(circuit, f"cycles_per_{unit}", None) for unit in ("frame", "pixel", "group", "beat")]
    assert any(number is not None and number >= 1 for number in cycles)
    assert circuit.latency >= 0


def test_figures_of_digits():
    """By hand, from the circuits' pages."""
    stage = CIRCUITS["Depthwise, generic"]
    p = stage.parameters
    assert stage.cycles_per_frame == p.geometry.output_pixels * -(-p.channels // p.channel_folding) * -(-9 // p.taps)
    assert stage.multipliers == p.channel_folding * p.taps
    assert stage.window.latency == 1 + 1 + 2 + (2 if p.taps == 9 else 1)
    faster = CIRCUITS["Depthwise, other"]
    assert faster.window.latency == stage.window.latency - 1, "a memory of one cycle"


def test_a_queue_of_one_place_takes_two_cycles():
    assert [Fifo(8, depth).cycles_per_beat for depth in (1, 2, 33)] == [2, 1, 1]
