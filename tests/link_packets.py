"""A host's side of the link at its barest, made without the product's: packets by cobs and zlib, a terminal by hand."""

import os
import select
import struct
import time
import zlib

from cobs import cobs

IDENTIFY, INFER, STATUS, MEASURE = 1, 2, 3, 4


def packet(kind: int, sequence: int, payload: bytes = b"") -> bytes:
    body = bytes([kind, sequence]) + payload
    return b"\0" + cobs.encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def read_packet(line: bytes) -> tuple[int, int, bytes]:
    """Type, sequence number and payload; the check sum must be right."""
    body = cobs.decode(line)
    assert zlib.crc32(body[:-4]) == struct.unpack("<I", body[-4:])[0]
    return body[0], body[1], body[2:-4]


class Terminal:
    """A raw terminal at a port."""

    def __init__(self, port: str):
        self.file = os.open(port, os.O_RDWR | os.O_NOCTTY)
        self.waiting = b""

    def close(self) -> None:
        os.close(self.file)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.file, data) :]

    def answer(self, seconds: float = 20) -> tuple[int, int, bytes]:
        """The next packet."""
        end = time.monotonic() + seconds
        while b"\0" not in self.waiting:
            assert time.monotonic() < end, f"no answer; {self.waiting!r} came"
            if select.select([self.file], [], [], 0.2)[0]:
                self.waiting += os.read(self.file, 4096)
        line, self.waiting = self.waiting.split(b"\0", 1)
        return read_packet(line)

    def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes."""
        return not self.waiting and not select.select([self.file], [], [], seconds)[0]

    def ask(self, kind: int, sequence: int, payload: bytes = b"") -> tuple[int, int, bytes]:
        self.write(packet(kind, sequence, payload))
        return self.answer()
