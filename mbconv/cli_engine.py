"""What commands share that run a model on an engine: ``--engine``, and what is printed of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mbconv.generators.graph.shown import counted

from .cli_errors import UserError
from .cli_output import bytes_text, results
from .cli_table import Rows

if TYPE_CHECKING:
    from mbconv.generators.engine.compile import Program
    from mbconv.generators.engine.memory_timing import MemoryTiming
    from mbconv.generators.graph.graph import Graph
    from mbconv.hdl.engine.parameters import EngineParameters
    from mbconv.sim.engine.engine_result import EngineResult

    from .cli_target import TargetOptions

ENGINE_HELP = (
    "The engine instead of a pipeline: parameters as channels=8,pixels=2, or a name (docs/engine_boards.md), behind it "
    "what replaces its own."
)

engine_option = click.option("--engine", metavar="NAME=N,…", help=ENGINE_HELP)


def beside_engine(target: TargetOptions) -> list[str]:
    """The options of a target that do not go with ``--engine``: all but ``--clock``, at which cycles are times."""
    return [name for name in target.names if name != "--clock"]


def compiled(graph: Graph, parameters: str) -> Program:
    """A graph's program for an engine of these parameters.

    Raises:
        UserError: parameters that are none.
        GraphError: a network that the engine does not compute.
    """
    from mbconv.generators.engine.compile import compile_network

    found, timing = engine_timing(parameters)
    return compile_network(graph, found, timing=timing)


def engine_timing(text: str) -> tuple[EngineParameters, MemoryTiming | None]:
    """The parameters of an engine, and the memory behind its port.

    Raises:
        UserError: they are none.
    """
    from mbconv.generators.engine.memory_timing import parse_engine

    try:
        return parse_engine(text)
    except ValueError as error:
        raise UserError(f"--engine: {error}") from None


def engine_parameters(text: str) -> EngineParameters:
    """The parameters of an engine for a board, whose own memory says how fast it is.

    Raises:
        UserError: they are none.
    """
    return engine_timing(text)[0]


def program_dict(program: Program) -> dict:
    """A program's figures, for ``--json``."""
    from mbconv.generators.engine.report import layer_reports

    return {
        "model": program.graph.name,
        "engine": program.parameters.text,
        "multipliers": program.parameters.lanes,
        "cycles": program.cycles,
        "interval_cycles": program.interval,
        "macs": program.macs,
        "share_of_peak": program.macs / (program.cycles * program.parameters.lanes),
        "uses": program.memories,
        "layers": [
            {
                "name": one.name,
                "late": one.late,
                "instructions": one.instructions,
                "cycles": one.cycles,
                "waiting_cycles": one.waits,
                "macs": one.macs,
                "share_of_peak": one.share_of_peak,
                "weight_bytes": one.weight_bytes,
                "fetched_bytes": one.fetched,
                "bound": one.bound,
            }
            for one in layer_reports(program)
        ],
    }


def print_program(program: Program) -> None:
    """The table of a program's layers."""
    from mbconv.generators.engine.report import layer_reports

    lanes, reports = program.parameters.lanes, layer_reports(program)
    rows = Rows("layer", "instructions", "cycles", "MACs", "of peak", "weights", "fetched", "bound", left=("layer",))
    for one in reports:
        rows.add_row(
            one.name,
            str(one.instructions),
            f"{one.cycles:,}",
            f"{one.macs:,}" if one.macs else "",
            f"{one.share_of_peak:.1%}" if one.macs else "",
            bytes_text(one.weight_bytes),
            bytes_text(one.fetched),
            one.bound,
        )
    rows.add_section()
    cycles = sum(one.cycles for one in reports)
    total = program.macs / (cycles * lanes)
    weights, fetched = (bytes_text(sum(getattr(one, name) for one in reports)) for name in ("weight_bytes", "fetched"))
    count = len(program.instructions)
    rows.add_row("total", f"{count}", f"{cycles:,}", f"{program.macs:,}", f"{total:.1%}", weights, fetched, "")
    console = results()
    console.print(f"{program.graph.name} on an engine of {counted(lanes, 'multiplier')}, {program.parameters.text}")
    console.print(rows)
    used = (f"{name} {count:,} of {getattr(program.parameters, name):,}" for name, count in program.memories.items())
    console.print(f"uses {', '.join(used)}")
    waits = sum(one.waits for one in reports)
    console.print(f"a frame every {program.interval:,} cycles" + (f", {waits:,} waiting for weights" if waits else ""))
    if program.overlaps:
        late = sum(1 for one in reports if one.late)
        console.print(
            f"the last {late} layers of a frame are computed among the first of the next, where one follows; "
            f"a lone frame takes {program.cycles:,} cycles, {program.waits:,} of them waiting for weights"
        )


def print_engine_result(result: EngineResult, inputs: str) -> None:
    """The table of a simulation, the verdict last."""
    rows = Rows("instruction", "simulated", "predicted", "elements", "mismatches", left=("instruction",))
    for layer in result.layers:
        measured = sorted(set(layer.measured))
        rows.add_row(
            f"{layer.name}, two frames" if layer.two_frames else layer.name,
            " or ".join(f"{cycles:,}" for cycles in measured),
            f"{layer.predicted:,}",
            f"{layer.values:,}",
            f"{layer.mismatches:,}",
        )
    rows.add_section()
    intervals = " or ".join(f"{cycles:,}" for cycles in sorted(set(result.intervals)))
    rows.add_row("interval", intervals, f"{result.interval:,}", f"{result.values:,}", f"{result.mismatches:,}")
    console = results()
    console.print(f"{result.model} on the engine: {counted(result.frames, 'frame')}{inputs}")
    console.print(rows)
    wrong = next((layer for layer in result.layers if layer.mismatches), None)
    if wrong is not None:
        console.print(f"first mismatch: {wrong.name}, {wrong.first}")
    if not result.as_predicted:
        console.print("cycles are not the predicted ones")
    console.print(f"{counted(result.mismatches, 'mismatch')} in {counted(result.values, 'element')}")
