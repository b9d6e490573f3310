"""cocotb test of an emitted engine: a network goes in, then frames; packets out, cycles. It needs cocotb and the files
beside it.

``vectors.json`` holds the network's packet and what a memory of weights holds for it, the packets of frames, in
hexadecimal, and what comes out by mbconv's golden model.
"""

import random

import cocotb
from cocotb.triggers import FallingEdge
from drivers import MANIFEST, VECTORS, Source, check_cycles, check_data, move, sinks_of, sources_of, start

AFTER_UPLOAD = 8  # cycles until a network is loaded, or refused


class Memory:
    """A memory of weights, of the timing that the manifest states: read in order, anew from each restart's place."""

    done = True

    def __init__(self, dut):
        self.name, self.paused = "weights", 0
        self.restart, self.place = dut.weights_restart, getattr(dut, "weights_place", None)
        self.valid, self.ready, self.data = (getattr(dut, f"s_axis_weights_t{n}") for n in ("valid", "ready", "data"))
        found = MANIFEST["memory"]
        self.size, self.latency = found["beat_bytes"], found["latency_cycles"]
        self.number, self.parts = found["beat_cycles"]
        self.bytes = bytes.fromhex(VECTORS["weights"])
        self.beat, self.rest, self.wait, self.reading, self.shown, self.held = 0, 0, 0, False, False, False
        self.valid.value = 0

    def drive(self, stall):
        self.shown = self.held or (self.reading and not self.wait and not stall)
        self.valid.value = int(self.shown)
        if self.shown:
            found = self.bytes[self.beat * self.size : (self.beat + 1) * self.size]
            self.data.value = int.from_bytes(found, "little")

    def sample(self, cycle):
        taken = self.shown and int(self.ready.value)
        self.held = self.shown and not taken
        self.wait = max(0, self.wait - 1)
        if taken:
            following = self.rest + self.number
            self.wait, self.rest = following // self.parts - 1, following % self.parts
            self.beat += 1
        if int(self.restart.value):
            place = 0 if self.place is None else int(self.place.value)
            self.beat, self.rest, self.wait, self.reading = place * 4 // self.size, 0, self.latency, True
            self.held = False
        return taken


async def run(dut, stalls, seed=1):
    """Reset, the network, then all frames."""
    generator = random.Random(seed)
    program = Source(dut, "s_axis_program", [VECTORS["program"]], 1)
    memory = [Memory(dut)] if MANIFEST["memory"] else []
    sources, sinks = sources_of(dut), sinks_of(dut)
    clock = await start(dut)
    await move(dut, [program, *memory], [program], stalls, generator)
    dut.s_axis_program_tvalid.value = 0
    for _ in range(AFTER_UPLOAD):
        await FallingEdge(dut.aclk)
    assert int(dut.program_loaded.value), "the network was not taken"
    assert not int(dut.program_failed.value)
    assert int(dut.program_number.value) == int.from_bytes(bytes.fromhex(VECTORS["program"])[-4:], "little")
    await move(dut, (*sources, *sinks, *memory), sinks, stalls, generator)
    clock.cancel()
    for sink in sinks:
        check_data(sink)
    for count in ("short_frames", "long_frames", "damaged_results"):
        assert not int(getattr(dut, count).value), f"{count} is {int(getattr(dut, count).value)}"
    return sources, sinks


@cocotb.test()
async def back_to_back(dut):
    """No stalls at either end: data, and the cycles of manifest.json."""
    check_cycles(dut, *await run(dut, 0))


@cocotb.test()
async def stalled(dut):
    """Random stalls at both ends and of the memory, after a reset and another upload: the same data."""
    await run(dut, 0.3)
