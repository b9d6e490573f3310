"""What commands share that run a model on an engine: ``--engine``, and what is printed of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .cli_output import bytes_text, results
from .cli_table import Rows

if TYPE_CHECKING:
    from mbconv.generators.engine.compile import Program
    from mbconv.generators.graph.graph import Graph
    from mbconv.sim.engine.simulate import EngineResult

ENGINE_HELP = "The engine instead of a pipeline: parameters as channels=8,pixels=2 (docs/engine.md)."

engine_option = click.option("--engine", metavar="NAME=N,…", help=ENGINE_HELP)


def compiled(graph: Graph, parameters: str) -> Program:
    """A graph's program for an engine of these parameters.

    Raises:
        GraphError: parameters that are none, or a network that the engine does not compute.
    """
    from mbconv.generators.engine.compile import compile_network
    from mbconv.generators.engine.memory_timing import parse_engine
    from mbconv.generators.graph.graph import GraphError

    try:
        found, timing = parse_engine(parameters)
    except ValueError as error:
        raise GraphError(f"--engine: {error}") from None
    return compile_network(graph, found, timing=timing)


def program_dict(program: Program) -> dict:
    """A program's figures, for ``--json``."""
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
                "cycles": one.cycles,
                "macs": one.layer.macs,
                "share_of_peak": one.layer.macs / (one.cycles * program.parameters.lanes),
                "weight_bytes": one.weight_bytes,
            }
            for one in program.instructions
        ],
    }


def print_program(program: Program) -> None:
    """The table of a program's instructions."""
    lanes = program.parameters.lanes
    rows = Rows("instruction", "cycles", "MACs", "of peak", "weights", left=("instruction",))
    for one in program.instructions:
        macs = one.layer.macs
        rows.add_row(
            one.name,
            f"{one.cycles:,}",
            f"{macs:,}" if macs else "",
            f"{macs / (one.cycles * lanes):.1%}" if macs else "",
            bytes_text(one.weight_bytes),
        )
    rows.add_section()
    total = program.macs / (program.cycles * lanes)
    weights = sum(one.weight_bytes for one in program.instructions)
    rows.add_row("total", f"{program.cycles:,}", f"{program.macs:,}", f"{total:.1%}", bytes_text(weights))
    console = results()
    console.print(f"{program.graph.name} on an engine of {lanes} multipliers, {program.parameters.text}")
    console.print(rows)
    used = (f"{name} {count:,} of {getattr(program.parameters, name):,}" for name, count in program.memories.items())
    console.print(f"uses {', '.join(used)}")
    console.print(f"a frame every {program.interval:,} cycles")


def print_engine_result(result: EngineResult, inputs: str) -> None:
    """The table of a simulation, the verdict last."""
    rows = Rows("instruction", "simulated", "predicted", "elements", "mismatches", left=("instruction",))
    for layer in result.layers:
        measured = sorted(set(layer.measured))
        rows.add_row(
            layer.name,
            " or ".join(f"{cycles:,}" for cycles in measured),
            f"{layer.predicted:,}",
            f"{layer.values:,}",
            f"{layer.mismatches:,}",
        )
    rows.add_section()
    intervals = " or ".join(f"{cycles:,}" for cycles in sorted(set(result.intervals)))
    rows.add_row("interval", intervals, f"{result.interval:,}", f"{result.values:,}", f"{result.mismatches:,}")
    console = results()
    console.print(f"{result.model} on the engine: {result.frames} frames{inputs}")
    console.print(rows)
    wrong = next((layer for layer in result.layers if layer.mismatches), None)
    if wrong is not None:
        console.print(f"first mismatch: {wrong.name}, {wrong.first}")
    if not result.as_predicted:
        console.print("cycles are not the predicted ones")
    console.print(f"{result.mismatches:,} mismatches in {result.values:,} elements")
