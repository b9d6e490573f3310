"""cocotb test of an emitted design: packets in, packets out, cycles. It needs cocotb and the files beside it.

``vectors.json`` holds one packet a frame for every port, in hexadecimal, what comes out by mbconv's golden model;
the manifest describes the ports and predicts the cycles.
"""

import json
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

HERE = Path(__file__).resolve().parent
MANIFEST_NAME = "manifest.json"
MANIFEST = json.loads((HERE.parent / MANIFEST_NAME).read_text(encoding="utf-8"))
VECTORS = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))
# Of each AXI4-Stream the tensors of its packets, in turn: one, or where outputs are merged all of them.
PORTS = {
    name: [port for port in MANIFEST["ports"] if port["name"] == name]
    for name in dict.fromkeys(port["name"] for port in MANIFEST["ports"])
}
INTERVAL, LATENCY = MANIFEST["interval_cycles"], MANIFEST["latency_cycles"]
PATIENCE = 2 * max(INTERVAL, LATENCY) + 100_000
FRAMES_FOR_INTERVAL = MANIFEST["measuring_frames"]


class Source:
    """Sends the packets of an input: a beat is put on the port at a falling edge and held until it was taken."""

    def __init__(self, dut, name, packets, width):
        self.valid, self.ready = getattr(dut, f"{name}_tvalid"), getattr(dut, f"{name}_tready")
        self.fields = [getattr(dut, f"{name}_{field}") for field in ("tdata", "tkeep", "tlast")]
        self.beats = [beat for packet in packets for beat in beats(packet, width)]
        self.name, self.paused = name, 0
        self.next, self.shown, self.taken, self.first = 0, False, True, None
        self.valid.value = 0

    @property
    def done(self):
        return self.next == len(self.beats)

    def drive(self, stall):
        if not self.taken:
            return
        show = self.next < len(self.beats) and not stall
        self.paused += self.next < len(self.beats) and stall
        if show:
            for field, value in zip(self.fields, self.beats[self.next], strict=True):
                field.value = value
            self.taken = False
        if show != self.shown:
            self.valid.value = int(show)
        self.shown = show

    def sample(self, cycle):
        if not self.shown or not int(self.ready.value):
            return False
        self.first = cycle if self.first is None else self.first
        self.next += 1
        self.taken = True
        return True


class Sink:
    """Receives the packets of an output, whole beats with their marks, and notes the cycles at which they end."""

    def __init__(self, dut, name, count):
        self.name, self.count, self.paused = name, count, 0
        self.valid, self.ready = getattr(dut, f"{name}_tvalid"), getattr(dut, f"{name}_tready")
        self.fields = [getattr(dut, f"{name}_{field}") for field in ("tdata", "tkeep", "tlast", "tuser")]
        self.packets, self.ends, self.beats = [], [], []
        self.open = False
        self.ready.value = 0

    @property
    def done(self):
        return len(self.packets) == self.count

    def drive(self, stall):
        self.paused += stall
        if self.open == stall:
            self.open = not stall
            self.ready.value = int(self.open)

    def sample(self, cycle):
        if not self.open or not int(self.valid.value):
            return False
        self.beats.append(tuple(int(field.value) for field in self.fields))
        if self.beats[-1][2]:
            self.packets.append(self.beats)
            if len(self.packets) % len(PORTS[self.name]) == 0:
                self.ends.append(cycle)
            self.beats = []
        return True


def beats(packet, width):
    """A packet's beats ``(tdata, tkeep, tlast)``: full but for the last, which keeps the bytes that are left."""
    data = bytes.fromhex(packet)
    return [
        (
            int.from_bytes(data[start : start + width], "little"),
            (1 << len(data[start : start + width])) - 1,
            int(start + width >= len(data)),
        )
        for start in range(0, len(data), width)
    ]


def sources_of(dut):
    """Of the packets of all inputs."""
    return [Source(dut, name, found, PORTS[name][0]["data_bytes"]) for name, found in VECTORS["inputs"].items()]


def sinks_of(dut):
    """For the packets of all outputs."""
    return [Sink(dut, name, len(packets)) for name, packets in VECTORS["outputs"].items()]


async def start(dut):
    """A clock, and a reset; ports are at rest. Returns the clock."""
    dut.aresetn.value = 0
    clock = cocotb.start_soon(Clock(dut.aclk, 2, "ns").start())
    for _ in range(4):
        await FallingEdge(dut.aclk)
    dut.aresetn.value = 1
    return clock


async def move(dut, ports, awaited, stalls, generator):
    """Drive all ports until those awaited are done; ``stalls`` is the probability that a port pauses in a cycle.
    Returns the cycles."""
    cycle, idle = 0, 0
    while not all(port.done for port in awaited):
        for port in ports:
            port.drive(stalls > 0 and generator.random() < stalls)
        await ReadOnly()
        moved = [port.sample(cycle) for port in ports]
        idle = 0 if any(moved) else idle + 1
        assert idle < PATIENCE, f"nothing moved for {idle} cycles"
        await FallingEdge(dut.aclk)
        cycle += 1
    return cycle


async def stream(dut, stalls, seed=1):
    """Reset, then all packets through the design."""
    sources, sinks = sources_of(dut), sinks_of(dut)
    clock = await start(dut)
    cycle = await move(dut, (*sources, *sinks), sinks, stalls, random.Random(seed))
    clock.cancel()
    if stalls:
        paused = ", ".join(f"{port.name} {port.paused}" for port in (*sources, *sinks))
        dut._log.info("stalls of seed %d: of %d cycles paused %s", seed, cycle, paused)
    return sources, sinks


def check_data(sink):
    """Every packet of an output: its length, its marks and its elements."""
    ports = PORTS[sink.name]
    width = ports[0]["data_bytes"]
    for number, (received, packet) in enumerate(zip(sink.packets, VECTORS["outputs"][sink.name], strict=True)):
        frame, port = number // len(ports), ports[number % len(ports)]
        where, expected = f"frame {frame} of {sink.name}", beats(packet, width)
        assert len(received) == len(expected), f"{where} has {len(received)} beats instead of {len(expected)}"
        marks = [beat[1:] for beat in received]
        wrong = [n for n, (_, keep, last) in enumerate(expected) if marks[n] != (keep, last, 0)]
        assert not wrong, f"{where}: TKEEP, TLAST, TUSER of beat {wrong[0]} are {marks[wrong[0]]}"
        wanted = bytes.fromhex(packet)
        octets = b"".join(beat[0].to_bytes(width, "little") for beat in received)[: len(wanted)]
        assert octets == wanted, difference(port, frame, octets, wanted)


def steady_interval(ends):
    """Cycles between the last two frames of an output, or the mean of a rhythm that the last of them repeat."""
    between = [later - sooner for sooner, later in zip(ends, ends[1:])]  # noqa: B905, RUF007
    for period in range(1, len(between) // 2 + 1):
        if between[-period:] == between[-2 * period : -period]:
            return -(-sum(between[-period:]) // period)
    return between[-1]


def difference(port, frame, octets, wanted):
    """Where the first element differs, and both values."""
    height, width, channels = port["order"]
    size = len(wanted) // (height * width * channels)
    signed = not port["type"].startswith("u")
    index = next(i for i in range(len(wanted)) if octets[i] != wanted[i]) // size
    found, right = (int.from_bytes(data[index * size : (index + 1) * size], "little", signed=signed)
                    for data in (octets, wanted))  # fmt: skip
    pixel, channel = divmod(index, channels)
    row, column = divmod(pixel, width)
    return (
        f"{port['name']} (tensor {port['tensor']}), frame {frame}, row {row}, column {column}, channel {channel}: "
        f"{found} instead of {right}"
    )


def check_cycles(dut, sources, sinks):
    """Latency and interval of a run without stalls, as manifest.json predicts them."""
    slowest = max(sinks, key=lambda sink: sink.ends[0])
    latency = slowest.ends[0] - min(source.first for source in sources)
    dut._log.info("latency %d cycles, predicted %d", latency, LATENCY)
    assert latency == LATENCY, f"latency {latency}, predicted {LATENCY}"
    if len(slowest.ends) >= FRAMES_FOR_INTERVAL:
        interval = max(steady_interval(sink.ends) for sink in sinks)
        dut._log.info("interval %d cycles, predicted %d", interval, INTERVAL)
        assert interval == INTERVAL, f"interval {interval}, predicted {INTERVAL}"


@cocotb.test()
async def back_to_back(dut):
    """No stalls at either end: data, and the cycles of manifest.json."""
    sources, sinks = await stream(dut, 0)
    for sink in sinks:
        check_data(sink)
    check_cycles(dut, sources, sinks)


@cocotb.test()
async def stalled(dut):
    """Random stalls at both ends, after a reset: the same data."""
    _, sinks = await stream(dut, 0.3)
    for sink in sinks:
        check_data(sink)
