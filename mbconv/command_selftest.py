"""``mbconv selftest``: everything a board can be asked, as a text for an issue."""

from __future__ import annotations

import click

from .cli_board import board_options, model_on
from .cli_errors import UserError
from .cli_options import json_option
from .cli_output import print_json, progress_console, results


@click.command(short_help="Everything a board can be asked, as a text for an issue.")
@click.argument("model", metavar="[MODEL]", required=False)
@board_options
@click.option("--frames", type=click.IntRange(2, 65_535), default=32, show_default=True, help="Of the measurement.")
@json_option
def selftest(model, port, baud, frames, as_json) -> int:
    """Test a board: identity, pictures over the line, damaged packets, a lone frame, frames at full speed.

    Every result is compared with the golden model of MODEL, or of the built-in model that the board says it holds. The
    text at the end is meant to be pasted into an issue.

    Exit code 1: something is other than it should be.
    """
    from mbconv.board.selftest import run

    graph = model_on(port, baud, model)
    if graph is None:
        raise UserError(f"the board's network is no built-in one: give its model, mbconv selftest MODEL --port {port}")
    console = progress_console(quiet=as_json)
    found = run(port, graph, baud, frames, report=lambda text: console.print(text))
    if as_json:
        print_json("selftest", found.to_dict())
    else:
        results().print(found.text)
    return 0 if found.ok else 1
