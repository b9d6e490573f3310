"""``mbconv build --engine``: a bitstream with an engine, which takes any network that fits, and its netlist asked."""

from __future__ import annotations

from pathlib import Path

from .cli_engine import engine_parameters
from .cli_output import print_json, results, step_progress
from .command_build_report import REPORT, board_answer, print_files, print_made, write_report

CHECKED_WITH = ("digits", None, 3)
"""The network that a netlist is asked with: its name, layers, and how many pictures."""

CHECKED_FROM_OUTSIDE = ("cifar10", (18, 20), 1)
"""The one whose weights come from the board's flash or SDRAM."""


def build_engine_bitstream(
    engine, board, directory: Path, clock, frequency, seeds: int, nextpnr, no_simulation: bool, as_json: bool
) -> int:
    """Build an engine's bitstream for a board, print the report; 0, or 1 where the netlist answers wrongly.

    Args:
        engine: parameters as text, or a name.
        board: with the UART that is asked for.
        clock: MHz, or None.
        frequency: MHz that place and route works for, or None.
        nextpnr: further options of it.

    Raises:
        GraphError, UserError, ToolError: what the flow refuses.
    """
    from mbconv.fpga.flow.bitstream import build_engine

    parameters = engine_parameters(engine)
    with step_progress(quiet=as_json) as report:
        (directory / REPORT).unlink(missing_ok=True)
        built = build_engine(
            parameters,
            board,
            directory,
            clock_mhz=clock,
            target_mhz=frequency,
            seeds=seeds,
            options=nextpnr,
            progress=report,
        )
        check, reason = (None, "") if no_simulation else _asked(built, report)
    answer = {
        "engine": built.top.identity.engine,
        "identity": parameters.identity,
        **board_answer(directory, built, check, f"engine on {board.title}"),
    }
    status = 0 if check is None or check.ok else 1
    write_report(directory, "build-engine", answer)
    if as_json:
        print_json("build-engine", answer)
        return status
    console = results()
    console.print(f"engine on {board.title}: {built.made.part}\n{parameters.text}")
    print_made(built.made)
    console.print(f"clock {built.clock_mhz:.2f} MHz, UART {built.baud:,.0f} baud")
    print_files(directory, built, check)
    if reason:
        console.print(f"\nthe netlist was not asked: {reason}")
    return status


def _asked(built, report):
    """The check of the netlist with those networks that fit it, or None and why there is none."""
    from mbconv.board.netlist_check import EngineChecks, check_engine_netlist
    from mbconv.fpga.flow.board_netlist import NetlistBoard
    from mbconv.generators.engine.compile import compile_network
    from mbconv.generators.engine.memory_timing import parse_engine
    from mbconv.generators.engine.program_file import stream_bytes
    from mbconv.generators.graph.graph import GraphError
    from mbconv.models import load

    parameters, timing = parse_engine(built.top.identity.engine)
    graphs, flash, reason = [], b"", ""
    for name, layers, pictures in (CHECKED_WITH, *([CHECKED_FROM_OUTSIDE] if timing is not None else [])):
        graph = load(name, layers)
        try:
            stream = stream_bytes(compile_network(graph, parameters, timing=timing))
        except GraphError as error:
            reason = reason or str(error)
            continue
        if built.top.flash is None:  # an SDRAM is filled over the link
            graphs.append((graph, pictures))
        elif not (stream and flash):  # one flash holds one network
            flash = flash or stream
            graphs.append((graph, pictures))
    if not graphs:
        return None, reason
    report("netlist", "building the simulator")

    def doing(what: str) -> None:
        report("netlist", what)

    with NetlistBoard(built.board, built.made.netlist, built.top, flash=flash) as simulated:
        found = [check_engine_netlist(simulated.port, graph, built.baud, doing, count) for graph, count in graphs]
    report("netlist", "")
    return EngineChecks(tuple(found)), ""
