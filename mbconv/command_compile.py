"""``mbconv compile``: a model as a program of an engine."""

from __future__ import annotations

import click

from .cli_engine import ENGINE_HELP, compiled, print_program, program_dict
from .cli_options import json_option, layers_option, model_argument, output_file
from .cli_output import print_json, results, working


@click.command("compile", short_help="A program of the engine, in one file.")
@model_argument
@layers_option
@click.option("--engine", required=True, metavar="NAME=N,…", help=ENGINE_HELP)
@click.option("-o", "--output", required=True, type=output_file, metavar="FILE",
              help="The program's file.")  # fmt: skip
@json_option
def compile_command(model, layers, engine, output, as_json) -> None:
    """Compile a model for an engine: instructions, weights, constants and tables in one file.

    The file begins with a line of JSON: what engine it is for, its ports, its cycles. The packet that the engine takes
    follows, with a check at its end.
    """
    from mbconv.generators.emission.files import write_whole
    from mbconv.generators.engine.program_file import FILE_MARK, file_bytes
    from mbconv.models import load
    from mbconv.sim.simulation.writable import check_writable

    check_writable(output, "program of the engine", [FILE_MARK])
    graph = load(model, layers)
    with working("compiling", quiet=as_json):
        program = compiled(graph, engine)
        content = file_bytes(program)
    write_whole(output, content)
    if as_json:
        print_json("compile", program_dict(program) | {"file": str(output), "bytes": len(content)})
        return
    print_program(program)
    results().print(f"written to {output}, {len(content):,} bytes")
