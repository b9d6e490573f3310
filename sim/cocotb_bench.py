"""The cocotb side of a bench: starts the clock, and for each run sets patterns and seed, resets and waits for the end.

Beats never pass through Python here: Verilog sources and sinks read and write files.
"""

import json
import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer

PERIOD = 2


@cocotb.test()
async def bench(dut):
    plan = json.loads(os.environ["MBCONV_BENCH_PLAN"])
    dut.rst.value = 0  # every run begins with the rise of rst, the first too
    dut.patience.value = plan["patience"]
    cocotb.start_soon(Clock(dut.clk, PERIOD, "step").start())
    for number, run in enumerate(plan["runs"]):
        await FallingEdge(dut.clk)
        for name, value in run["inputs"].items():
            getattr(dut, name).value = value
        dut.run.value = number
        if run["reset_after"] is not None:
            await reset(dut)
            await Timer(PERIOD * run["reset_after"], "step")
        await reset(dut)
        await RisingEdge(dut.finished)
    await FallingEdge(dut.clk)
    dut.run.value = len(plan["runs"])
    await reset(dut)  # the sources note at a reset how many beats were taken


async def reset(dut):
    dut.rst.value = 1
    await Timer(PERIOD, "step")  # from one falling edge to the next: one rising edge is enough
    dut.rst.value = 0
