"""A bitstream's netlist asked through its UART, as a board would be, and compared with the golden model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from mbconv.generators.graph.graph import Graph
from mbconv.generators.graph.shown import counted

from .board import Board
from .measurement import MeasuredRun
from .pseudo_random import frames as pseudo_random_frames

FRAMES = 3
LARGEST_PICTURE = 100_000
"""Cycles that the picture of a check may take on the line; a simulation of more would take longer than all the rest."""
_PATIENCE = 1800.0  # seconds; a netlist of 100,000 cells runs at a thousand cycles a second
_SEED = 20261125


@dataclass(frozen=True)
class NetlistCheck:
    """What the netlist of a board answered.

    Attributes:
        pictures: that went over the line; none where the line would take too long.
        wrong_bytes: of their answers.
        lone, run: a lone frame and several back to back, made on the board.
    """

    pictures: int
    wrong_bytes: int
    lone: MeasuredRun
    run: MeasuredRun

    @property
    def ok(self) -> bool:
        """All results are the golden model's, latency and interval as predicted."""
        return not self.wrong_bytes and all(run.exact and run.as_predicted for run in (self.lone, self.run))

    @property
    def text(self) -> str:
        """In words."""
        exact = all(run.exact for run in (self.lone, self.run)) and not self.wrong_bytes
        return "\n".join(
            [
                f"{self.pictures} picture{'' if self.pictures == 1 else 's'} over the line, "
                f"{self.run.frames + 1} frames made on the board: results "
                + ("as the golden model's" if exact else "NOT the golden model's"),
                f"latency {self.lone.cycles:,} cycles, predicted {self.lone.predicted_latency:,}; "
                f"interval {self.run.interval:,}, predicted {self.run.predicted_interval:,}",
            ]
        )

    def to_dict(self) -> dict:
        """For ``--json``."""
        return {
            "ok": self.ok,
            "pictures": self.pictures,
            "wrong_bytes": self.wrong_bytes,
            "lone": asdict(self.lone),
            "run": asdict(self.run),
        }


def check_board_netlist(
    port: str, graph: Graph, baud: float, *, frames: int = FRAMES, report: Callable[[str], None] = lambda text: None
) -> NetlistCheck:
    """Ask what is behind a simulated board's port: a picture over the line, a lone frame, frames back to back.

    Args:
        baud: of its link.
        frames: 2 or more, made on the board.
        report: called with what is done next.

    Raises:
        BoardError: it does not answer, or holds another network.
    """
    report("identity")
    with Board(port, graph, round(baud), patience=_PATIENCE) as board:
        source = board.identity.source
        cycles = source.frame_bytes * 10 * board.identity.clock / board.identity.baud
        pictures = wrong = 0
        if cycles <= LARGEST_PICTURE:
            report("a picture over the line")
            (elements,) = pseudo_random_frames(source, _SEED, 1)
            expected = np.frombuffer(board.network.expected(board.identity, elements), np.uint8)
            wrong = int((np.frombuffer(board.infer(elements), np.uint8) != expected).sum())
            pictures = 1
        report("a lone frame")
        lone = board.measure(1, _SEED)
        report(f"{counted(frames, 'frame')} back to back")
        return NetlistCheck(pictures, wrong, lone, board.measure(frames, _SEED))


@dataclass(frozen=True)
class EngineCheck:
    """What the netlist of a board with an engine answered, after a network was uploaded to it."""

    network: str
    uploaded_bytes: int
    pictures: int
    wrong_bytes: int

    @property
    def ok(self) -> bool:
        """All results are the golden model's."""
        return not self.wrong_bytes

    @property
    def text(self) -> str:
        """In words."""
        found = "as the golden model's" if self.ok else f"NOT the golden model's, {self.wrong_bytes} bytes wrong"
        asked = f"{counted(self.pictures, 'picture')} over the line"
        return f"{self.network} uploaded, {self.uploaded_bytes:,} bytes; {asked}: results {found}"

    def to_dict(self) -> dict:
        """For ``--json``."""
        return {"ok": self.ok, **asdict(self)}


@dataclass(frozen=True)
class EngineChecks:
    """What it answered for several networks in turn."""

    checks: tuple[EngineCheck, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def text(self) -> str:
        return "\n".join(check.text for check in self.checks)

    def to_dict(self) -> dict:
        """For ``--json``."""
        return {"ok": self.ok, "networks": [check.to_dict() for check in self.checks]}


def check_engine_netlist(
    port: str, graph: Graph, baud: float, report: Callable[[str], None] = lambda text: None, pictures: int = FRAMES
) -> EngineCheck:
    """Upload a network to what is behind a simulated board's port, and ask it.

    Raises:
        BoardError: it does not answer, or refuses the network.
    """
    report(f"{graph.name} is uploaded")
    wrong = 0
    with Board(port, graph, round(baud), patience=_PATIENCE) as board:
        for number, elements in enumerate(pseudo_random_frames(board.identity.source, _SEED, pictures)):
            report(f"picture {number + 1}")
            expected = np.frombuffer(board.network.expected(board.identity, elements), np.uint8)
            wrong += int((np.frombuffer(board.infer(elements), np.uint8) != expected).sum())
        return EngineCheck(graph.name, len(board.engine.packet), pictures, wrong)
