"""The memory that circuits are simulated with hides no hazard: what a family's block RAM leaves open is random."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from circuits import OTHER

from mbconv.hdl.credit_queue import CreditQueue, least_depth
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.primitives import Multipliers, Ram, Rom
from mbconv.sim.circuits.testbench import Case, CircuitFailure, Run, run_cases

ELEMENT = unsigned(16)


class WrittenAndRead(Component):
    """Each beat is written to a cell whose address is that of the read port as well."""

    i: In(Signature(ELEMENT))
    o: Out(Signature(ELEMENT))

    def __init__(self, family: Family):
        self.ram = Ram(ELEMENT, 2, family=family)
        self.queue = CreditQueue(ELEMENT, least_depth(self.ram.latency, family), family=family)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram, m.submodules.queue = self.ram, self.queue
        taken = self.i.valid & self.i.ready
        pushed = Signal(self.ram.latency)
        m.d.sync += pushed.eq(Cat(taken, pushed))
        m.d.comb += [
            self.i.ready.eq(self.queue.room),
            self.queue.reserve.eq(taken),
            self.ram.w_en.eq(taken),
            self.ram.w_data.eq(self.i.payload),
            self.queue.push.eq(pushed[-1]),
            self.queue.payload.eq(self.ram.r_data),
        ]
        connect(m, self.queue.o, flipped(self.o))
        return m


WORDS = np.random.default_rng(1).integers(0, 1 << 16, 40)


@pytest.mark.parametrize("family", [GENERIC, OTHER], ids=lambda family: family.name)
def test_a_word_that_is_read_while_it_is_written_is_undefined(family):
    """Neither the new word nor the old one, which some block RAMs give and others do not."""
    for expected in (WORDS, np.append(0, WORDS[:-1])):
        with pytest.raises(CircuitFailure):
            case = Case("a memory", WrittenAndRead(family), {"i": WORDS}, {"o": expected}, frames=1)
            run_cases([case], runs=[Run()])


def test_latencies_are_the_familys():
    for family in (GENERIC, OTHER):
        assert Ram(8, 4, family=family).latency == Rom([1, 2], 8, "words", family=family).latency
        assert Ram(8, 4, family=family).latency == family.memory_latency
        assert Multipliers(1, 8, 8, family=family).latency == family.multiplier_latency


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("memory_latency", 0),
        ("memory_latency", 3),
        ("multiplier_latency", 1),
        ("largest_register_queue", 1),
        ("largest_distributed", -1),
    ],
)
def test_families_that_no_circuit_is_built_for(field, value):
    with pytest.raises(ValueError, match=rf"{field} of the family odd is \d+ to \d+, not {value}"):
        Family("odd", **{field: value})


def test_where_queues_go():
    assert [OTHER.queue_latency(depth) for depth in (1, 8, 9)] == [1, 1, 3]
    assert [GENERIC.queue_latency(depth) for depth in (1, 32, 33)] == [1, 1, 4]
    assert [GENERIC.queue_in_registers(depth) for depth in (2, 3)] == [True, False]
    assert [GENERIC.rounded_depth(depth) for depth in (1, 5, 1024, 1025)] == [1, 8, 1024, 1025]
