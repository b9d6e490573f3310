"""Requantisation and the credit queue behind it as a stream: every form, all stalls, resets, three frames back to
back."""

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from test_hdl_requantize import FORMATS, random_accumulators, random_words

from mbconv.generators.constants.weights import pack_records
from mbconv.hdl.credit_queue import CreditQueue
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.requantize import Requantize, RequantizeParameters
from mbconv.hdl.requantize_format import RequantizeFormat
from mbconv.hdl.requantize_multiply import cheapest_plan, possible_plans
from mbconv.sim.circuits.testbench import Case, Payloads, run_cases

BEATS, FRAMES, SEED = 60, 3, 8


class RequantizeStream(Component):
    """A beat of accumulators and words each ``interval`` cycles while the queue has room."""

    def __init__(self, format: RequantizeFormat, lanes: int, interval: int, products: int, family: Family):
        self.requantize = Requantize(RequantizeParameters(format, lanes, interval, False, products, family))
        result = ArrayLayout(format.output, lanes)
        # A place is taken from acceptance to the cycle after departure.
        self.queue = CreditQueue(result, -(-(self.requantize.latency + 3) // interval) + 1)
        operands = StructLayout(
            {
                "accumulators": ArrayLayout(signed(format.accumulator_bits), lanes),
                "words": ArrayLayout(format.word_layout, lanes),
            }
        )
        super().__init__({"i": In(Signature(operands)), "o": Out(Signature(result))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize, m.submodules.queue = requantize, queue = self.requantize, self.queue
        connect(m, queue.o, flipped(self.o))
        wait = Signal(range(requantize.parameters.interval))
        accepted = self.i.valid & self.i.ready
        with m.If(accepted):
            m.d.sync += wait.eq(requantize.parameters.interval - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        m.d.comb += [
            self.i.ready.eq(queue.room & (wait == 0)),
            requantize.valid.eq(accepted),
            requantize.accumulators.eq(self.i.payload.accumulators),
            requantize.words.eq(self.i.payload.words),
            queue.reserve.eq(accepted),
            queue.push.eq(requantize.o_valid),
            queue.payload.eq(requantize.o),
        ]
        return m


def case(name: str, lanes: int, interval: int, products: int = 0, family: Family = GENERIC) -> Case:
    format = FORMATS[name]
    rng = np.random.default_rng([SEED, *name.encode(), lanes, interval])
    count = FRAMES * BEATS * lanes
    accumulators, words = random_accumulators(rng, format, count), random_words(rng, format, count)
    stream = RequantizeStream(format, lanes, interval, products, family)
    mask = (1 << format.accumulator_bits) - 1
    sums = pack_records([int(a) & mask for a in accumulators], format.accumulator_bits, lanes)
    records = pack_records(format.pack(words), format.word_bits, lanes)
    width = format.accumulator_bits * lanes
    return Case(
        f"{name}, {lanes} lanes, interval {interval}, {products} cells of {family.name}",
        stream,
        {"i": Payloads(s | r << width for s, r in zip(sums, records, strict=True))},
        {"o": format.compute(accumulators, words).reshape(-1, lanes)},
        FRAMES,
        interval=BEATS * interval,
        latency=(BEATS - 1) * interval + stream.requantize.latency + stream.queue.latency,
    )


def test_requantization_as_a_stream():
    cases = [case(name, 1, 1) for name in FORMATS]
    cases += [case("typical", lanes, interval) for lanes, interval in ((3, 1), (2, 2), (1, 5), (1, 16))]
    cases += [case("constants in the word", 2, 3), case("odd widths, wrapping sum", 1, 8), case("shift", 4, 2)]
    run_cases(cases)


NARROW = Family("narrow", multiplier_latency=2, product_bits=9)
WIDE = Family("wide", product_bits=18)


def cell_cases() -> list[tuple]:
    """Every number of multiplier cells with which each format multiplies, of wide and of narrow cells."""
    found = []
    for family, (name, format) in product((WIDE, NARROW), FORMATS.items()):
        if format.multiplier_bits:
            counts = sorted({plan.products for plan in possible_plans(format, 1, True, family)})
            found += [(name, 1, 1, count, family) for count in counts]
    return [*found, ("typical", 3, 1, 2, WIDE), ("typical", 2, 3, 3, NARROW), ("product kept whole", 2, 2, 1, NARROW)]


def test_requantization_in_multiplier_cells():
    run_cases([case(*arguments) for arguments in cell_cases()])


def test_the_cells_are_used_in_every_way():
    """The cases above reach the whole of either operand in the cells, and a part of it, in rows that are shared."""
    plans = [cheapest_plan(FORMATS[name], interval, *cells) for name, _, interval, *cells in cell_cases()]
    assert {(plan.digits_of_sum, plan.digits > 0) for plan in plans} == set(product((False, True), repeat=2))
    assert {plan.products for plan in plans} >= {1, 2, 3} and any(max(plan.units, default=0) > 1 for plan in plans)
    assert any(plan.dropped < 0 for plan in plans) and any(plan.dropped > 0 for plan in plans)


def test_cells_that_no_lane_multiplies_with_are_refused():
    with pytest.raises(ValueError, match="a lane multiplies in 2 multiplier cells, not 5"):
        RequantizeParameters(FORMATS["typical"], 1, products=5)
    with pytest.raises(ValueError, match="needs no multiplier cell, not 1"):
        RequantizeParameters(FORMATS["shift"], 1, products=1)
