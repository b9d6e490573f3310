"""``mbconv serve``: a simulated board behind a serial port."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .cli_errors import UserError, require_extra
from .cli_options import layers_option, model_argument
from .cli_output import progress_console, results
from .cli_target import target_design, target_options

_CLOCK = 24.0  # MHz, stated where no target says


@click.command(short_help="A simulated board behind a serial port.")
@model_argument
@layers_option
@target_options
@click.option(
    "--link", type=click.Path(path_type=Path), metavar="PATH", help="Also give the port this name (a symbolic link)."
)
def serve(model, layers, target, link) -> None:
    """Run a model's board in Verilator behind a pseudo-terminal until Ctrl-C: the same bytes as from a real one.

    It prints the port's name, for mbconv predict --port, measure --port, selftest --port and Board in Python. The
    circuit is the board's top as emitted, with its UART; only pins and clock are not there, and it is some hundred
    times slower.
    """
    require_extra("sim", "simulation")
    from mbconv.models import load
    from mbconv.sim.board.simulated_board import SimulatedBoard, is_port_link, simulated_rate

    if link is not None and os.path.lexists(link) and not is_port_link(link):
        raise UserError(f"{link} is there already and is no link to a serial port: name another path with --link")
    if link is not None and not link.parent.is_dir():
        raise UserError(f"{link.parent} is no folder: name another path with --link")

    graph = load(model)
    design = target_design(graph if layers is None else graph.layers(*layers), target)
    clock = (target.clock or _CLOCK) * 1e6
    console = progress_console()
    with console.status("building the simulator"):
        board = SimulatedBoard(design, clock, simulated_rate(design, clock), link)
    with board:
        results().print(board.port)
        console.print(f"{design.name} on a simulated board; Ctrl-C ends it")
        board.wait()
