"""``mbconv boards``: the boards that designs are planned and built for."""

from __future__ import annotations

import click

from .cli_options import json_option
from .cli_output import print_json, results
from .cli_table import Rows


@click.command(short_help="The boards: FPGA, clock, UART.")
@json_option
def boards(as_json: bool) -> None:
    """List the boards, whose names stand behind --board: the FPGA with what a plan may use of it, the oscillator, and
    the pins of the UART, from the FPGA's side.

    A board of your own is --board module:Platform, a class in the form of the package amaranth-boards.
    """
    from mbconv.fpga.boards import boards as known

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
        }
        for board in known()
    ]
    if as_json:
        print_json("boards", {"boards": rows})
        return
    columns = Rows("name", "FPGA", "multipliers", "block RAM", "LUTs", "MHz", "rx", "tx", left=("name", "FPGA"))
    for row in rows:
        uart = row["uart"] or {"rx": "", "tx": ""}
        columns.add_row(
            row["name"],
            f"{row['device']}-{row['package']}",
            str(row["multipliers"]),
            str(row["block_ram"]),
            f"{row['lut']:,}",
            f"{row['clock_mhz']:g}",
            uart["rx"],
            uart["tx"],
        )
    results().print(columns)
