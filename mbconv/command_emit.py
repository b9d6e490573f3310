"""``mbconv emit``: Verilog, memory files and a manifest."""

from __future__ import annotations

import re
from pathlib import Path

import click

from .cli_errors import UserError
from .cli_options import json_option, layers_option, model_argument
from .cli_output import print_json, progress_console, results
from .cli_target import target_design, target_options


@click.command(short_help="Verilog, memory files and a manifest.")
@model_argument
@click.option("-o", "--output", "directory", required=True, type=click.Path(file_okay=False, path_type=Path),
              metavar="DIR", help="Where to write; made if it is not there.")  # fmt: skip
@layers_option
@target_options
@click.option("--name", "prefix", default="", metavar="PREFIX", help="Begins every module's name (an identifier).")
@json_option
def emit(model, directory, layers, target, prefix, as_json) -> None:
    """Write a model's circuit: Verilog, memory files and manifest.json.

    The manifest lists the ports with their tensors, shapes, types, scales and zero points, the parameters, cycles and
    versions. Nothing is written unless everything could be.
    """
    if prefix and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix):
        raise UserError(f"--name {prefix!r} cannot begin a Verilog name: letters, digits and _, no digit first")

    from mbconv.generators.emit import emit as write
    from mbconv.models import load

    graph = load(model)
    if layers is not None:
        graph = graph.layers(*layers)
    with progress_console(quiet=as_json).status("emitting"):
        manifest = write(target_design(graph, target), directory, prefix)
    if as_json:
        print_json(manifest)
        return
    console = results()
    for path in sorted(path for path in directory.iterdir() if path.is_file()):
        console.print(f"{path}  {path.stat().st_size:,} B")
