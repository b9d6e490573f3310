"""``python -m mbconv.fpga.boards.build_all [-o DIR] [BOARD …]`` (``make boards``): bitstreams of networks for boards.

Each is made by ``mbconv build`` in a folder of its own, where what was done before is not done again: interrupted, the
command goes on where it was. How far each came is written to ``checked.json``, which ``mbconv boards`` shows; README's
table is printed from it at the end.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .checked import Checked, Stage, read_checked, write_checked


@dataclass(frozen=True)
class Build:
    """A network for a board: ``mbconv build MODEL --board BOARD`` with further options."""

    model: str
    board: str
    options: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        words = " ".join(self.options).split()
        return "-".join((Path(self.model).stem, self.board, *(word.strip("-") for word in words)))

    @property
    def command(self) -> str:
        """As a user types it."""
        return shlex.join(("mbconv", "build", self.model, "--board", self.board, *self.options))


REPORT = "build.json"
BUILDS = (
    # Where no clock is given the highest that is met is searched: two builds or more.
    Build("digits", "icebreaker"),
    Build("digits", "tang-nano-9k", ("--clock", "75")),
    Build("digits", "tang-nano-20k", ("--clock", "100")),
    Build("digits", "tang-primer-20k", ("--multipliers", "8")),
    Build("digits", "colorlight-i5", ("--clock", "103.125")),
    Build("digits", "colorlight-i9", ("--clock", "100")),
    Build("digits", "crosslink-nx-evn", ("--multipliers", "8")),
    Build("digits", "crosslink-nx-evn-pll", ("--multipliers", "8")),
    Build("digits", "icepi-zero", ("--clock", "100")),
    Build("digits", "icesugar-pro", ("--clock", "100")),
    Build("digits", "ulx3s-12f", ("--clock", "100")),
    Build("digits", "ulx3s-25f", ("--clock", "100")),
    Build("digits", "ulx3s-45f", ("--clock", "100")),
    Build("digits", "ulx3s-85f", ("--clock", "90")),
    Build(
        "cifar10",
        "ulx3s-85f",
        ("--multipliers", "64", "--clock", "80", "--frequency", "70", "--nextpnr", "--router router2"),
    ),
)


def build_one(build: Build, folder: Path, jobs: Sequence[str] = ()) -> Checked:
    """What a build came to. Its progress goes to the standard error.

    Args:
        jobs: the command that starts the build's, such as ``nice``.
    """
    command = [*jobs, sys.executable, "-m", "mbconv", "build", build.model, "--board", build.board, *build.options]
    done = subprocess.run([*command, "-o", str(folder), "--json"], stdout=subprocess.PIPE, text=True)
    report = folder / REPORT
    if not report.exists():
        problem = f"exit status {done.returncode}"
        return Checked(build.board, Path(build.model).stem, reached(folder).name.lower(), problem=problem)
    return checked_of_report(json.loads(report.read_text(encoding="utf-8")))


def reached(folder: Path) -> Stage:
    """How far a build without a report came, by the steps that it marked as done."""
    if any(folder.rglob("place_and_route_*.done")):
        return Stage.ROUTED
    return Stage.SYNTHESISED if any(folder.rglob("synthesis.done")) else Stage.NOTHING


def checked_of_report(found: dict) -> Checked:
    """A build by what ``mbconv build --json`` printed."""
    netlist = found.get("netlist")
    simulated = netlist is not None and netlist["ok"]
    return Checked(
        found["board"],
        found["model"],
        (Stage.SIMULATED if simulated else Stage.BITSTREAM).name.lower(),
        found["mac_multipliers"],
        "" if netlist is None or simulated else "the netlist's answers are not the golden model's",
        found["clock_mhz"],
        found["fmax_mhz"],
        found["interval_cycles"],
        found["latency_cycles"],
        {key: found[key] for key in found["available"]},
        found["available"],
        found["tools"],
    )


def table(builds: Sequence[Checked]) -> str:
    """README's table."""
    lines = [
        "| network | board | FPGA | multipliers | logic | DSP | block RAM | clock, MHz | frames per second | checked |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    from .registry import find_board

    for build in builds:
        board = find_board(build.board)
        if build.clock_mhz is None:
            lines.append(
                f"| {build.network} | {board.title} | {board.part.device} | | | | | | | "
                f"{build.stage.title or 'nothing'}: {build.problem} |"
            )
            continue
        used, available = build.used or {}, build.available or {}
        logic = next(key for key in available if key in ("logic_cell", "lut"))
        lines.append(
            f"| {build.network} | {board.title} | {board.part.device} | {build.multipliers} | "
            + "".join(f"{used[key]:,} of {available[key]:,} | " for key in (logic, "dsp", "block_ram"))
            + f"{build.clock_mhz:.2f} | {build.frames_per_second:,.0f} | {build.stage.title} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, keep, print the table; 1 where a bitstream could not be made or its netlist is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m mbconv.fpga.boards.build_all", description="The bitstreams of networks for boards."
    )
    parser.add_argument("boards", nargs="*", metavar="BOARD", help="those for these boards only")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/boards"), help="[default: %(default)s]")
    parser.add_argument(
        "--take",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="keep what mbconv build came to in a folder",
    )
    parser.add_argument("--table", action="store_true", help="print the table of what was built before; build nothing")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.boards) - {build.board for build in BUILDS}):
        known = ", ".join(dict.fromkeys(build.board for build in BUILDS))
        parser.error(f"no build is for {unknown[0]!r}; there are {known}")
    for folder in options.take:
        found = checked_of_report(json.loads((folder / REPORT).read_text(encoding="utf-8")))
        write_checked(merged(found, read_checked()))
    failed = False
    for build in BUILDS if not (options.table or options.take) else ():
        if options.boards and build.board not in options.boards:
            continue
        print(build.command, file=sys.stderr, flush=True)
        found = build_one(build, options.output / build.folder)
        failed |= found.stage < Stage.SIMULATED
        write_checked(merged(found, read_checked()))
    print(table(read_checked()))
    return 1 if failed else 0


def merged(found: Checked, kept: Sequence[Checked]) -> list[Checked]:
    """What is kept with a build in place of the same network's on the same board, in the order of :data:`BUILDS`."""
    order = [(build.board, Path(build.model).stem) for build in BUILDS]
    others = [build for build in kept if (build.board, build.network) != (found.board, found.network)]
    places = {pair: number for number, pair in enumerate(order)}
    return sorted([*others, found], key=lambda build: places.get((build.board, build.network), len(order)))


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
