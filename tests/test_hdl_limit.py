"""Values held within limits: bits that say it, comparisons where none does."""

from itertools import product

import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.sim import Simulator

from mbconv.hdl.limit import limit_luts, limited

LIMITS = [
    (low, high) for low, high in product((-20, -16, -8, -3, -1, 0, 1, 5), (-2, -1, 0, 3, 6, 7, 15, 40)) if low <= high
]


@pytest.mark.parametrize("bits", [1, 2, 4, 6])
def test_every_value(bits):
    m, value = Module(), Signal(signed(bits))
    results = [Signal(signed(8)) for _ in LIMITS]
    m.d.comb += [result.eq(limited(value, *limits)) for result, limits in zip(results, LIMITS, strict=True)]

    async def testbench(ctx):
        for number in range(-(1 << bits - 1), 1 << bits - 1):
            ctx.set(value, number)
            for result, (low, high) in zip(results, LIMITS, strict=True):
                assert ctx.get(result) == min(max(number, low), high), (number, low, high)

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()


def test_limits_of_a_type_cost_no_comparison():
    assert limit_luts(15, -128, 127, 8) == limit_luts(15, 0, 255, 8) == 18
    assert limit_luts(15, -128, 100, 8) == 28 and limit_luts(15, -100, 100, 8) == 38
