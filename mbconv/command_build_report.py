"""What ``mbconv build`` writes and prints of any implementation: build.json, the floorplan, the table of cells."""

from __future__ import annotations

import json
from pathlib import Path

from mbconv.generators.graph.shown import counted

from .cli_output import results
from .cli_table import Rows

REPORT = "build.json"
FLOORPLAN = "floorplan.svg"


def draw_floorplan(directory: Path, made, title: str) -> str:
    """Draw where the best seed's stages lie; the name of the picture."""
    from mbconv.fpga.flow.floorplan import draw, read_floorplan
    from mbconv.generators.emission.files import write_whole

    best = made.best
    start, end = made.critical_path
    said = f"{title}, seed {best.seed}: {best.fmax_mhz:.1f} MHz, critical path from {start} to {end}"
    found = read_floorplan(best.placed, tuple(step.cell for step in best.path))
    write_whole(directory / FLOORPLAN, draw(found, said))
    return FLOORPLAN


def write_report(directory: Path, command: str, answer: dict) -> None:
    """Write build.json."""
    from mbconv.generators.emission.files import write_whole

    from .schemas import marked

    write_whole(directory / REPORT, json.dumps(marked(command, answer), indent=2, ensure_ascii=False) + "\n")


def print_made(made) -> None:
    """The tools, the cells, the clock of each seed, the critical path."""
    console = results()
    console.print(", ".join(f"{tool} {version}" for tool, version in made.versions.items()))
    rows = Rows("", "used", "of", left=("",))
    for count in made.counts:
        available = "" if count.available is None else f"{count.available:,}"
        rows.add_row(count.kind.title, f"{count.used:,}", available)
    console.print(rows)
    found = made.to_dict()
    inside, outside = made.mac_multipliers_in_dsp, made.mac_multipliers - made.mac_multipliers_in_dsp
    console.print(
        f"{counted(made.mac_multipliers, 'multiplier')} in MAC arrays, {inside} of them in DSP blocks"
        + (f" and {outside} in rows of carry chains" if outside else "")
        + f"; {found['dsp']} DSP blocks, those of requantisations included"
    )
    for route in made.routes:
        console.print(f"seed {route.seed}: {route.fmax_mhz:6.1f} MHz{' (best)' if route is made.best else ''}")
    start, end = made.critical_path
    console.print(f"critical path: {found['critical_path']['delay_ns']} ns, from {start} to {end}")


def board_answer(directory: Path, built, check, title: str) -> dict:
    """What ``--json`` and build.json say of any bitstream for a board; draws its floorplan.

    Args:
        check: of its netlist, or None.
        title: of the picture.
    """
    return {
        "board": built.board.name,
        "clock_mhz": round(built.clock_mhz, 4),
        "baud": built.baud,
        "bitstream": built.path.name,
        **built.made.to_dict(),
        "netlist": None if check is None else check.to_dict(),
        "floorplan": draw_floorplan(directory, built.made, title),
    }


def print_files(directory: Path, built, check) -> None:
    """Floorplan and bitstream, and what the netlist answered where it was asked."""
    console = results()
    console.print(f"floorplan: {directory / FLOORPLAN}")
    console.print(f"bitstream: {built.path}, {built.path.stat().st_size:,} bytes")
    if check is not None:
        console.print(f"\nthe netlist, asked through its UART:\n{check.text}")
