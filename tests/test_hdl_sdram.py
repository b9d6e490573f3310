"""The reader of an SDRAM against a model that checks its times."""

import random
from dataclasses import replace

import pytest
from amaranth.sim import Simulator

from mbconv.fpga.boards import find_board
from mbconv.hdl.engine.memory_fill import MemoryFill
from mbconv.hdl.engine.sdram import Command, SdramReader, SdramTiming
from mbconv.hdl.engine.weight_port import PLACE_BYTES
from mbconv.hdl.family import Family
from mbconv.sim.engine.sdram_model import SdramError, SdramModel

REGISTERS = Family("test", largest_register_queue=64)
SMALL = SdramTiming(column_bits=5, start_ns=500.0)
"""Rows that end often; the pause after power is that of a simulation."""

COLORLIGHT = find_board("colorlight-i5").sdram_timing
"""32 bits, as a board has them."""


def run(cycles, *, clock=96e6, timing=SMALL, checked=None, filled=(), restarts=(), ready=lambda cycle: True, delay=2):
    """What is taken after each restart: (cycle of the restart, words, cycle of the first), the model, the reader."""
    reader = SdramReader(timing, clock, delay, family=REGISTERS)
    model = SdramModel(checked or timing, 1e9 / clock)
    taken: list[list] = []

    async def testbench(ctx):
        pads = (Command.NOTHING, 0, 0, 0, 0)
        inputs = [0] * (delay - 1)
        left = list(filled)
        for cycle in range(cycles):
            ctx.set(reader.port.restart, cycle in restarts)
            ctx.set(reader.port.words.ready, ready(cycle))
            ctx.set(reader.fill.valid, bool(left))
            ctx.set(reader.fill.payload, left[0] if left else 0)
            ctx.set(reader.dq_in, inputs[-1])
            await ctx.delay(1e-10)
            if left and ctx.get(reader.fill.ready):
                left.pop(0)
            if taken and ctx.get(reader.port.words.valid) and ready(cycle) and cycle not in restarts:
                taken[-1][1].append(ctx.get(reader.port.words.payload))
                taken[-1][2] = taken[-1][2] or cycle
            if cycle in restarts:
                taken.append([cycle, [], 0])
            inputs = [model.cycle(*pads), *inputs[:-1]]
            pads = tuple(
                ctx.get(line) for line in (reader.command, reader.bank, reader.address, reader.dq_out, reader.dq_drive)
            )
            await ctx.tick()
        assert not left, f"{len(left)} words were not taken"

    simulator = Simulator(reader)
    simulator.add_clock(1 / clock)
    simulator.add_testbench(testbench)
    simulator.run()
    return taken, model, reader


def words(count, bits=16, seed=4):
    rng = random.Random(seed)
    return [rng.randrange(1 << bits) for _ in range(count)]


@pytest.mark.parametrize(
    ("clock", "timing"),
    [
        (24e6, SMALL),
        (96e6, SMALL),
        (96e6, replace(SMALL, data_bits=32, cas=3)),
        (133e6, replace(SMALL, cas=3)),
        (70e6, replace(COLORLIGHT, start_ns=500.0)),
    ],
    ids=("24 MHz", "96 MHz", "32 bits, CAS 3", "133 MHz", "Colorlight"),
)
def test_what_was_written_is_read_in_order(clock, timing):
    wanted = words(600, timing.data_bits)
    cycles, restart = 2600, 1600
    taken, model, reader = run(cycles, clock=clock, timing=timing, filled=wanted, restarts={restart})
    ((_, found, first),) = taken
    assert found[:600] == wanted[: len(found)] and len(found) > 500
    assert sorted(model.words) == list(range(600))
    # a word a cycle, but for the ends of rows and the refreshes
    rows = len(found) >> timing.column_bits
    refreshes = int((cycles - first) / reader.interval) + 1
    lost = cycles - first - len(found)
    assert lost <= (rows + 1) * (reader.row_change + 2 * 8) + refreshes * (reader.refreshing + 2 * 8)


def test_the_preparation_of_a_real_device():
    """200 microseconds, eight refreshes, the mode; then refreshes for as long as nothing is asked for."""
    taken, model, _ = run(7500, clock=25e6, timing=SdramTiming(), filled=words(300), restarts={7000})
    assert taken[0][1][:300] == words(300)
    assert model.refreshes >= int((7500 / 25e6 - 205e-6) / 7812.5e-9) - 1


def test_places():
    """Words that are filled from a place on are read from it on; what was before it stays."""
    reader = SdramReader(SMALL, 96e6, places=True, family=REGISTERS)
    model, wanted, found = SdramModel(SMALL, 1e9 / 96e6), words(64), {}

    async def testbench(ctx):
        pads, seen = (Command.NOTHING, 0, 0, 0, 0), 0

        async def cycle():
            nonlocal pads, seen
            ctx.set(reader.dq_in, seen)
            await ctx.delay(1e-10)
            taken = ctx.get(reader.fill.ready), ctx.get(reader.port.words.valid), ctx.get(reader.port.words.payload)
            seen = model.cycle(*pads)
            lines = (reader.command, reader.bank, reader.address, reader.dq_out, reader.dq_drive)
            pads = tuple(ctx.get(line) for line in lines)
            await ctx.tick()
            return taken

        for place, part in ((16, wanted[32:]), (0, wanted[:32])):  # places are of 4 bytes, words of 2
            ctx.set(reader.fill_restart, 1)
            ctx.set(reader.fill_place, place)
            await cycle()
            ctx.set(reader.fill_restart, 0)
            for word in part:
                ctx.set(reader.fill.valid, 1)
                ctx.set(reader.fill.payload, word)
                while not (await cycle())[0]:
                    pass
            ctx.set(reader.fill.valid, 0)
        ctx.set(reader.port.words.ready, 1)
        for place in (16, 4, 0):
            ctx.set(reader.port.restart, 1)
            ctx.set(reader.port.place, place)
            await cycle()
            ctx.set(reader.port.restart, 0)
            found[place] = []
            while len(found[place]) < 64 - 2 * place:
                _, valid, word = await cycle()
                found[place] += [word] if valid else []

    simulator = Simulator(reader)
    simulator.add_clock(1 / 96e6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert found == {place: wanted[2 * place :] for place in (16, 4, 0)}


@pytest.mark.parametrize("bits", [16, 32])
def test_bytes_of_a_link(bits):
    """A place, then words, the lowest byte first, whatever the memory's pace; a last word that is not whole is none."""
    packets = [(5, bytes(range(40))), (0, bytes(range(9))), (1 << 23, b""), (7, bytes(range(100, 108)))]
    fill, found = MemoryFill(bits), []
    rng = random.Random(bits)

    async def testbench(ctx):
        for place, payload in packets:
            whole = place.to_bytes(PLACE_BYTES, "little") + payload
            for number, byte in enumerate(whole):
                ctx.set(fill.i.valid, 1)
                ctx.set(fill.i.payload, {"data": byte, "last": number == len(whole) - 1})
                taken = False
                while not taken:
                    ctx.set(fill.words.ready, rng.random() < 0.4)
                    await ctx.delay(1e-8)
                    taken = ctx.get(fill.i.ready)
                    await tick(ctx)
        ctx.set(fill.i.valid, 0)
        ctx.set(fill.words.ready, 1)
        for _ in range(3):
            await tick(ctx)

    async def tick(ctx):
        await ctx.delay(1e-8)
        if ctx.get(fill.restart):
            found.append((ctx.get(fill.place), b""))
        if ctx.get(fill.words.valid) and ctx.get(fill.words.ready):
            place, before = found[-1]
            found[-1] = place, before + ctx.get(fill.words.payload).to_bytes(bits // 8, "little")
        await ctx.tick()

    simulator = Simulator(fill)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert found == [(place, payload[: len(payload) // (bits // 8) * (bits // 8)]) for place, payload in packets]


@pytest.mark.parametrize("seed", range(4))
def test_stalls_and_restarts_at_any_time(seed):
    rng = random.Random(seed)
    print("seed", seed)
    wanted = words(400, seed=seed)
    restarts = {1200 + rng.randrange(1500) for _ in range(4)}
    busy = rng.random()
    holes = [(start := rng.randrange(1200, 2700), start + rng.randrange(800)) for _ in range(3)]
    wants = [rng.random() < busy and not any(a <= c < b for a, b in holes) for c in range(3200)]
    taken, _, _ = run(3200, filled=wanted, restarts=restarts, ready=lambda cycle: wants[cycle])
    assert len(taken) == len(restarts)
    for _, found, _ in taken:
        assert found[:400] == wanted[: len(found)]
    assert sum(len(found) for _, found, _ in taken) > 20


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"precharge_ns": 40.0}, "tRP is"),
        ({"activate_ns": 40.0}, "tRCD is"),
        ({"open_ns": 500.0}, "tRAS is"),
        ({"row_ns": 3000.0}, "tRC is"),
        ({"refresh_ns": 120.0}, "tRFC is"),
        ({"written_ns": 80.0}, "tWR is"),
        ({"interval_ns": 500.0}, "refreshes where"),
        ({"start_ns": 900.0}, "ns after power, 900 are needed"),
        ({"cas": 3}, "the mode"),
    ],
    ids=lambda value: str(value)[:22],
)
def test_a_time_that_is_not_kept_is_found(changed, message):
    """A device that needs more than the circuit was made for."""
    with pytest.raises(SdramError, match=message):
        run(1500, filled=words(80), restarts={700}, checked=replace(SMALL, **changed))


def test_what_no_sdram_has_is_refused():
    with pytest.raises(ValueError, match="16 or 32 bits and CAS latency 2 or 3, not 8 and 2"):
        SdramTiming(data_bits=8)
    with pytest.raises(ValueError, match="nothing but refresh"):
        SdramReader(SdramTiming(), 1e6)
