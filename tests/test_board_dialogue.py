"""Requests and answers in a time of their own: a board that hears nothing while it answers, and a host that starts out
of step with it."""

from types import SimpleNamespace

import pytest
from link_packets import IDENTIFY, MEASURE, packet, read_packet

from mbconv.board import dialogue as dialogue_module
from mbconv.board.dialogue import Dialogue
from mbconv.board.errors import BoardError
from mbconv.hdl.link.protocol import Reason, Request

FAILURE = 0x80
BYTE = 10 / 115_200
DELAY = 0.002  # of an adapter, in each direction
READ = 0.02  # what a read waits for if nothing has come


def report(reason: int = 0) -> bytes:
    return bytes([reason]) + bytes(15)


class Line:
    """A port's ways into the dialogue, and a board at its other end, over a line whose bytes take their time."""

    def __init__(self, noise_until: float = 0.0):
        self.now = 0.0
        self.noise_until = noise_until
        self.to_board: list[tuple[float, int]] = []  # when each byte is there, and the byte
        self.to_host: list[tuple[float, int]] = []
        self.waiting = bytearray()  # of a packet that the board has not yet seen the end of
        self.damaged = False
        self.deaf_until = 0.0  # the end of the answer that the board sends
        self.requests = 0

    def say(self, start: float, data: bytes) -> float:
        start = max(start, self.deaf_until)
        for number, byte in enumerate(data):
            self.to_host.append((start + (number + 1) * BYTE + DELAY, byte))
        return start + len(data) * BYTE

    def run(self) -> None:
        """What the board does with all that has come."""
        while self.to_board and self.to_board[0][0] <= self.now:
            when, byte = self.to_board.pop(0)
            if when < self.deaf_until:
                self.damaged = self.damaged or byte != 0
            elif byte:
                self.waiting.append(byte)
            elif self.waiting or self.damaged:
                self.judge(when)

    def judge(self, when: float) -> None:
        line, lost = bytes(self.waiting), self.damaged
        self.waiting.clear()
        self.damaged = False
        try:
            kind, sequence, _ = read_packet(line)
        except Exception:
            lost = True
        if lost:  # reported when the line has been quiet for two bytes
            if not self.to_board or self.to_board[0][0] > when + 2.5 * BYTE:
                self.deaf_until = self.say(when + 2 * BYTE, packet(FAILURE, 9, report(Reason.GARBLED))[1:])
            return
        self.requests += 1
        payload = b"identity" if kind == IDENTIFY else report()
        self.deaf_until = self.say(when, packet(0x80 | kind, sequence, payload)[1:])

    # What the dialogue sees of it.
    baud = 115_200

    def discard(self) -> None:
        self.run()
        self.to_host = [(when, byte) for when, byte in self.to_host if when > self.now]

    def write(self, data: bytes, until: float) -> None:
        start = max([self.now + DELAY, *(when for when, _ in self.to_board[-1:])])
        self.to_board += [(start + (number + 1) * BYTE, byte) for number, byte in enumerate(data)]

    def read(self) -> bytes:
        """Byte by byte, as they come: whoever reads sees the first of a packet and not yet the last."""
        if self.now < self.noise_until:
            self.now += BYTE
            return b"\x55"
        end = self.now + READ
        while True:
            self.run()
            if self.to_host and self.to_host[0][0] <= self.now:
                return bytes([self.to_host.pop(0)[1]])
            nearest = min([when for when, _ in (*self.to_host[:1], *self.to_board[:1])], default=end)
            if nearest >= end:
                self.now = end
                return b""
            self.now = max(self.now, nearest)

    def close(self) -> None:
        pass


@pytest.fixture
def line(monkeypatch):
    line = Line()
    clock = SimpleNamespace(monotonic=lambda: line.now, time=lambda: 1.0, sleep=lambda seconds: None)
    monkeypatch.setattr(dialogue_module, "time", clock)
    monkeypatch.setattr(dialogue_module, "Port", lambda device, baud: line)
    return line


def test_in_step(line):
    """A request that follows an answer waits for nothing: it takes what bytes and adapters take."""
    dialogue = Dialogue("port", 115_200)
    dialogue.ask(Request.STATUS, b"", 16, 1)
    began = line.now
    for _ in range(10):
        assert dialogue.ask(Request.MEASURE, bytes(6), 16, 1) == report()
    request, answer = len(packet(MEASURE, 1, bytes(6))), len(packet(0x80 | MEASURE, 1, report())) - 1
    assert line.now - began == pytest.approx(10 * ((request + answer) * BYTE + 2 * DELAY))
    assert line.requests == 11


@pytest.mark.parametrize("early", range(12))
def test_out_of_step(line, early):
    """The request meets the answer to something else, by any part of it. The next attempt must not meet the answer to
    this one, and so on: it once did, as often as it was tried."""
    dialogue = Dialogue("port", 115_200)
    dialogue.ask(Request.STATUS, b"", 16, 1)
    dialogue.write(b"\xff\x01 no packet \x80\0", 1)
    line.now += (14 + 2 + 3 * early) * BYTE + DELAY
    assert dialogue.ask(Request.MEASURE, bytes(6), 16, 0.5) == report()
    assert line.now < 0.5
    before = line.requests
    dialogue.ask(Request.STATUS, b"", 16, 1)
    assert line.requests == before + 1


def test_noise_that_ends(line):
    """A board that boots on the same port prints for a while."""
    line.noise_until = 0.5
    dialogue = Dialogue("port", 115_200)
    assert dialogue.ask(Request.STATUS, b"", 16, 0.5) == report()


def test_noise_that_does_not_end(line):
    line.noise_until = 1e9
    dialogue = Dialogue("port", 115_200)
    with pytest.raises(BoardError, match="no right answer to STATUS in 5 attempts"):
        dialogue.ask(Request.STATUS, b"", 16, 0.5)
    assert line.now < 15
