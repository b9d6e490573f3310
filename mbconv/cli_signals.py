"""Ends that come from outside: a signal, or a reader of the output that went away."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_SIGNALS = ("SIGTERM", "SIGHUP")  # SIGINT is Python's KeyboardInterrupt


class Ended(BaseException):
    """A signal that ends the program: raised where the work stands, so that what cleans up after itself does."""

    def __init__(self, number: int):
        self.number = number


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Turn signals that end the program into :class:`Ended`; only the main thread gets signals."""

    def end(number: int, frame: object) -> NoReturn:
        for one in numbers:  # a second one does not disturb the cleaning up
            signal.signal(one, signal.SIG_IGN)
        raise Ended(number)

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]  # nohup's SIGHUP stays
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def end_by_signal(number: int) -> NoReturn:
    """End as a program does that leaves a signal to the system: shells and supervisors see which it was."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # or Python complains about what it could not write
        os.dup2(quiet, stream)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)


@contextmanager
def closed_output_ends() -> Iterator[None]:
    """Turn an output whose reader went away into :class:`Ended`: the end of other programs then, without a word.

    Click's and rich's own answer is the exit code 1, which here says something else.
    """
    try:
        yield
    except BrokenPipeError:
        raise Ended(signal.SIGPIPE) from None
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise Ended(signal.SIGPIPE) from None
        raise
