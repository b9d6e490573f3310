"""What board and host agree on: the kinds of packets and the layout of reports (``docs/link.md`` specifies both)."""

from __future__ import annotations

from enum import IntEnum

VERSION = 1
"""Of the protocol; the first byte of every identity."""

HEADER_BYTES = 2
"""Type and sequence number."""

CRC_BYTES = 4
ANSWER = 0x80
"""The type of an answer is that of its request with this bit set; that of a failure is this bit alone."""

MEASURE_BYTES = 6
"""Payload of a request to measure: the seed (4 bytes) and the number of frames (2), the lowest byte first."""

REPORT_BYTES = 16
"""Payload of the answers to STATUS and MEASURE and of a failure: reason, three counters, three words of 4 bytes."""


class Request(IntEnum):
    """The type of a request."""

    IDENTIFY = 1
    INFER = 2
    STATUS = 3
    MEASURE = 4
    UPLOAD = 5  # a network's program, of boards with an engine
    FILL = 6  # its weights, into the memory outside, where that forgets them


class Reason(IntEnum):
    """Why the board gave no other answer: the first byte of a report."""

    NONE = 0
    GARBLED = 1  # check sum, byte stuffing or framing is wrong, or a byte was lost
    UNKNOWN = 2  # a sound packet of a type that this board does not serve
    LENGTH = 3  # a sound packet of the wrong length
    CANCELLED = 4  # a delimiter came before the answer had begun
    EMPTY = 5  # an engine to which no network was uploaded
    REFUSED = 6  # an upload that is not for this engine, or damaged
    MEMORY = 7  # the memory outside holds weights of another network, or damaged ones
