"""Packets of the link as bytes, by other code than the circuits': cobs and zlib."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cobs import cobs

from mbconv.hdl.link.protocol import CRC_BYTES, HEADER_BYTES

DELIMITER = b"\0"


@dataclass(frozen=True)
class Packet:
    """What travels between two delimiters.

    Attributes:
        kind: its type.
        sequence: chosen by the host, returned by the board.
    """

    kind: int
    sequence: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the line. A delimiter goes before: it ends whatever the line carried until then."""
        body = bytes([self.kind, self.sequence]) + self.payload
        return DELIMITER + cobs.encode(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little")) + DELIMITER

    @classmethod
    def decode(cls, line: bytes) -> Packet | None:
        """The packet that the bytes between two delimiters are; None if they are none."""
        try:
            body = cobs.decode(line)
        except cobs.DecodeError:
            return None
        body, check = body[:-CRC_BYTES], body[-CRC_BYTES:]
        if len(body) < HEADER_BYTES or zlib.crc32(body).to_bytes(CRC_BYTES, "little") != check:
            return None
        return cls(body[0], body[1], body[HEADER_BYTES:])
