"""``mbconv boards``: the boards that designs are planned and built for."""

from __future__ import annotations

import click

from .cli_options import json_option
from .cli_output import print_json, results
from .cli_table import Rows


@click.command(short_help="The boards: FPGA, clock, UART, what was built for them.")
@json_option
def boards(as_json: bool) -> None:
    """List the boards, whose names stand behind --board: the FPGA with what a plan may use of it, the oscillator, and
    the pins of the UART, from the FPGA's side.

    The third column says how far a whole network was built and checked for the board when mbconv was made (make boards
    does it again): synthesised, routed, bitstream made, netlist simulated. None of it was run on silicon.

    A board of your own is --board module:Platform, a class in the form of the package amaranth-boards.
    """
    from mbconv.fpga.boards import boards as known
    from mbconv.fpga.boards.checked import checked_of, read_checked

    builds = read_checked()
    rows = [
        {
            "name": board.name,
            "title": board.title,
            "device": board.part.device,
            "package": board.part.package,
            "speed": board.part.speed,
            "multipliers": board.device.multipliers,
            "block_ram": board.device.block_rams,
            "block_ram_kind": board.device.block_ram.name,
            "lut": board.device.luts,
            "clock_mhz": board.clock_mhz,
            "clock_pin": board.clock.name,
            "uart": {"rx": board.rx.name, "tx": board.tx.name} if board.rx and board.tx else None,
            "platform": board.platform,
            "loader": board.loader,
            "checked": _checked(checked_of(board.name, builds)),
        }
        for board in known()
    ]
    if as_json:
        print_json("boards", {"boards": rows})
        return
    columns = Rows("name", "FPGA", "checked", "multipliers", "block RAM", "LUTs", "MHz", "rx", "tx",
                   left=("name", "FPGA", "checked"))  # fmt: skip
    for row in rows:
        uart = row["uart"] or {"rx": "", "tx": ""}
        columns.add_row(
            row["name"],
            f"{row['device']}-{row['package']}",
            _text(row["checked"]),
            str(row["multipliers"]),
            str(row["block_ram"]),
            f"{row['lut']:,}",
            f"{row['clock_mhz']:g}",
            uart["rx"],
            uart["tx"],
        )
    results().print(columns)


def _checked(build) -> dict | None:
    """For ``--json``."""
    if build is None:
        return None
    return {
        "network": build.network,
        "reached": build.reached,
        "clock_mhz": build.clock_mhz,
        "frames_per_second": build.frames_per_second,
    }


def _text(build: dict | None) -> str:
    if build is None:
        return ""
    from mbconv.fpga.boards.checked import Stage

    clock = "" if build["clock_mhz"] is None else f" at {build['clock_mhz']:.4g} MHz"
    return f"{build['network']}{clock}: {Stage[build['reached'].upper()].title}"
