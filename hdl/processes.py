"""Work shared among processes of the same program, where the system can fork."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
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


def in_processes(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """``function`` of every item: the first here, each other in a process of its own, which sees everything as it is
    now and whose changes are lost but for its result.

    An exception in any of them is raised here; so is an interrupt, after which none of them is left.
    """
    children: list[_Child] = []
    try:
        for item in items[1:]:
            children.append(_start(function, item))
        results = [function(items[0])] if items else []
        while children:
            results.append(_result(children[0]))
            children.pop(0)
        return results
    finally:
        for child in children:
            child.end()


def shared_out(function: Callable[[Item], Result], items: Sequence[Item], fewest: int = 1) -> list[Result]:
    """``function`` of every item, in their order; every second one in another process where two are worth having.

    Args:
        fewest: items that are worth a process.
    """
    count = max(1, min(processors(), len(items) // fewest))
    parts = in_processes(lambda start: [function(item) for item in items[start::count]], range(count))
    results: list[Any] = [None] * len(items)
    for start, part in enumerate(parts):
        results[start::count] = part
    return results


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
    if status or not data:
        raise RuntimeError(f"a process that helped ended without a result (status {status})")
    result, error = pickle.loads(data)
    if error is not None:
        raise error
    return result
