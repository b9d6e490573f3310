"""What may be at the other end of a serial port: a bad cable to a board, or something that is no board."""

import os
import select
import threading
import tty
from collections.abc import Callable

Change = Callable[[int, int], bytes]
"""From a byte's number since the beginning and the byte to what arrives of it."""


def intact(_: int, byte: int) -> bytes:
    return bytes([byte])


class _Ends:
    """A pseudo-terminal and a thread behind it, until the end of a ``with`` statement."""

    def __enter__(self):
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self._slave, self.port = slave, os.ttyname(slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


class Cable(_Ends):
    """Passes bytes between a host and a board's port, changed on the way."""

    def __init__(self, board: str, down: Change = intact, up: Change = intact):
        self._board, self._changes = board, (down, up)

    def _run(self):
        board = os.open(self._board, os.O_RDWR | os.O_NOCTTY)
        counts = [0, 0]
        try:
            while not self._stop.is_set():
                for source in select.select([self._master, board], [], [], 0.05)[0]:
                    way = int(source == board)
                    sent = b""
                    for byte in os.read(source, 1024):
                        sent += self._changes[way](counts[way], byte)
                        counts[way] += 1
                    os.write(self._master if way else board, sent)
        finally:
            os.close(board)


class Fake(_Ends):
    """Answers each read with what a function makes of it; ``unasked`` is said all the time."""

    def __init__(self, answer: Callable[[bytes], bytes] = lambda data: b"", unasked: bytes = b""):
        self._answer, self._unasked = answer, unasked

    def _run(self):
        os.set_blocking(self._master, False)
        while not self._stop.is_set():
            if select.select([self._master], [], [], 0.01)[0]:
                self._say(self._answer(os.read(self._master, 65536)))
            self._say(self._unasked)

    def _say(self, data: bytes):
        try:
            os.write(self._master, data)
        except BlockingIOError:
            pass
