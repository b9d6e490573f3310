"""Work shared among processes of the same program, where the system can fork."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def processors() -> int:
    """How many processes are worth having at once."""
    if sys.platform != "linux":  # elsewhere a forked process is not safe, or there is none
        return 1
    return len(os.sched_getaffinity(0))


def in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], *, runs_tools: bool = False
) -> list[Result]:
    """``function`` of every item: the first here, each other in a process of its own, which sees everything as it is
    now and whose changes are lost but for its result.

    An exception in any of them is raised here; so is an interrupt, after which none of them is left.

    Args:
        runs_tools: ``function`` starts programs, which an exception here would leave running: the first item gets a
            process of its own as well where the system can fork, and all its programs end with it.
    """
    here = 0 if runs_tools and sys.platform == "linux" else 1
    children: list[_Child] = []
    try:
        for item in items[here:]:
            children.append(_start(function, item))
        results = [function(item) for item in items[:here]]
        while children:
            results.append(_result(children[0]))
            children.pop(0)
        return results
    finally:
        for child in children:
            child.end()


def shared_out(function: Callable[[Item], Result], items: Sequence[Item], fewest: int = 1) -> list[Result]:
    """``function`` of every item, in their order; where several processes are worth having, each takes the next item
    when it is done with one.

    Args:
        fewest: items that are worth a process.
    """
    count = max(1, min(processors(), len(items) // fewest))
    if count == 1:
        return [function(item) for item in items]
    results: list[Any] = [None] * len(items)
    with _Queue(len(items)) as queue:
        parts = in_processes(lambda _: [(index, function(items[index])) for index in queue.taken()], range(count))
    for part in parts:
        for index, result in part:
            results[index] = result
    return results


class HelperKilled(Exception):
    """A process that helped was ended by a signal from outside, as a system does that is short of memory."""

    def __init__(self, number: signal.Signals) -> None:
        memory = "; where memory is short the system does that" if number == signal.SIGKILL else ""
        super().__init__(f"a process that helped was ended by {number.name} from outside{memory}: run it again")


class _Queue:
    """The numbers below a count in a pipe, from which several processes take each once."""

    _BYTES = 4
    _MOST = 8192  # that a pipe holds at least: 64 KiB on Linux, half of them to be sure

    def __init__(self, count: int) -> None:
        self._read, write = os.pipe()
        self._step = -(-count // self._MOST)  # numbers that are taken at once
        self._count = count
        with os.fdopen(write, "wb") as pipe:
            pipe.write(b"".join(number.to_bytes(self._BYTES, "big") for number in range(0, count, self._step)))

    def __enter__(self) -> _Queue:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._read)

    def taken(self) -> Iterator[int]:
        """Numbers that no other process takes, as long as there are any."""
        while number := os.read(self._read, self._BYTES):
            first = int.from_bytes(number, "big")
            yield from range(first, min(first + self._step, self._count))


@dataclass
class _Child:
    """A process, and the pipe that its result comes through."""

    process: int
    pipe: BinaryIO

    def end(self) -> None:
        """Kill it and the tools that it started."""
        self.pipe.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.process, 0)


def _start(function: Callable[[Item], Result], item: Item) -> _Child:
    """A process that computes a result."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Other threads draw progress bars; none holds a lock that the work needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        _work(function, item, write)
    os.close(write)
    with suppress(OSError):  # it has done so itself by now
        os.setpgid(process, process)
    return _Child(process, os.fdopen(read, "rb"))


def _work(function: Callable[[Item], Result], item: Item, write: int) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)  # so that it ends together with the tools that it starts
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        try:
            answer = pickle.dumps((function(item), None))
        except Exception as error:
            answer = pickle.dumps((None, error))
        with os.fdopen(write, "wb") as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)


def _result(child: _Child) -> Any:
    with child.pipe:
        data = child.pipe.read()
    _, status = os.waitpid(child.process, 0)
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGINT:
            raise KeyboardInterrupt
        raise HelperKilled(signal.Signals(os.WTERMSIG(status)))
    if status or not data:
        raise RuntimeError(f"a process that helped ended without a result (status {status})")
    result, error = pickle.loads(data)
    if error is not None:
        raise error
    return result
