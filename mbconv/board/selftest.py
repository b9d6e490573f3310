"""All that a board can be asked, compared with the golden model, as a text for an issue."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import mbconv
from mbconv.generators.graph.graph import Graph
from mbconv.generators.graph.shown import counted
from mbconv.hdl.link.identity import Identity

from .board import Board
from .pseudo_random import frames as pseudo_random_frames

_PICTURES = 4
_SEED = 20260101


@dataclass(frozen=True)
class Check:
    """One thing that was tried.

    Attributes:
        ok: as it should be.
        found: what it gave, in words.
    """

    name: str
    ok: bool
    found: str


@dataclass(frozen=True)
class SelfTest:
    """A board's self test."""

    identity: Identity
    device: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: what the text says."""
        identity = self.identity
        return {
            "ok": self.ok,
            "simulated": identity.simulated,
            "name": identity.name,
            "model": identity.model.hex(),
            "plan": identity.plan.hex(),
            "multipliers": identity.multipliers,
            "clock": identity.clock,
            "baud": identity.baud,
            "checks": [asdict(check) for check in self.checks],
        }

    @property
    def text(self) -> str:
        """For an issue."""
        identity = self.identity
        where = "SIMULATED, no silicon" if identity.simulated else "board"
        width = max(len(check.name) for check in self.checks)
        lines = [
            "```",
            f"mbconv {mbconv.__version__} selftest: {'passed' if self.ok else 'FAILED'} ({where})",
            f"{identity.name}, model {identity.model.hex()}, plan {identity.plan.hex()}, "
            f"{counted(identity.multipliers, 'multiplier')}",
            f"clock {identity.clock / 1e6:g} MHz, link {identity.baud:,} baud",
            f"host {platform.system()} {platform.machine()}, Python {platform.python_version()}",
            *(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:{width}}  {check.found}" for check in self.checks),
            "```",
        ]
        return "\n".join(lines)


def run(
    device: str, graph: Graph, baud: int | None, frames: int, report: Callable[[str], None] = lambda text: None
) -> SelfTest:
    """Test the board at a port.

    Args:
        frames: of the measurement at full speed.
        report: called with what is done next.

    Raises:
        BoardError: it cannot be talked to, or holds another network.
    """
    with Board(device, graph, baud) as board:
        checks = []
        for name, check in (
            (f"{_PICTURES} pictures over the line", lambda: _pictures(board)),
            ("damaged packets", lambda: _damage(board)),
            ("a lone frame", lambda: _measured(board, 1)),
            (f"{counted(frames, 'frame')} back to back", lambda: _measured(board, frames)),
        ):
            report(name)
            checks.append(Check(name, *check()))
        return SelfTest(board.identity, device, tuple(checks))


def _pictures(board: Board) -> tuple[bool, str]:
    wrong, line = 0, 0.0
    for elements in pseudo_random_frames(board.identity.source, _SEED, _PICTURES):
        began = time.monotonic()
        result = np.frombuffer(board.infer(elements), np.uint8)
        line += time.monotonic() - began
        wrong += int((result != np.frombuffer(board.network.expected(board.identity, elements), np.uint8)).sum())
    return not wrong, f"{wrong} wrong bytes, {line / _PICTURES * 1000:,.0f} ms a picture"


def _damage(board: Board) -> tuple[bool, str]:
    before = board.status()
    board.disturb()
    board.infer(pseudo_random_frames(board.identity.source, _SEED, 1)[0])
    after = board.status()
    counted = sum((getattr(after, name) - getattr(before, name)) % 256 for name in ("garbled", "refused", "cancelled"))
    return counted > 0, f"{counted} counted, the next request answered"


def _measured(board: Board, frames: int) -> tuple[bool, str]:
    found = board.measure(frames, _SEED)
    what = f"latency {found.cycles:,}" if found.interval is None else f"interval {found.interval:,}"
    predicted = found.predicted_latency if found.interval is None else found.predicted_interval
    exact = "results exact" if found.exact else "results WRONG"
    text = f"{what} cycles (predicted {predicted:,}), {found.frames_per_second:,.1f} per second, {exact}"
    return found.as_predicted and bool(found.exact), f"{text}, signature {found.signature:08x}"
