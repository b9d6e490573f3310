"""How far each board's flow was checked: kept in ``checked.json``, which ``build_all`` writes from what it built."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

from mbconv.generators.emission.files import write_whole

from .registry import FpgaBoard, find_board

FILE = Path(__file__).parent / "checked.json"


class Stage(IntEnum):
    """How far a build came; each stage has those before it behind it. None was run on silicon here."""

    NOTHING = 0
    SYNTHESISED = 1
    ROUTED = 2
    BITSTREAM = 3
    SIMULATED = 4

    @property
    def title(self) -> str:
        return ("", "synthesised", "routed", "bitstream made", "bitstream made, netlist simulated")[self]


@dataclass(frozen=True)
class Checked:
    """A network that was built for a board.

    Attributes:
        reached: a :class:`Stage`'s name in small letters.
        problem: what stopped it, one line; empty where nothing did.
        clock_mhz, interval_cycles, latency_cycles, used, available: of the bitstream; None and empty without one.
        tools: the versions of the packages that made it.
    """

    board: str
    network: str
    reached: str
    multipliers: int | None = None
    problem: str = ""
    clock_mhz: float | None = None
    fmax_mhz: float | None = None
    interval_cycles: int | None = None
    latency_cycles: int | None = None
    used: dict[str, int] | None = None
    available: dict[str, int] | None = None
    tools: dict[str, str] | None = None

    @property
    def stage(self) -> Stage:
        return Stage[self.reached.upper()]

    @property
    def frames_per_second(self) -> float | None:
        if self.clock_mhz is None or self.interval_cycles is None:
            return None
        return self.clock_mhz * 1e6 / self.interval_cycles


def read_checked(file: Path | None = None) -> list[Checked]:
    """All that is kept, in the order in which ``build_all`` builds."""
    file = file or FILE
    if not file.exists():
        return []
    return [Checked(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))["builds"]]


def write_checked(builds: Sequence[Checked], file: Path | None = None) -> None:
    """Keep builds in place of those of the file."""
    file = file or FILE
    entries = [{key: value for key, value in asdict(build).items() if value not in (None, "")} for build in builds]
    text = json.dumps({"builds": entries}, indent=1, ensure_ascii=False) + "\n"
    write_whole(file, text)


def checked_of(board: str, builds: Sequence[Checked]) -> Checked | None:
    """The build of a board that came furthest; of equals the first."""
    return max((build for build in builds if build.board == board), key=lambda build: build.stage, default=None)


def reference_note(board: FpgaBoard, clock_mhz: float | None) -> str | None:
    """What to tell who builds for a board whose PLL is fed below its maker's range; None where it is not."""
    lowest = board.part.family.lowest_reference_mhz
    if not board.pll_below_range or clock_mhz == board.clock_mhz:
        return None
    return (
        f"{board.title}: that PLL is promised to lock from {lowest:g} MHz on and gets {board.clock_mhz:g}; where the "
        f"board does not answer, build with --clock {board.clock_mhz:g}, which is without it"
    )


def clock_note(board: FpgaBoard, clock_mhz: float | None, builds: Sequence[Checked]) -> str | None:
    """What to tell who asks for a clock that no network has reached on a board's kind of FPGA so far; None where one
    has, or none was routed. A PLL makes clocks that no circuit meets, which otherwise shows after routing only."""
    kind = board.part.family.name, board.part.speed
    routed = [(build, find_board(build.board)) for build in builds if build.fmax_mhz is not None]
    alike = [(build, other) for build, other in routed if (other.part.family.name, other.part.speed) == kind]
    if clock_mhz is None or not alike:
        return None
    fastest, where = max(alike, key=lambda found: found[0].fmax_mhz or 0)
    if clock_mhz <= (fastest.fmax_mhz or 0):
        return None
    return (
        f"of the networks routed for {board.part.family.name} so far the fastest came to {fastest.fmax_mhz:g} MHz "
        f"({fastest.network} on {where.title}): {clock_mhz:g} MHz may not be met, and then there is no bitstream"
    )
