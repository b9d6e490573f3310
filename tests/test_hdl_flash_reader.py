"""The reader of a flash against a model that checks its protocol."""

import random

import pytest
from amaranth.hdl import Array, Const, Module
from amaranth.lib.wiring import Component, In, Out
from amaranth.sim import Simulator

from mbconv.hdl.counting import delayed
from mbconv.hdl.engine.flash_reader import FlashCommands, FlashReader
from mbconv.hdl.family import Family
from mbconv.sim.engine.flash_model import FlashError, FlashModel

ADDRESS = 0x020100


class PlainRom(Component):
    """A ROM for Amaranth's own simulator, in which the primitive's Verilog is not."""

    def __init__(self, rom):
        self.words, self.latency = Array(Const(word, rom.width) for word in rom.words), rom.latency
        super().__init__({"en": In(1), "addr": In(len(rom.addr)), "data": Out(rom.width)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.data.eq(delayed(m, self.words[self.addr], self.latency, "word"))
        return m


def contents(size: int = ADDRESS + 4096) -> bytes:
    return random.Random(3).randbytes(size)


def read(restarts, cycles, *, clock=24e6, delay=2, latency=1, ready=lambda cycle: True, commands=None, model=None):
    """Bytes taken since each restart, with the cycles of the first, and the model."""
    reader = FlashReader(ADDRESS, clock, delay, commands, family=Family("test", memory_latency=latency))
    reader.rom = PlainRom(reader.rom)
    flash = model or FlashModel(contents(), 1e9 / clock)
    taken: list[tuple[int, list[int], int]] = []

    async def testbench(ctx):
        pads = (1, 0, 13, 13)
        inputs = [15] * (delay - 1)  # registers from the lines to the circuit
        for cycle in range(cycles):
            ctx.set(reader.port.restart, cycle in restarts)
            ctx.set(reader.port.words.ready, ready(cycle))
            ctx.set(reader.in_, inputs[-1])
            await ctx.delay(1e-9)
            if ctx.get(reader.port.words.valid) and ready(cycle) and cycle not in restarts and taken:
                taken[-1][1].append(ctx.get(reader.port.words.payload))
                if taken[-1][2] < 0:
                    taken[-1] = (*taken[-1][:2], cycle)
            if cycle in restarts:
                taken.append((cycle, [], -1))
            seen = flash.cycle(*pads)
            inputs = [seen, *inputs[:-1]]
            pads = tuple(ctx.get(line) for line in (reader.select_n, reader.clock, reader.out, reader.drive))
            await ctx.tick()

    simulator = Simulator(reader)
    simulator.add_clock(1 / clock)
    simulator.add_testbench(testbench)
    simulator.run()
    return taken, flash, reader


@pytest.mark.parametrize(("clock", "delay", "latency"), [(24e6, 2, 1), (24e6, 2, 2), (48e6, 3, 1), (100e6, 4, 2)])
def test_bytes_come_in_order_at_half_a_byte_a_cycle(clock, delay, latency):
    start = 900
    taken, flash, reader = read({start}, start + 400, clock=clock, delay=delay, latency=latency)
    ((cycle, octets, first),) = taken
    assert first - cycle == reader.latency
    assert len(octets) == -(-(start + 400 - first) // 2)
    assert bytes(octets) == contents()[ADDRESS : ADDRESS + len(octets)]
    assert flash.commands == [0xFF, 0xAB, 0x50, 0x31]


def test_a_restart_before_all_is_prepared_waits():
    taken, _, _ = read({5}, 900)
    assert bytes(taken[0][1]) == contents()[ADDRESS:][: len(taken[0][1])]
    assert len(taken[0][1]) > 100


@pytest.mark.parametrize("seed", range(6))
def test_stalls_and_restarts_at_any_time(seed):
    """Nothing of before comes after a restart, nothing is lost where bytes wait for thousands of cycles."""
    rng = random.Random(seed)
    print("seed", seed)
    restarts = {300 + rng.randrange(1200) for _ in range(4)}
    busy = rng.random()
    holes = [(start := rng.randrange(300, 1500), start + rng.randrange(300)) for _ in range(3)]
    wants = [rng.random() < busy and not any(a <= c < b for a, b in holes) for c in range(2000)]
    taken, _, _ = read(restarts, 2000, ready=lambda cycle: wants[cycle])
    assert len(taken) == len(restarts)
    for _, octets, _ in taken:
        assert bytes(octets) == contents()[ADDRESS : ADDRESS + len(octets)]
    assert sum(len(octets) for _, octets, _ in taken) > 10


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        (FlashCommands(wake=0xAC), "in power-down|unknown"),
        (FlashCommands(wake_ns=1000), "ns after power-down"),
        (FlashCommands(value=0), "not enabled"),
        (FlashCommands(volatile=0x06), "unknown"),
        (FlashCommands(read=0x6B), "unknown"),
        (FlashCommands(mode=0x20), "a next read without a command"),
        (FlashCommands(rest_ns=0), "ns, 50 are needed"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_wrong_protocol_is_found(commands, message):
    with pytest.raises(FlashError, match=message):
        read({600}, 800, commands=commands, clock=48e6)


def test_a_flash_of_fewer_dummy_clocks_is_read_shifted():
    """No rule is broken: the checks behind the tiles of weights find it."""
    taken, _, _ = read({600}, 800, model=FlashModel(contents(), 1e3 / 24, dummy=2))
    assert bytes(taken[0][1]) == contents()[ADDRESS + 1 :][: len(taken[0][1])]


def test_what_no_flash_takes_is_refused():
    with pytest.raises(ValueError, match="24 bits"):
        FlashReader(1 << 24, 24e6)
    with pytest.raises(ValueError, match="1 to 8 cycles later, not 9"):
        FlashReader(0, 24e6, 9)
    with pytest.raises(FlashError, match="above the flash's 104"):
        FlashModel(b"", 5.0)
