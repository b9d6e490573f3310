"""``mbconv cache``: the simulators that are kept, looked at and cleared."""

from __future__ import annotations

import click

from .cli_options import json_option
from .cli_output import bytes_text, print_json, results
from .cli_table import Rows


@click.command(short_help="The simulators that are kept: how many, how large; cleared.")
@click.option(
    "--clear", "cleared", is_flag=True, help="Remove them, but for those in use; what is needed again is built again."
)
@json_option
def cache(cleared: bool, as_json: bool) -> None:
    """Show what simulations keep so that the same design need not be compiled twice, and where.

    The environment variable MBCONV_CACHE names another folder. The hundred simulators and the eight compiled libraries
    that were used last stay.
    """
    from mbconv.sim.simulation import cache_contents
    from mbconv.sim.simulation.verilator import cache_folder

    parts = cache_contents.contents()
    in_use = cache_contents.clear() if cleared else 0
    if as_json:
        rows = [{"name": part.name, "folders": len(part.folders), "bytes": part.size} for part in parts]
        print_json("cache", {"folder": str(cache_folder()), "cleared": cleared, "in_use": in_use, "parts": rows})
        return
    columns = Rows("kept", "folders", "size", left=("kept",))
    for part in parts:
        columns.add_row(part.title, str(len(part.folders)), bytes_text(part.size) or "0 B")
    console = results()
    console.print(f"{cache_folder()}{', cleared of' if cleared else ''}")
    console.print(columns)
    if in_use:
        console.print(f"{in_use} of the folders stay: a simulation or build uses them now")
