"""The memories that are counted are those of the Verilog; multipliers, block RAMs and LUTs follow the circuits."""

import re
from collections import Counter
from dataclasses import replace
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages

import numpy as np
import pytest
from amaranth.hdl import signed
from amaranth.lib.wiring import Component, In
from circuits import random_requantization

from mbconv import hdl
from mbconv.fpga.families import find_part
from mbconv.generators.planning.resources import Resources
from mbconv.hdl.add import Add
from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.average_pool import AveragePool
from mbconv.hdl.cost import Cost, MemoryCost, Products, cost
from mbconv.hdl.fifo import Fifo
from mbconv.hdl.gearbox import Gearbox
from mbconv.hdl.lookup import Lookup
from mbconv.hdl.operand import Operand
from mbconv.hdl.pointwise import Pointwise, PointwiseParameters
from mbconv.hdl.primitives import Rom, distinct_columns
from mbconv.hdl.rom_source import RomSource
from mbconv.hdl.separate import _Apart
from mbconv.hdl.verilog import to_verilog
from mbconv.hdl.window import Window
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.hdl.window_parameters import WindowParameters

INSTANCE = re.compile(r"mbconv_r[ao]m\s*#\((.*?)\n\s*\)\s*\S+\s*\(", re.DOTALL)
PARAMETER = re.compile(r"\.(WIDTH|DEPTH)\((?:\d+'s?d)?(\d+)\)")


ECP5_25, UP5K = find_part("LFE5U-25F").resources, find_part("iCE40UP5K").resources


def block_memories(component: Component) -> Counter:
    """Width and depth of every memory in a component's Verilog that stands behind a wrapper."""
    text = to_verilog(component, "top").text
    found = [dict(PARAMETER.findall(match[1])) for match in INSTANCE.finditer(text)]
    return Counter((int(parameters["WIDTH"]), int(parameters["DEPTH"])) for parameters in found)


def pointwise(**changes) -> Pointwise:
    fields = dict(inputs=16, outputs=24, input_folding=4, output_folding=8, input_lanes=2, lanes=4) | changes
    weights = np.random.default_rng(1).integers(-127, 128, (fields["outputs"], fields["inputs"]))
    format, _ = random_requantization(np.random.default_rng(2), weights, signed(8))
    return Pointwise(PointwiseParameters(data_shape=signed(8), weight_shape=signed(8), format=format, **fields))


def pool(channels: int) -> AveragePool:
    format, words = random_requantization(np.random.default_rng(3), np.ones((1, 9), np.int64), signed(8))
    return AveragePool(signed(8), channels, 1, 9, replace(format, accumulator_bits=16, sum_bits=None), words)


def addition(line: bool) -> Add:
    table = range(256) if line else [n * n % 1000 for n in range(256)]
    operands = Operand(signed(8), 3), Operand(signed(8), 3)
    return Add(*operands, signed(8), AddConstants(table, table, 2, 1, 2, 0, -128, 127))


GEOMETRY = WindowGeometry(8, 9, (3, 3), (1, 1), (1, 1, 1, 1))
CIRCUITS = {
    "pointwise": (pointwise, 32),
    "pointwise with a queue in block RAM": (lambda: pointwise(queue_depth=60), 32),
    "pointwise with sources that pause": (lambda: pointwise(elastic=True), 32),
    "window of one tap": (lambda: Window(WindowParameters(GEOMETRY, shape=signed(8), channels=8, lanes=2)), 0),
    "window of a row": (lambda: Window(WindowParameters(GEOMETRY, shape=signed(8), channels=8, lanes=4, taps=3)), 0),
    "window of all taps": (lambda: Window(WindowParameters(GEOMETRY, shape=signed(8), channels=8, lanes=8, taps=9)), 0),
    "pool in registers": (lambda: pool(32), 0),
    "pool in block RAM": (lambda: pool(33), 0),
    "addition by lines": (lambda: addition(True), 0),
    "addition by tables": (lambda: addition(False), 0),
    "tables": (lambda: Lookup(signed(8), signed(8), 4, 2, np.zeros((4, 256), np.int64)), 0),
    "queue": (lambda: Fifo(signed(8), 90), 0),
    "gearbox": (lambda: Gearbox(signed(8), 12, 4, 3), 0),
    "weights": (lambda: RomSource(signed(32), [7] * 100, "weights"), 0),
}


@pytest.mark.parametrize(("make", "multipliers"), CIRCUITS.values(), ids=CIRCUITS)
def test_circuits(make, multipliers):
    circuit = make()
    found = cost(circuit)
    expected = block_memories(circuit)
    counted = Counter((m.width, m.depth) for m in found.memories if not (m.read_at_once or m.in_registers))
    assert counted == expected
    assert found.multipliers == multipliers
    assert found.logic > 0 or not multipliers
    assert cost(circuit, [circuit], {"again": circuit}) == found, "an object counts once"


def test_more_work_takes_more_logic():
    counts = [cost(pointwise(input_folding=4, output_folding=p)).logic for p in (4, 8, 12)]
    assert counts == sorted(counts)


def test_where_memories_go():
    lattice, ice40 = ECP5_25.circuits, UP5K.circuits
    small, large = MemoryCost(8, 32), MemoryCost(8, 33)
    assert not small.in_block_ram(lattice) and large.in_block_ram(lattice) and small.in_block_ram(ice40)
    assert [MemoryCost(8, depth, constant=True).in_block_ram(ice40) for depth in (32, 33)] == [False, True]
    assert [MemoryCost(8, depth).in_block_ram(ice40) for depth in (16, 17)] == [False, True], "128 bits of registers"
    queue = MemoryCost(8, 16, read_at_once=True)
    assert not queue.in_block_ram(ice40)
    assert [memory.may_move(lattice) for memory in (small, large, queue)] == [True, False, False]
    assert (queue.luts(lattice), MemoryCost(8, 16, constant=True).luts(lattice), queue.luts(ice40)) == (12, 8, 192)
    found = Cost(100, (small, large, queue), multipliers=3)
    assert [Resources(found, device).block_rams for device in (ECP5_25, UP5K)] == [1, 2]
    assert Resources(found, ECP5_25).luts == 100 + small.luts(lattice) + 12
    assert found.memory_bits == 8 * (32 + 33 + 16)


def test_constant_columns_that_are_alike_are_one():
    words = [0b0000, 0b1011, 0b0011]  # bit 0 and 1 alike, bit 2 the same in all
    assert distinct_columns(words, 4) == 2
    assert distinct_columns([w ^ 0b0010 for w in words], 4) == 2, "an opposite one is the same table"
    assert cost(Rom(words, 4, "words")).memories[0].luts(ECP5_25.circuits) == 2


def test_products_without_a_block_are_luts():
    def found(device, *counts: tuple[int, int]) -> Resources:
        return Resources(Cost(100, products=tuple(Products(count, 8, width) for count, width in counts)), device)

    # Eight blocks of two products each, or of one where an operand is wider than 8 bits.
    cases = [
        ([(16, 8)], 0),
        ([(1, 8)] * 8, 0),
        ([(1, 8)] * 9, 1),
        ([(3, 8)] * 5, 3),
        ([(9, 9)], 1),
        ([(8, 9), (2, 8)], 2),
    ]
    for counts, outside in cases:
        assert found(UP5K, *counts).products_in_luts == outside, counts
        assert found(UP5K, *counts).luts == 100 + 150 * outside
    assert found(ECP5_25, (29, 8)).products_in_luts == 1
    assert found(ECP5_25, (1, 19)).products_in_luts == 1, "too wide for any block"


def test_every_circuit_says_what_it_takes():
    """All of ``hdl`` but the engine, which no plan is made for."""
    found = set()
    for info in walk_packages(hdl.__path__, "mbconv.hdl."):
        module = import_module(info.name)
        found |= {thing for _, thing in getmembers(module, isclass) if issubclass(thing, Component)}
    circuits = {circuit for circuit in found if circuit.__module__.startswith("mbconv.hdl.")} - {_Apart}
    circuits = {
        circuit
        for circuit in circuits
        if not circuit.__module__.startswith(("mbconv.hdl.link.engine_", "mbconv.hdl.engine."))
    }
    assert len(circuits) > 25
    silent = [c.__name__ for c in circuits if not isinstance(getattr(c, "own_cost", None), Cost | property)]
    assert not silent


def test_a_circuit_that_does_not_is_an_error():
    class Sorter(Component):
        def __init__(self):
            super().__init__({"i": In(8)})

    with pytest.raises(TypeError, match="Sorter does not say what it takes: it needs own_cost, a Cost"):
        cost(Sorter())
