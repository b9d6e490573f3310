"""Anything at all on the line, in any state, and resets at any time: no answer is wrong, and once the line is quiet the
next request is answered at the first attempt."""

import struct

import numpy as np
import pytest
from cobs import cobs
from link_packets import IDENTIFY, INFER, MEASURE, STATUS, packet, read_packet

from mbconv.board.network import LinkedNetwork
from mbconv.generators.emission.design import make_design
from mbconv.hdl.link.protocol import Reason
from mbconv.models import load
from mbconv.sim.board.script import ScriptedBoard
from mbconv.sim.board.simulated_board import SimulatedBoard, simulated_rate

FAILURE, ANSWER = 0x80, 0x80
CLOCK = 10e6
FRAMES = 3  # different ones a network, and as many measurements
NETWORKS = {  # wide and buffered as in test_board_wide.py; one lane, a map out; two bytes a beat, a map of another size
    "wide": ("block:pointwise,height=3,width=3,channels=3,output_channels=3", 9),
    "one lane": ("block:pointwise,height=2,width=3,channels=4,output_channels=2", 1),
    "window": ("block:depthwise,height=5,width=4,channels=2,stride=2", 6),
}


class Fuzzed:
    """A board, what it must answer to a few frames and measurements, and everything that it says."""

    def __init__(self, name: str):
        model, multipliers = NETWORKS[name]
        design = make_design(load(model), multipliers)
        self.simulated = SimulatedBoard(design, CLOCK, simulated_rate(design, CLOCK))
        self.identity = identity = self.simulated.top.identity
        network = LinkedNetwork(design.graph)
        generator = np.random.default_rng(1)
        self.answers = {(IDENTIFY, b""): identity.encode()}
        for number in range(FRAMES):
            elements = generator.integers(-128, 128, identity.source.elements).astype(np.int8)
            self.answers[INFER, elements.tobytes()] = network.expected(identity, elements)
            frames = (1, 2, 7)[number]
            cycles = identity.latency + (frames - 1) * identity.interval
            interval = identity.interval if frames > 1 else cycles
            signature = network.expected_signature(identity, number + 1, frames)
            self.answers[MEASURE, struct.pack("<IH", number + 1, frames)] = (cycles, interval, signature)
        self.requests = list(self.answers)
        # Longer than any request takes, or a failure is waited with.
        self.quiet = identity.latency + 8 * identity.interval + 400 * round(self.simulated.top.bit.byte_cycles)

    def right(self, request: tuple[int, bytes], payload: bytes) -> bool:
        expected = self.answers[request]
        if request[0] == MEASURE:
            return payload[0] == 0 and struct.unpack("<III", payload[4:]) == expected
        return payload == expected


@pytest.fixture(
    scope="module", params=["wide", *(pytest.param(name, marks=pytest.mark.slow) for name in ("one lane", "window"))]
)
def fuzzed(request):
    return Fuzzed(request.param)


def bursts(fuzzed: Fuzzed, generator: np.random.Generator, sent: dict[int, tuple[int, bytes]]):
    """Pieces to send; each request among them has a sequence number of its own, under which it is in ``sent``."""
    for _ in range(generator.integers(1, 6)):
        request = fuzzed.requests[generator.integers(len(fuzzed.requests))]
        sequence = len(sent) % 256
        sent[sequence] = request
        whole = packet(request[0], sequence, request[1])
        cut = int(generator.integers(1, len(whole)))
        yield [
            lambda whole=whole: whole,
            lambda whole=whole, cut=cut: whole[:cut],
            lambda whole=whole, cut=cut: whole[cut:],
            lambda whole=whole, cut=cut: whole[:cut] + whole[cut + 1 :],
            lambda whole=whole, cut=cut: (
                whole[:cut] + bytes([whole[cut] ^ 1 << generator.integers(8)]) + whole[cut + 1 :]
            ),
            lambda whole=whole, cut=cut: whole + whole[:cut] + b"\0",
            lambda: bytes(int(generator.integers(1, 5))),
            lambda: generator.bytes(int(generator.integers(1, 400))),
            lambda: b"\0" + cobs.encode(generator.bytes(int(generator.integers(1, 300)))) + b"\0",
            lambda: b"\xff" * int(generator.integers(1, 600)),
            lambda sequence=sequence: packet(
                int(generator.integers(256)), sequence, generator.bytes(int(generator.integers(9)))
            ),
        ][generator.integers(11)]()


def check_heard(fuzzed: Fuzzed, heard: bytes, sent: dict[int, tuple[int, bytes]], whole: bool) -> None:
    """Everything heard is a packet, where no reset cut any; every answer is right for the request of its number."""
    *lines, rest = heard.split(b"\0")
    assert not (whole and rest), f"an answer without an end: {rest!r}"
    for line in filter(None, lines):
        try:
            kind, sequence, payload = read_packet(line)
        except (AssertionError, IndexError, cobs.DecodeError, struct.error):
            assert not whole, f"no packet: {line.hex()}"
            continue
        if kind == FAILURE:
            assert len(payload) == 16 and 1 <= payload[0] <= 4, payload
        elif kind == ANSWER | STATUS:
            assert len(payload) == 16 and payload[0] == 0, payload
        else:
            request = sent[sequence]
            assert kind == ANSWER | request[0], (kind, request)
            assert fuzzed.right(request, payload), (request, payload.hex())


def fuzz(fuzzed: Fuzzed, seed: int, rounds: int) -> None:
    print("seed", seed)
    generator = np.random.default_rng(seed)
    with ScriptedBoard(fuzzed.simulated, seed) as board:
        for _ in range(rounds):
            sent: dict[int, tuple[int, bytes]] = {}
            heard, resets = b"", False
            for piece in bursts(fuzzed, generator, sent):
                heard += board.send(piece).heard
                if generator.random() < 0.3:
                    heard += board.wait(int(generator.integers(1, 2 * fuzzed.quiet))).heard
                if generator.random() < 0.15:
                    heard += board.reset(int(generator.integers(1, 20))).heard
                    resets = True
            heard += board.quiet(fuzzed.quiet).heard
            heard += board.send(b"\0").heard  # whatever has begun ends, and may be right
            heard += board.quiet(fuzzed.quiet).heard
            check_heard(fuzzed, heard, sent, whole=not resets)
            for request in (fuzzed.requests[generator.integers(len(fuzzed.requests))] for _ in range(2)):
                sequence = int(generator.integers(256))
                heard = board.send(packet(request[0], sequence, request[1])).heard
                heard += board.answer(fuzzed.quiet).heard
                kind, number, payload = read_packet(heard[:-1])
                assert (kind, number) == (ANSWER | request[0], sequence)
                assert fuzzed.right(request, payload), (request, payload.hex())


def test_fuzz(fuzzed):
    fuzz(fuzzed, 0, 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_fuzz_longer(fuzzed, seed):
    fuzz(fuzzed, seed, 200)


@pytest.mark.parametrize("seed", range(1, 6))
def test_power_up(fuzzed, seed):
    """Without a reset, whatever the values of memories: nothing is said, and the first request is answered."""
    with ScriptedBoard(fuzzed.simulated, seed) as board:
        assert board.wait(fuzzed.quiet).heard == b""
        for sequence, request in enumerate(fuzzed.requests):
            heard = board.send(packet(request[0], sequence, request[1])).heard + board.answer(fuzzed.quiet).heard
            kind, number, payload = read_packet(heard[:-1])
            assert (kind, number) == (ANSWER | request[0], sequence)
            assert fuzzed.right(request, payload)


def test_a_packet_that_is_lost(fuzzed):
    """It comes while an answer is sent: its failure follows, without another zero, and the next request is answered."""
    with ScriptedBoard(fuzzed.simulated) as board:
        begun = board.send(packet(IDENTIFY, 1)).heard + board.wait(200).heard
        lost = board.send(packet(STATUS, 2)).heard
        heard = begun + lost + board.quiet(fuzzed.quiet).heard
        first, second, rest = heard.split(b"\0")
        assert read_packet(first) == (ANSWER | IDENTIFY, 1, fuzzed.identity.encode()) and not rest
        kind, _, payload = read_packet(second)
        assert (kind, payload[:4]) == (FAILURE, bytes([Reason.GARBLED, 1, 0, 0]))
        heard = board.send(packet(STATUS, 3)).heard + board.answer(fuzzed.quiet).heard
        kind, sequence, payload = read_packet(heard[:-1])
        assert (kind, sequence, payload[:4]) == (ANSWER | STATUS, 3, bytes([0, 1, 0, 0]))
