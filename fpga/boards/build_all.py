"""``python -m mbconv.fpga.boards.build_all [-o DIR] [BOARD …]``: bitstreams of the built-in networks, and their table.

Each is made by ``mbconv build`` in a folder of its own, where what was done before is not done again: interrupted, the
command goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BUILDS = (  # model, multipliers, board
    ("digits", 8, "icebreaker"),
    ("digits", 8, "colorlight-i5"),
    ("digits", 8, "tang-nano-9k"),
    ("digits", 8, "tang-nano-20k"),
    ("digits", 8, "tang-primer-20k"),
    ("digits", 8, "crosslink-nx-evn"),
    ("cifar10", 64, "ulx3s-85f"),
)


def build_one(model: str, multipliers: int, board: str, folder: Path) -> dict | str:
    """The report of a build, or why there is none."""
    command = [sys.executable, "-m", "mbconv", "build", model, "--multipliers", str(multipliers), "--board", board]
    done = subprocess.run([*command, "-o", str(folder / f"{model}-{board}"), "--json"], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().removeprefix("mbconv: ") or f"exit status {done.returncode}"
    return json.loads(done.stdout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, print the table; 1 where a bitstream could not be made."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(
        prog="python -m mbconv.fpga.boards.build_all", description="The bitstreams of the built-in networks."
    )
    parser.add_argument("boards", nargs="*", metavar="BOARD", help="those for these boards only")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/boards"), help="[default: %(default)s]")
    options = parser.parse_args(arguments)
    chosen = [build for build in BUILDS if not options.boards or build[2] in options.boards]
    if unknown := set(options.boards) - {board for *_, board in BUILDS}:
        parser.error(f"no build is for {sorted(unknown)[0]!r}; there are {', '.join(board for *_, board in BUILDS)}")
    rows = Table("network", "board", "FPGA", "LUTs", "DSP", "block RAM", "clock, MHz", "frames per second", box=None)
    for column in rows.columns[3:]:
        column.justify = "right"
    problems = []
    with Console(stderr=True).status("building") as status:
        for model, multipliers, board in chosen:
            status.update(f"{model} on {board}")
            found = build_one(model, multipliers, board, options.output)
            if isinstance(found, str):
                problems.append(f"{model} on {board}: {found}")
                continue
            rate = found["clock_mhz"] * 1e6 / found["interval_cycles"]
            available = found["available"]
            rows.add_row(
                model,
                board,
                found["device"],
                f"{found['lut']:,}",
                f"{found['dsp']} of {available['dsp']}",
                f"{found['block_ram']} of {available['block_ram']}",
                f"{found['clock_mhz']:.2f}",
                f"{rate:,.0f}",
            )
    console = Console()
    console.width = max(console.width, 120)  # no number is ever cut
    console.print(rows)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
