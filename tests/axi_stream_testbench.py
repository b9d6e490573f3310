"""The cocotb side of tests of AXI4-Stream designs: somebody else's source and sink (cocotbext-axi) at every port.

The plan comes in the environment variable ``AXI_STREAM_PLAN``, what happened goes to ``result.json``.
"""

import json
import os
import random
from itertools import repeat
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Combine, FallingEdge, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stream(dut):
    plan = json.loads(os.environ["AXI_STREAM_PLAN"])
    dut.aresetn.value = 0
    for name in plan["inputs"]:
        getattr(dut, f"{name}_empty").value = 0
    cocotb.start_soon(Clock(dut.aclk, 2, "ns").start())
    options = {"reset": dut.aresetn, "reset_active_level": False}
    sources = {
        name: AxiStreamSource(AxiStreamBus.from_prefix(dut, name), dut.aclk, **options) for name in plan["inputs"]
    }
    sinks = {name: AxiStreamSink(AxiStreamBus.from_prefix(dut, name), dut.aclk, **options) for name in plan["outputs"]}
    results = []
    for run in plan["runs"]:
        set_pauses(dut, sources, sinks, run)
        await reset(dut, run["reset_cycles"])
        if run["reset_after"] is not None:
            senders = [cocotb.start_soon(send(dut, sources[name], name, run["packets"][name])) for name in sources]
            await ClockCycles(dut.aclk, run["reset_after"])
            for sender in senders:
                sender.cancel()
            for end in (*sources.values(), *sinks.values()):
                end.clear()
            await reset(dut, run["reset_cycles"])
            for end in (*sources.values(), *sinks.values()):
                end.clear()
        received = {name: [] for name in sinks}
        tasks = [cocotb.start_soon(send(dut, sources[name], name, run["packets"][name])) for name in sources]
        tasks += [cocotb.start_soon(receive(sinks[name], received[name], run["frames"])) for name in sinks]
        await Combine(*tasks)
        await ClockCycles(dut.aclk, 100)
        status = {name: int(getattr(dut, name).value) for name in plan["status"]}
        surplus = {name: sink.count() for name, sink in sinks.items()}
        results.append({"received": received, "status": status, "surplus": surplus})
    Path("result.json").write_text(
        json.dumps({"runs": results, "broken_rules": int(dut.broken_rules.value)}), encoding="utf-8"
    )


def set_pauses(dut, sources, sinks, run):
    """Random pauses with a probability at each end, or sinks that are ready only for a beat that is there."""
    for index, source in enumerate(sources.values()):
        source.set_pause_generator(pauses(random.Random(run["seed"] + index), run["source_pause"]))
    for index, (name, sink) in enumerate(sinks.items()):
        if run["patient"]:
            sink.set_pause_generator(not int(getattr(dut, f"{name}_tvalid").value) for _ in repeat(None))
        else:
            sink.set_pause_generator(pauses(random.Random(run["seed"] - 1 - index), run["sink_pause"]))


def pauses(generator, probability):
    while True:
        yield generator.random() < probability


async def reset(dut, cycles):
    await FallingEdge(dut.aclk)
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, cycles)
    await FallingEdge(dut.aclk)
    dut.aresetn.value = 1


async def send(dut, source, name, packets):
    for packet in packets:
        if packet:
            await source.send(bytes.fromhex(packet))
            continue
        # an empty packet, for which the source sends no beat: by hand, when the source is done
        await source.wait()
        empty = getattr(dut, f"{name}_empty")
        empty.value = 1
        await RisingEdge(dut.aclk)
        while not int(getattr(dut, f"{name}_tready").value):
            await RisingEdge(dut.aclk)
        empty.value = 0


async def receive(sink, received, frames):
    for _ in range(frames):
        frame = await sink.recv(compact=False)
        received.append({"data": frame.tdata.hex(), "keep": frame.tkeep, "user": frame.tuser})
