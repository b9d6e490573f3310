"""A board without a board: its top as emitted, in Verilator, with a serial port that any program can open."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import tty
from collections.abc import Mapping
from math import ceil
from pathlib import Path

from mbconv.generators.emission.board import board_bundle, board_top, slowest_byte
from mbconv.generators.emission.design import Design
from mbconv.generators.emission.engine_board import FLASH_ADDRESS, engine_top, engine_verilog
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.sdram import SdramTiming
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.link.baud import BITS_PER_BYTE, LEAST_BIT_CYCLES
from mbconv.hdl.link.board_top import BoardTop
from mbconv.hdl.link.engine_top import EngineTop

from ..simulation import verilator
from ..simulation.toolchain import SimulatorError
from .flash import TOP as FLASH_TOP
from .flash import board_with_flash, flash_file
from .sdram import board_with_sdram

PROGRAM = "".join((Path(__file__).parent / name).read_text() for name in ("line.h", "script.h", "board.cpp"))
"""Of the simulator: behind a pseudo-terminal, or as a script says."""


def simulated_rate(design: Design, clock: float) -> float:
    """The rate of the shortest bits, of whole cycles, with which a frame can pass to the network as it comes."""
    return clock / max(LEAST_BIT_CYCLES, ceil(slowest_byte(design) / BITS_PER_BYTE))


def is_port_link(path: Path) -> bool:
    """Whether a path is a link to a pseudo-terminal, as :class:`SimulatedBoard` makes one; the terminal may be gone."""
    return path.is_symlink() and str(path.readlink()).startswith("/dev/pts/")


class SimulatedBoard:
    """A design's board, running from entry to exit of a ``with`` statement.

    The bytes at its port are those of a real board, bit by bit through the emitted UART.

    Args:
        design: of one input and one output.
        clock, baud: what the identity states. The simulated UART is as fast as the ratio of the two says.
        link: where the file of the port is linked to, so that the name stays the same after a replug.

    Attributes:
        port: the path to open.

    Raises:
        GraphError: the design has no board's top.
        SimulatorError: the simulator is missing or refuses the design.
    """

    def __init__(self, design: Design, clock: float, baud: float, link: Path | None = None, seed: int = 1):
        self.top: BoardTop | EngineTop = board_top(design, clock, baud, simulated=True)
        bundle = board_bundle(design, self.top)
        self.build = verilator.build(bundle.verilog, bundle.top, program=PROGRAM)
        self._memory_files, self._link, self._seed = bundle.memory_files, link, seed
        self._process: subprocess.Popen | None = None

    @classmethod
    def of_engine(
        cls,
        parameters: EngineParameters,
        clock: float,
        baud: float,
        link: Path | None = None,
        seed: int = 1,
        family: Family = GENERIC,
        flash: bytes | None = None,
        sdram: SdramTiming | None = None,
        pads: Mapping[str, str] | None = None,
    ) -> SimulatedBoard:
        """A board with an engine; ``flash``: what its flash holds at the address where weights are read; ``sdram``: its
        SDRAM's; ``pads``: file name → Verilog of a family's pads, with the models of its cells."""
        board = cls.__new__(cls)
        address = FLASH_ADDRESS if flash is not None else None
        board.top = engine_top(parameters, clock, baud, flash=address, sdram=sdram, family=family, simulated=True)
        made = engine_verilog(board.top)
        sources, files = {f"{made.top}.v": made.text, "primitives.v": made.primitives}, dict(made.memory_files)
        top = made.top
        if flash is not None:
            sources |= board_with_flash(top, FLASH_ADDRESS, len(flash)) | dict(pads or {})
            files |= flash_file(flash)
            top = FLASH_TOP
        if sdram is not None:
            sources |= board_with_sdram(top, sdram, clock) | dict(pads or {})
            top = FLASH_TOP
        board.build = verilator.build(sources, top, program=PROGRAM)
        board._memory_files, board._link, board._seed = files, link, seed
        board._process = None
        return board

    def __enter__(self) -> SimulatedBoard:
        self._folder = Path(tempfile.mkdtemp(prefix="mbconv-board-"))
        self.write_memories(self._folder)
        self.plug()
        return self

    def __exit__(self, *_) -> None:
        self.unplug()
        shutil.rmtree(self._folder, ignore_errors=True)

    def write_memories(self, folder: Path) -> None:
        """Write the memory files that the simulator reads in the folder where it is started."""
        for name, text in self._memory_files.items():
            (folder / name).write_text(text)

    def command(self, seed: int) -> list[str]:
        """The simulator with its arguments."""
        ratio = self.top.bit.ratio
        return [
            str(self.build.folder / self.build.top),
            str(ratio.numerator),
            str(ratio.denominator),
            "+verilator+rand+reset+2",
            f"+verilator+seed+{seed}",
        ]

    def plug(self) -> None:
        """Power on, with a new port."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.port = os.ttyname(theirs)
        if self._link is not None:
            self._remove_link()
            self._link.symlink_to(self.port)  # refuses to replace anything else
            self.port = str(self._link)
        command = self.command(self._seed)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        try:
            with (self._folder / "board.log").open("wb") as log:
                self._process = subprocess.Popen(command, cwd=self._folder, stdin=ours, stdout=ours, stderr=log)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            os.close(ours)
        self._theirs = theirs  # kept open, so that the port survives whoever opens and closes it

    def unplug(self) -> None:
        """Power off; the port is gone."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None
        os.close(self._theirs)
        if self._link is not None:
            self._remove_link()

    def _remove_link(self) -> None:
        """Remove a link to a pseudo-terminal, which is this board's or one's that was killed; nothing else."""
        if self._link is not None and is_port_link(self._link):
            self._link.unlink()

    def wait(self) -> None:
        """Until the simulator ends by itself, which is a fault, or an exception such as an interrupt comes.

        Raises:
            SimulatorError: the simulator ended.
        """
        status = self._process.wait()
        text = (self._folder / "board.log").read_text(errors="replace")[-2000:]
        raise SimulatorError(f"the simulated board ended with {status}: {text}")

    def reset(self) -> None:
        """Press the reset button."""
        self._process.send_signal(signal.SIGUSR1)
