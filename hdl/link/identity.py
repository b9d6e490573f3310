"""What a board says of itself: which network it holds, its shapes, clock and cycles. The contents of a small ROM."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .protocol import VERSION

_HEAD = struct.Struct("<BB8s8sIIIIH")
_PORT = struct.Struct("<BBHHH")
NAME_BYTES = 24
IDENTITY_BYTES = _HEAD.size + 2 * _PORT.size + NAME_BYTES
HASH_BYTES = 8
_SIMULATED, _ENGINE, _FILLS = 1, 2, 4
_SIGNED = 0x80


@dataclass(frozen=True)
class PortShape:
    """The frame at one end of a design.

    Attributes:
        bits, signed: of an element; it takes one byte, or two above 8 bits.
        data_bytes: of a beat at the design's edge, which decides how pseudo-random frames and signatures are made.
        height, width, channels: elements travel in this order, channels fastest.
    """

    bits: int
    signed: bool
    data_bytes: int
    height: int
    width: int
    channels: int

    @property
    def element_bytes(self) -> int:
        return 1 if self.bits <= 8 else 2

    @property
    def elements(self) -> int:
        return self.height * self.width * self.channels

    @property
    def frame_bytes(self) -> int:
        return self.elements * self.element_bytes

    def encode(self) -> bytes:
        kind = self.bits | (_SIGNED if self.signed else 0)
        return _PORT.pack(kind, self.data_bytes, self.height, self.width, self.channels)

    @classmethod
    def decode(cls, data: bytes) -> PortShape:
        kind, data_bytes, height, width, channels = _PORT.unpack(data)
        return cls(kind & ~_SIGNED, bool(kind & _SIGNED), data_bytes, height, width, channels)


@dataclass(frozen=True)
class Identity:
    """A board's answer to IDENTIFY.

    Attributes:
        name: of the model, as many bytes of it as fit 24 in UTF-8.
        model, plan: the first 8 bytes of a hash of everything that the network computes, and of its foldings and lanes.
        clock: Hz.
        baud: bits per second of the UART.
        interval, latency: predicted cycles, of frames back to back and of a lone frame.
        multipliers: of the MAC arrays.
        source, result: the frames at both ends.
        simulated: this is no silicon.
        engine: the parameters of an engine as text, which takes any network: then model, shapes and cycles mean
            nothing. Empty: the board holds one network.
        fills: the engine reads weights from a memory that is filled over the link, and forgets them without power.
        version: of the protocol.

    Raises:
        ValueError: a value that its field does not hold.
    """

    name: str
    model: bytes
    plan: bytes
    clock: int
    baud: int
    interval: int
    latency: int
    multipliers: int
    source: PortShape
    result: PortShape
    simulated: bool = False
    engine: str = ""
    fills: bool = False
    version: int = VERSION

    def __post_init__(self) -> None:
        for what, value in (("model", self.model), ("plan", self.plan)):
            if len(value) != HASH_BYTES:
                raise ValueError(f"the hash of the {what} has {HASH_BYTES} bytes, not {len(value)}")
        try:
            self.encode()
        except struct.error as error:
            raise ValueError(f"a value of {self} is too large for the identity of a board: {error}") from None

    def encode(self) -> bytes:
        """The bytes of the ROM, :data:`IDENTITY_BYTES` and an engine's parameters, the lowest byte of a number
        first."""
        name = self.name.encode()[:NAME_BYTES].decode(errors="ignore").encode()
        head = _HEAD.pack(
            self.version,
            self.simulated * _SIMULATED | bool(self.engine) * _ENGINE | self.fills * _FILLS,
            self.model,
            self.plan,
            self.clock,
            self.baud,
            self.interval,
            self.latency,
            self.multipliers,
        )
        ports = self.source.encode() + self.result.encode()
        return head + ports + name.ljust(NAME_BYTES, b"\0") + self.engine.encode()

    @classmethod
    def decode(cls, data: bytes) -> Identity:
        """Read :meth:`encode`'s bytes.

        Raises:
            ValueError: another version of the protocol, or another length.
        """
        if data[:1] != bytes([VERSION]):
            raise ValueError(f"the board speaks version {data[0] if data else '?'} of the link, this mbconv {VERSION}")
        engine = data[IDENTITY_BYTES:] if len(data) > 1 and data[1] & _ENGINE else b""
        if len(data) != IDENTITY_BYTES + len(engine):
            raise ValueError(f"an identity of {IDENTITY_BYTES} bytes was expected, {len(data)} came")
        version, flags, model, plan, *numbers = _HEAD.unpack_from(data)
        ports = [PortShape.decode(data[start : start + _PORT.size]) for start in (_HEAD.size, _HEAD.size + _PORT.size)]
        name = data[_HEAD.size + 2 * _PORT.size : IDENTITY_BYTES].rstrip(b"\0").decode(errors="replace")
        text = engine.decode(errors="replace")
        return cls(
            name, model, plan, *numbers, *ports, bool(flags & _SIMULATED), text, bool(flags & _FILLS), version
        )  # fmt: skip
