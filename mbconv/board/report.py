"""The report of a board: why it failed, what it counted, what it measured."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mbconv.hdl.link.protocol import REPORT_BYTES, Reason

_LAYOUT = struct.Struct("<BBBBIII")
assert _LAYOUT.size == REPORT_BYTES


@dataclass(frozen=True)
class Status:
    """A board's answer to STATUS and MEASURE, and what a failure brings.

    Attributes:
        reason: of the failure; none otherwise.
        garbled, refused, cancelled: requests since the reset that were damaged, of an unknown type or wrong length, or
            cancelled by a delimiter before their answer; each counts to 255 and starts again.
        cycles, interval, signature: of the last measurement.
    """

    reason: Reason
    garbled: int
    refused: int
    cancelled: int
    cycles: int
    interval: int
    signature: int

    @classmethod
    def decode(cls, payload: bytes) -> Status:
        """Read a report's bytes.

        Raises:
            ValueError: they are none.
        """
        if len(payload) != REPORT_BYTES:
            raise ValueError(f"a report has {REPORT_BYTES} bytes, not {len(payload)}")
        reason, *numbers = _LAYOUT.unpack(payload)
        return cls(Reason(reason), *numbers)
