"""``mbconv serve``: a simulated board behind a serial port."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .cli_engine import compiled, engine_option, engine_parameters
from .cli_errors import UserError, require_extra
from .cli_options import layers_option, optional_model_argument
from .cli_output import progress_console, results
from .cli_target import target_design, target_options

_CLOCK = 24.0  # MHz, stated where no target says


@click.command(short_help="A simulated board behind a serial port.")
@optional_model_argument
@layers_option
@target_options
@engine_option
@click.option(
    "--link", type=click.Path(path_type=Path), metavar="PATH", help="Also give the port this name (a symbolic link)."
)
def serve(model, layers, target, engine, link) -> None:
    """Run a model's board in Verilator behind a pseudo-terminal until Ctrl-C: the same bytes as from a real one.

    It prints the port's name, for mbconv predict --port, measure --port, selftest --port and Board in Python. The
    circuit is the board's top as emitted, with its UART; only pins and clock are not there, and it is some hundred
    times slower. With --engine and no MODEL it is a board with an engine, to which predict --port uploads networks,
    with their weights where the engine reads some from an SDRAM; where it reads them from a flash, with a port of one
    byte, MODEL is the network whose weights lie there.
    """
    parameters = None if engine is None else engine_parameters(engine)
    if parameters is not None and parameters.port_bytes != 1 and (model is not None or layers is not None):
        raise UserError("an engine is served without a MODEL: networks are uploaded to it (mbconv predict --port)")
    if engine is None and model is None:
        raise UserError("give a MODEL, or --engine for a board to which any network is uploaded")
    if engine is not None and (wrong := [name for name in target.names if name != "--clock"]):
        raise UserError(f"{', '.join(wrong)} do not go with --engine")
    require_extra("sim", "simulation")
    from mbconv.models import load
    from mbconv.sim.board.simulated_board import SimulatedBoard, is_port_link, simulated_rate

    if link is not None and os.path.lexists(link) and not is_port_link(link):
        raise UserError(f"{link} is there already and is no link to a serial port: name another path with --link")
    if link is not None and not link.parent.is_dir():
        raise UserError(f"{link.parent} is no folder: name another path with --link")

    clock = (target.clock or _CLOCK) * 1e6
    console = progress_console()
    if parameters is not None:
        from mbconv.hdl.engine.sdram import SdramTiming
        from mbconv.hdl.link.engine_top import least_bit_cycles

        name = "an engine"
        memory = {}
        if parameters.port_bytes == 1:
            memory["flash"] = _flash(engine, model, layers)
        elif parameters.port_bytes:
            memory["sdram"] = SdramTiming(data_bits=8 * parameters.port_bytes)
        with console.status("building the simulator"):
            board = SimulatedBoard.of_engine(parameters, clock, clock / least_bit_cycles(parameters), link, **memory)
    else:
        graph = load(model)
        design = target_design(graph if layers is None else graph.layers(*layers), target)
        name = design.name
        with console.status("building the simulator"):
            board = SimulatedBoard(design, clock, simulated_rate(design, clock), link)
    with board:
        results().print(board.port, soft_wrap=True)
        console.print(f"{name} on a simulated board; Ctrl-C ends it")
        board.wait()


def _flash(engine: str, model, layers) -> bytes:
    """What a board's flash holds of a model for an engine; nothing of none."""
    from mbconv.generators.engine.program_file import stream_bytes
    from mbconv.models import load

    return b"" if model is None else stream_bytes(compiled(load(model, layers), engine))
