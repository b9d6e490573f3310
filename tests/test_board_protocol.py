"""The board's top as emitted, in Verilator behind a pseudo-terminal, byte by byte: right requests and wrong ones."""

import struct

import numpy as np
import pytest
from cobs import cobs
from link_packets import IDENTIFY, INFER, MEASURE, STATUS, Terminal, packet

from mbconv.generators.emission.design import make_design
from mbconv.hdl.link.identity import Identity
from mbconv.hdl.link.protocol import Reason
from mbconv.models import load
from mbconv.sim.board.simulated_board import SimulatedBoard
from mbconv.sim.golden import model as golden

CLOCK, BAUD = 24e6, 24e6 / 30
FAILURE = 0x80


@pytest.fixture(scope="module")
def digits():
    return make_design(load("digits"), 8)


@pytest.fixture(scope="module")
def simulated(digits):
    with SimulatedBoard(digits, CLOCK, BAUD) as board:
        yield board


@pytest.fixture
def board(simulated):
    """A terminal at a board that was just reset."""
    simulated.reset()
    terminal = Terminal(simulated.port)
    yield terminal
    terminal.close()


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (1, 8, 8, 1)).astype(np.int8)


def answer_of(design, values: np.ndarray) -> bytes:
    (output,) = (int(port[1:]) for port in design.outputs)
    return golden.run(design.graph, {design.graph.inputs[0]: values})[output].tobytes()


def infers(board, design, seed: int, sequence: int) -> bool:
    values = picture(seed)
    return board.ask(INFER, sequence, values.tobytes()) == (0x80 | INFER, sequence, answer_of(design, values))


def test_identify(board, digits):
    kind, sequence, payload = board.ask(IDENTIFY, 7)
    assert (kind, sequence) == (0x80 | IDENTIFY, 7)
    found = Identity.decode(payload)
    assert (found.name, found.clock, found.baud, found.simulated) == ("digits", CLOCK, round(BAUD), True)
    assert (found.interval, found.latency) == (digits.schedule.interval, digits.schedule.latency)
    assert (found.source.height, found.source.width, found.source.channels) == (8, 8, 1)
    assert (found.result.elements, found.result.bits, found.result.signed) == (10, 8, True)


def test_infer(board, digits):
    assert all(infers(board, digits, seed, seed) for seed in range(4))
    assert board.ask(STATUS, 255) == (0x80 | STATUS, 255, bytes(16))
    assert infers(board, digits, 9, 0)


WRONG = {  # what is sent, and why the board refuses it
    "a flipped bit": (lambda right: right[:20] + bytes([right[20] ^ 4]) + right[21:], Reason.GARBLED),
    "a byte lost": (lambda right: right[:30] + right[31:], Reason.GARBLED),
    "a byte twice": (lambda right: right[:30] + right[29:], Reason.GARBLED),
    "cut": (lambda right: right[:40] + b"\0", Reason.GARBLED),
    "cut in the header": (lambda right: right[:2] + b"\0", Reason.GARBLED),
    "two in one": (lambda right: right[:-1] + right[1:], Reason.GARBLED),
    "foreign": (lambda right: b"AT+GMR\r\n\0", Reason.GARBLED),
    "a type of another version": (lambda right: packet(0x32, 1, b"12"), Reason.UNKNOWN),
    "no type at all": (lambda right: packet(0, 1), Reason.UNKNOWN),
    "a frame too short": (lambda right: packet(INFER, 1, bytes(63)), Reason.LENGTH),
    "a frame too long": (lambda right: packet(INFER, 1, bytes(65)), Reason.LENGTH),
    "a frame far too long": (lambda right: packet(INFER, 1, bytes(2_000)), Reason.LENGTH),
    "no frame": (lambda right: packet(INFER, 1), Reason.LENGTH),
    "a question with a payload": (lambda right: packet(STATUS, 1, b"?"), Reason.LENGTH),
    "a measurement without frames": (lambda right: packet(MEASURE, 1, b"1234"), Reason.LENGTH),
    "header and check sum only in part": (lambda right: b"\0" + cobs.encode(b"\2") + b"\0", Reason.GARBLED),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_packets(board, digits, name):
    """A failure is answered with its reason and counted, and the next request works."""
    change, reason = WRONG[name]
    right = packet(INFER, 1, picture(3).tobytes())
    for count in (1, 2):
        board.write(change(right))
        kind, _, report = board.answer()
        assert kind == FAILURE
        counters = [0, 0, 0]
        counters[{Reason.GARBLED: 0, Reason.UNKNOWN: 1, Reason.LENGTH: 1}[reason]] = count
        assert list(report[:4]) == [reason, *counters]
        assert infers(board, digits, count, 17)


@pytest.mark.parametrize("name", WRONG)
def test_a_request_behind_a_wrong_packet_is_answered_in_its_place(board, digits, name):
    change, _ = WRONG[name]
    right = packet(INFER, 1, picture(3).tobytes())
    values = picture(8)
    board.write(change(right).rstrip(b"\0") + packet(INFER, 2, values.tobytes()))
    assert board.answer() == (0x80 | INFER, 2, answer_of(digits, values))
    assert board.silent()


def test_delimiters_are_not_answered(board, digits):
    board.write(b"\0" * 50)
    assert board.silent()
    assert infers(board, digits, 1, 1)


def test_a_delimiter_cancels(board, digits):
    board.write(packet(INFER, 1, picture(1).tobytes()) + b"\0")
    kind, _, report = board.answer()
    assert (kind, *report[:4]) == (FAILURE, Reason.CANCELLED, 0, 0, 1)
    assert infers(board, digits, 1, 2)
    board.write(packet(MEASURE, 3, struct.pack("<IH", 5, 60_000)))
    assert infers(board, digits, 2, 4)
    assert board.ask(STATUS, 5)[2][1:4] == bytes([0, 0, 2])


def test_a_request_during_an_answer_is_lost_and_the_next_one_works(board, digits):
    board.write(packet(IDENTIFY, 1)[:-1] + b"\0" + b"\1" * 30)
    assert board.answer()[:2] == (0x80 | IDENTIFY, 1)
    assert infers(board, digits, 1, 2)


@pytest.mark.parametrize("frames", [0, 1, 2, 7])
def test_measure(board, digits, frames):
    seed = 0xC0FFEE11
    kind, sequence, report = board.ask(MEASURE, 8, struct.pack("<IH", seed, frames))
    cycles, interval, signature = struct.unpack("<III", report[4:])
    assert (kind, sequence, report[:4]) == (0x80 | MEASURE, 8, bytes(4))
    schedule = digits.schedule
    if frames == 0:
        assert (cycles, interval, signature) == (0, 0, 0xFFFFFFFF)
    if frames == 1:
        assert cycles == interval == schedule.latency
    if frames > 1:
        assert interval == schedule.interval
        assert cycles == schedule.latency + (frames - 1) * schedule.interval
    # one bit after another, as the recurrence is written
    bits = [seed >> place & 1 for place in range(32)]
    while len(bits) < frames * 64 * 8:
        bits.append(bits[-32] ^ bits[-31] ^ bits[-30] ^ bits[-10])
    pictures = (
        np.packbits(np.array(bits[: frames * 512], np.uint8), bitorder="little")
        .view(np.int8)
        .reshape(frames, 1, 8, 8, 1)
    )
    register = [1] * 32
    for values in pictures:
        for byte in answer_of(digits, values):
            for place in range(8):
                register.append(register[-32] ^ register[-31] ^ register[-30] ^ register[-10] ^ byte >> place & 1)
    assert signature == sum(bit << place for place, bit in enumerate(register[-32:]))
    assert infers(board, digits, 1, 9)
