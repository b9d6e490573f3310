"""A simulated board that does what a script says, cycle by cycle: the same every time, however busy the machine is."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..simulation.toolchain import SimulatorError
from .simulated_board import SimulatedBoard

_HEAD = struct.Struct("<II")


@dataclass(frozen=True)
class Step:
    """What a step took.

    Attributes:
        cycles: of the board's clock.
        heard: the bytes that the board sent meanwhile.
    """

    cycles: int
    heard: bytes


class ScriptedBoard:
    """A board in a simulator, from entry to exit of a ``with`` statement. Time passes in its steps only.

    Args:
        board: of which the simulator was built; it need not run.
        seed: of the values before the first assignment, of whatever the design gives none.

    Raises:
        SimulatorError: of every step, when the simulator ends by itself.
    """

    def __init__(self, board: SimulatedBoard, seed: int = 1):
        self._board, self._seed = board, seed

    def __enter__(self) -> ScriptedBoard:
        self._folder = tempfile.TemporaryDirectory(prefix="mbconv-board-")
        folder = Path(self._folder.name)
        self._board.write_memories(folder)
        self._log = (folder / "board.log").open("wb")
        command = [*self._board.command(self._seed), "script"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._log}
        self._process = subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes)
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()
        self._folder.cleanup()

    def send(self, data: bytes) -> Step:
        """Send bytes, one after the other without a pause."""
        return self._step(b"S", len(data), data)

    def answer(self, most: int) -> Step:
        """Wait for the end of a packet, for at most so many cycles."""
        return self._step(b"A", most)

    def quiet(self, cycles: int) -> Step:
        """Wait until the board has sent nothing for so many cycles."""
        return self._step(b"Q", cycles)

    def wait(self, cycles: int) -> Step:
        """Wait for so many cycles."""
        return self._step(b"W", cycles)

    def reset(self, cycles: int = 1) -> Step:
        """Hold the reset for so many cycles."""
        return self._step(b"R", cycles)

    def _step(self, kind: bytes, number: int, data: bytes = b"") -> Step:
        try:
            self._process.stdin.write(kind + struct.pack("<I", number) + data)
            self._process.stdin.flush()
            cycles, count = _HEAD.unpack(self._process.stdout.read(_HEAD.size))
            return Step(cycles, self._process.stdout.read(count))
        except (OSError, struct.error):
            text = Path(self._log.name).read_text(encoding="utf-8", errors="replace")[-2000:]
            raise SimulatorError(f"the simulated board ended: {text}") from None
