"""Requests and answers over a port: each request is tried until one is answered, and no call waits without limit."""

from __future__ import annotations

import struct
import time
from contextlib import suppress

from mbconv.hdl.link.baud import BITS_PER_BYTE
from mbconv.hdl.link.identity import Identity
from mbconv.hdl.link.protocol import ANSWER, Reason, Request

from .errors import BoardError, BoardMissing, ForeignMemory
from .packets import DELIMITER, Packet
from .port import Port
from .report import Status

ATTEMPTS = 5
_REOPENING = 0.1  # seconds between attempts to open a port that went away
_LEAST_QUIET = 0.03  # seconds; USB adapters hand over what has come every 16 ms
_QUIET_BYTES = 4
_NEVER_QUIET = 4  # times as long is waited for quiet at most


class Dialogue:
    """One request at a time, and what came back.

    A board hears nothing while it answers. A request that follows an attempt that failed, for whatever reason, is
    therefore sent only when the line has been quiet for a while: otherwise it would meet the answer to the one before,
    fail for that, and so would the next.

    Args:
        device: the serial port.
        baud: of the link.

    Attributes:
        identity: of the board that must be there when a port that went away comes back; None as long as unknown.
        slowness: how much longer than silicon a simulated board takes.
        seconds: that the last answer took.

    Raises:
        BoardMissing: no device, no rights, in use.
    """

    def __init__(self, device: str, baud: int):
        self.device, self.identity, self.slowness, self.seconds = device, None, 1.0, 0.0
        self._sequence = int.from_bytes(struct.pack("<d", time.time())[:1], "little")
        self._port: Port | None = Port(device, baud)
        self._baud = baud
        self._in_step = False  # the last request was answered, and nothing else is to come

    def close(self) -> None:
        """Give the port back."""
        if self._port is not None:
            self._port.close()
            self._port = None

    @property
    def baud(self) -> int:
        return self._baud

    @baud.setter
    def baud(self, rate: int) -> None:
        if rate != self._baud:
            self._port.baud = self._baud = rate

    def write(self, data: bytes, seconds: float) -> None:
        """Send bytes that are no request."""
        self._port.write(data, time.monotonic() + seconds)

    def ask(self, request: Request, payload: bytes, answer_bytes: int | None, seconds: float) -> bytes:
        """The answer's payload, within a few attempts with growing patience.

        Args:
            answer_bytes: that it must have; None: any number.
            seconds: that the first attempt may take.

        Raises:
            BoardError: none came; ForeignMemory: as the memory outside holds other weights, in the last attempt.
        """
        failures: list[str] = []
        why = ""
        for attempt in range(ATTEMPTS):
            answer, why = self._attempt_anew(request, payload, seconds * (1 + attempt), 2**attempt)
            if answer is not None and answer_bytes in (None, len(answer)):
                return answer
            self._in_step = False
            failures.append(why if answer is None else f"{len(answer)} bytes instead of {answer_bytes}")
        kind = ForeignMemory if why in (_FLASH_FOREIGN, _FILLED_FOREIGN) else BoardError
        raise kind(
            f"{self.device} gives no right answer to {request.name} in {ATTEMPTS} attempts: {'; '.join(failures)}"
        )

    def once(self, request: Request, payload: bytes, seconds: float, quiet: float = 1) -> tuple[bytes | None, str]:
        """One attempt: the answer's payload, or why there is none.

        Args:
            quiet: times the usual that the line must be quiet before, where the last attempt failed.

        Raises:
            BoardMissing: the port went away.
        """
        if not self._in_step:
            self._settle(quiet)
        self._in_step = False
        self._sequence = (self._sequence + 1) % 256
        self._port.discard()
        began = time.monotonic()
        self._port.write(Packet(request, self._sequence, payload).encode(), began + seconds)
        answer, why = self._answer(request, began + seconds)
        self.seconds = time.monotonic() - began
        self._in_step = answer is not None
        return answer, why

    def _attempt_anew(self, request: Request, payload: bytes, seconds: float, quiet: float) -> tuple[bytes | None, str]:
        """One attempt, at a port that may have gone away since the last."""
        try:
            self._reopen(time.monotonic() + seconds)
            return self.once(request, payload, seconds, quiet)
        except BoardMissing as error:
            self.close()
            return None, str(error)

    def _settle(self, quiet: float) -> None:
        """Wait until nothing comes, at most a few times as long as that is to last."""
        seconds = quiet * max(_LEAST_QUIET, _QUIET_BYTES * BITS_PER_BYTE / self._baud * self.slowness)
        began = heard = time.monotonic()
        while (now := time.monotonic()) < min(heard + seconds, began + _NEVER_QUIET * seconds):
            if self._port.read():
                heard = now

    def _reopen(self, until: float) -> None:
        """Open a port that went away, and see that the same network is behind it."""
        while self._port is None:
            try:
                self._port = Port(self.device, self._baud)
            except BoardMissing:
                if time.monotonic() + _REOPENING > until:
                    raise
                time.sleep(_REOPENING)
                continue
            with suppress(BoardMissing):
                answer, _ = self.once(Request.IDENTIFY, b"", max(0.1, until - time.monotonic()))
                if answer is not None and identity_of(answer) != self.identity:
                    self.close()
                    raise BoardError(f"another board is at {self.device} now: open it anew")
                return
            self.close()

    def _answer(self, request: Request, until: float) -> tuple[bytes | None, str]:
        """The answer's payload, or why there is none; answers to earlier requests are passed over."""
        received = bytearray()
        while time.monotonic() < until:
            received += self._port.read()
            while DELIMITER in received:
                line, _, rest = bytes(received).partition(DELIMITER)
                received = bytearray(rest)
                packet = Packet.decode(line) if line else None
                if packet is None:
                    if line:
                        return None, "a garbled answer"
                    continue
                # what a board is does not change: an answer that took longer than was waited for will do
                awaited = packet.sequence == self._sequence or request == Request.IDENTIFY
                if packet.kind == ANSWER | request and awaited:
                    return packet.payload, ""
                if packet.kind == ANSWER:
                    return None, _failure(request, packet, self.identity)
        return None, "no answer in time"


_FOREIGN = "weights of another network, or damaged ones"
_FLASH_FOREIGN = f"the board's flash holds {_FOREIGN}: mbconv load DIR --network MODEL"
_FILLED_FOREIGN = f"the board's SDRAM holds {_FOREIGN}"


def _failure(request: Request, packet: Packet, identity: Identity | None) -> str:
    try:
        reason = Status.decode(packet.payload).reason
    except ValueError:
        return "a failure without a report"
    if reason == Reason.EMPTY:
        return "no network has been uploaded to the board's engine"
    if reason == Reason.REFUSED:
        return "the board's engine refuses the network: it is for another engine, or was damaged"
    if reason == Reason.MEMORY:
        return _FILLED_FOREIGN if identity is not None and identity.fills else _FLASH_FOREIGN
    if reason == Reason.UNKNOWN:
        return f"the board does not serve {request.name}"
    return f"the board found the request {reason.name.lower()}"


def identity_of(payload: bytes) -> Identity:
    """The identity in an answer.

    Raises:
        BoardError: it is none, or of another version.
    """
    try:
        return Identity.decode(payload)
    except ValueError as error:
        raise BoardError(str(error)) from None
