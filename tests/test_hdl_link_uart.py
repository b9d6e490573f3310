"""The UART's two ends bit by bit, in Amaranth's simulator: rates that are off, glitches, breaks, bytes not taken."""

from fractions import Fraction
from itertools import pairwise

import pytest
from amaranth.sim import Simulator

from mbconv.hdl.link.baud import BitLength, fastest_rate
from mbconv.hdl.link.uart_receiver import UartReceiver
from mbconv.hdl.link.uart_transmitter import UartTransmitter

BYTES = bytes([0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, 0x7F, 0xFE, 0x33])


def levels(data: bytes, bit: float, pause: float = 0.0, first: float = 20.3) -> list[int]:
    """A line's level in each cycle, its edges anywhere between cycles."""
    edges = []  # time, level
    time = first
    for byte in data:
        for level in (0, *(byte >> place & 1 for place in range(8)), 1):
            edges.append((time, level))
            time += bit
        time += pause
    line, level, place = [], 1, 0
    for cycle in range(int(time + 3 * bit)):
        while place < len(edges) and edges[place][0] <= cycle:
            level, place = edges[place][1], place + 1
        line.append(level)
    return line


def received(bit: BitLength, line: list[int], ready_every: int = 1) -> tuple[bytes, int]:
    """The bytes taken and the number of errors."""
    circuit = UartReceiver(bit)
    taken, errors = bytearray(), 0

    async def testbench(ctx):
        nonlocal errors
        for cycle, level in enumerate(line):
            ctx.set(circuit.rx, level)
            ctx.set(circuit.o.ready, cycle % ready_every == ready_every - 1)
            _, _, valid, ready, byte, error = await ctx.tick().sample(
                circuit.o.valid, circuit.o.ready, circuit.o.payload, circuit.error
            )
            if valid and ready:
                taken.append(byte)
            errors += error

    simulator = Simulator(circuit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return bytes(taken), errors


RATES = [(12e6, 1e6), (25e6, 3e6), (24e6, 3e6), (48e6, 3e6), (27e6, 921_600), (50e6, 2_000_000)]


@pytest.mark.parametrize(("clock", "baud"), RATES)
@pytest.mark.parametrize("off", [-0.02, 0.0, 0.02])
def test_receiver(clock, baud, off):
    """A sender that is 2 % too fast or too slow, its bytes in succession or with pauses, at any phase."""
    bit = BitLength(clock, baud)
    for phase, pause in ((0.0, 0.0), (0.37, 0.0), (0.81, 3.3)):
        line = levels(BYTES, clock / baud * (1 + off), pause * clock / baud, 20 + phase)
        assert received(bit, line) == (BYTES, 0)


def test_receiver_drops_what_is_no_byte():
    bit = BitLength(12e6, 1e6)
    glitch = [1] * 20 + [0] * 4 + [1] * 40
    assert received(bit, glitch + levels(b"\x5a", 12)) == (b"\x5a", 0)
    low = [1] * 20 + [0] * 500 + [1] * 30
    assert received(bit, low + levels(b"\xa5", 12)) == (b"\xa5", 1)


def test_receiver_says_when_a_byte_was_not_taken():
    bit = BitLength(12e6, 1e6)
    taken, errors = received(bit, levels(b"abcd", 12), ready_every=1000)
    assert (taken, errors) == (b"", 3)
    # within a bit of its end a byte is still there
    assert received(bit, levels(BYTES, 12), ready_every=11) == (BYTES, 0)


@pytest.mark.parametrize(("clock", "baud"), RATES)
def test_transmitter(clock, baud):
    """Every edge lies within a cycle of where it belongs, and the line idles high."""
    bit = BitLength(clock, baud)
    circuit = UartTransmitter(bit)
    line, accepted = [], []

    async def testbench(ctx):
        assert ctx.get(circuit.tx) == 1
        waiting = list(BYTES)
        for cycle in range(int(len(BYTES) * 11 * clock / baud) + 100):
            ctx.set(circuit.i.valid, bool(waiting) and cycle > 5)
            ctx.set(circuit.i.payload, waiting[0] if waiting else 0)
            _, _, valid, ready, level = await ctx.tick().sample(circuit.i.valid, circuit.i.ready, circuit.tx)
            if valid and ready:
                accepted.append(cycle)
                waiting.pop(0)
            line.append(level)

    simulator = Simulator(circuit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert len(accepted) == len(BYTES)
    length = clock / baud
    wanted = {}
    for start, byte in zip(accepted, BYTES, strict=True):
        for place, level in enumerate((0, *(byte >> place & 1 for place in range(8)), 1)):
            first = start + circuit.latency + place * length
            for cycle in range(int(first) + 2, int(first + length) - 1):
                wanted[cycle] = level
    assert {cycle: line[cycle] for cycle in wanted} == wanted
    assert all(line[: accepted[0]]) and all(line[-20:])
    assert all(later - earlier <= 10 * length + 3 for earlier, later in pairwise(accepted))


@pytest.mark.parametrize(
    ("clock", "baud", "ratio"),
    [(25e6, 3e6, Fraction(25, 3)), (12e6, 115_200, Fraction(104)), (24e6, 1e6, Fraction(24)), (27e6, 115_200, 234)],
)
def test_bit_length(clock, baud, ratio):
    bit = BitLength(clock, baud)
    assert abs(bit.error) <= 1 / 400
    assert abs(bit.ratio / ratio - 1) <= 1 / 400
    assert bit.ratio.denominator <= Fraction(ratio).denominator


@pytest.mark.parametrize(
    ("clock", "baud", "message"),
    [(12e6, 3e6, "need a clock of at least 24 MHz"), (0, 9600, "positive"), (1e6, float("nan"), "positive")],
)
def test_bit_length_refuses(clock, baud, message):
    with pytest.raises(ValueError, match=message):
        BitLength(clock, baud)


def test_fastest_rate():
    assert fastest_rate(12e6, 0) == 1_000_000
    assert fastest_rate(25e6, 0, 3_000_000) == 3_000_000
    assert fastest_rate(24e6, 288) == 460_800
    assert fastest_rate(500e3, 0) is None
    assert fastest_rate(12e6, 2000) is None
