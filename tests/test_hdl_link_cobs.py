"""Byte stuffing as circuits, against the package cobs: bytes and cycles, whatever stalls, whatever comes before."""

import numpy as np
from cobs import cobs

from mbconv.hdl.link.cobs_decoder import CobsDecoder
from mbconv.hdl.link.cobs_encoder import CobsEncoder
from mbconv.hdl.link.stream_register import StreamRegister
from mbconv.sim.circuits.testbench import Case, run_cases


def packets() -> dict[str, list[bytes]]:
    rng = np.random.default_rng(5)
    ramp = bytes(range(1, 255))
    return {
        "short": [b"\1", b"\0", b"\0\0", b"\1\0", b"\0\1", b"\xff", b"\1\2\0\3\4"],
        "at the longest block": [
            ramp[:253],
            ramp,
            ramp + b"\1",
            ramp + b"\0",
            ramp * 2,
            b"\0" + ramp,
            ramp + ramp[:-1],
        ],
        "random": [rng.integers(0, 256, n).astype(np.uint8).tobytes() for n in (3, 40, 300, 700)],
        "many zeros": [rng.integers(0, 2, n).astype(np.uint8).tobytes() for n in (1, 5, 60)],
    }


def encoder_case(name: str, given: list[bytes]) -> Case:
    data = np.frombuffer(b"".join(given), np.uint8)
    last = np.concatenate([np.arange(len(packet)) == len(packet) - 1 for packet in given])
    out = b"".join(cobs.encode(packet) + b"\0" for packet in given)
    return Case(
        f"encoder, {name}",
        CobsEncoder(),
        {"i": {"data": data, "last": last}},
        {"o": np.frombuffer(out, np.uint8)},
        frames=1,
        latency=sum(map(CobsEncoder().cycles, given)) - 1,
    )


def events(line: bytes) -> list[tuple[int, int, int]]:
    """What the decoder gives for a line, right or wrong: written apart from the circuit, block by block."""
    found = []
    *parts, rest = line.split(b"\0")
    for part, ended in [*((part, True) for part in parts), (rest, False)]:
        complete = True
        pending = False
        while part:
            if pending:
                found.append((0, 0, 0))
            length, part = part[0] - 1, part[1:]
            found += [(byte, 0, 0) for byte in part[:length]]
            complete = len(part) >= length
            part, pending = part[length:], length != 254
        if ended:
            found.append((0, 1, int(not complete)))
    return found


def decoder_case(name: str, line: bytes) -> Case:
    wanted = dict(zip(("data", "end", "bad"), np.array(events(line)).T, strict=True))
    return Case(
        f"decoder, {name}",
        CobsDecoder(),
        {"i": np.frombuffer(line, np.uint8)},
        {"o": wanted},
        frames=1,
        latency=len(line) - 1,
    )


def test_reference_of_the_decoder():
    for given in packets().values():
        for packet in given:
            found = events(cobs.encode(packet) + b"\0")
            assert bytes(data for data, end, _ in found if not end) == packet
            assert found[-1] == (0, 1, 0)


def test_cobs():
    rng = np.random.default_rng(6)
    right = b"".join(cobs.encode(packet) + b"\0" for given in packets().values() for packet in given)
    damaged = np.frombuffer(right, np.uint8).copy()
    damaged[rng.integers(0, len(damaged), 60)] = rng.integers(0, 256, 60)
    cases = [encoder_case(name, given) for name, given in packets().items()]
    cases += [decoder_case("right", right), decoder_case("damaged", damaged.tobytes() + b"\0\0" + right[:200] + b"\0")]
    data = rng.integers(0, 256, 300).astype(np.uint8)
    cases.append(Case("register", StreamRegister(8), {"i": data}, {"o": data}, frames=1, latency=2 * len(data) - 1))
    run_cases(cases)
