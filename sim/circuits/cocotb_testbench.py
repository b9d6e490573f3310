"""The cocotb side of a simulation: starts the clock; for each run sets patterns and seed, resets and waits for the end.

Beats never pass through Python here: Verilog sources and sinks read and write files.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, First, RisingEdge, Timer
from cocotb.utils import get_sim_time

PERIOD = 2
REPORT_CYCLES = 10_000


@cocotb.test()
async def testbench(dut):
    plan = json.loads(os.environ["MBCONV_BENCH_PLAN"])
    # Every run begins with the rise of rst, the first too; its value at the first edges may be that of the simulator's
    # random start.
    dut.rst.value = 0
    dut.patience.value = plan["patience"]
    cocotb.start_soon(Clock(dut.clk, PERIOD, "step").start())
    await Timer(2 * PERIOD, "step")
    for number, run in enumerate(plan["runs"]):
        await FallingEdge(dut.clk)
        for name, value in run["inputs"].items():
            getattr(dut, name).value = value
        dut.run.value = number
        if run["reset_after"] is not None:
            await reset(dut)
            await Timer(PERIOD * run["reset_after"], "step")
        await reset(dut)
        start = get_sim_time("step")
        choose_waves(start)
        await finish(dut, start)
    await FallingEdge(dut.clk)
    outputs = {name: int(getattr(dut, name).value) for name in plan["outputs"]}
    end = {"cycles": int(get_sim_time("step") - start) // PERIOD, "outputs": outputs}
    Path("end.json").write_text(json.dumps(end), encoding="utf-8")
    dut.run.value = len(plan["runs"])
    await reset(dut)  # the sources note at a reset how many beats were taken


def choose_waves(start):
    """Tell the writer of waveforms, which reads the environment of this process, the steps that it is to write."""
    if cycles := os.environ.get("MBCONV_WAVES_CYCLES"):
        first, end = (int(start) + PERIOD * int(cycle) for cycle in cycles.split(":"))
        os.environ["MBCONV_WAVES_STEPS"] = f"{int(start)}:{first}:{end}"


async def reset(dut):
    dut.rst.value = 1
    await Timer(PERIOD, "step")  # from one falling edge to the next: one rising edge is enough
    dut.rst.value = 0


async def finish(dut, start):
    """Wait for the end, and meanwhile report cycles and beats if somebody listens."""
    finished = RisingEdge(dut.finished)
    if "MBCONV_REPORT" not in os.environ:
        await finished
        return
    with os.fdopen(os.dup(int(os.environ["MBCONV_REPORT"])), "w", buffering=1) as report:
        while not int(dut.finished.value):
            await First(finished, Timer(PERIOD * REPORT_CYCLES, "step"))
            print(int(get_sim_time("step") - start) // PERIOD, int(dut.moved.value), file=report)
