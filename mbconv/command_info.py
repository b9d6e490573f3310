"""``mbconv info``: what a network consists of and what streaming it needs."""

from __future__ import annotations

import click

from .cli_options import json_option, layers_option, model_argument
from .cli_output import bytes_text, print_json, results, shape_text
from .cli_table import Rows


@click.command(short_help="A model's operators, shapes, MACs, parameters and memory.")
@model_argument
@layers_option
@json_option
def info(model: str, layers: tuple[int, int] | None, as_json: bool) -> None:
    """List a model's operators: shapes, MACs, parameters, and the memory that streaming needs.

    The line buffer of a k×k window is k-1 rows and k pixels of its input; the residual delay is what waits on the
    shorter path of a join for the longer one. Sizes are in bytes (1 kB = 1000 B). Below the table stand the operators
    that no circuit exists for, as plan and every other command name them.
    """
    from mbconv.generators.graph.analysis import summarize
    from mbconv.generators.stages.network import circuit_problems
    from mbconv.models import load

    graph = load(model, layers)
    operators, totals = summarize(graph)
    refused = circuit_problems(graph)
    if as_json:
        print_json("info", graph.to_dict() | {"without_circuit": refused})
        return
    columns = Rows(
        "#", "operator", "input", "output", "kernel", "stride", "MACs", "parameters", "line buffer", "residual delay",
        left=("operator",), keys=2,
    )  # fmt: skip
    for row in operators:
        columns.add_row(
            str(row.index),
            row.kind,
            " + ".join(map(shape_text, row.inputs)),
            " + ".join(map(shape_text, row.outputs)),
            "×".join(map(str, row.kernel)) if row.kernel else "",
            "×".join(map(str, row.strides)) if row.strides else "",
            f"{row.macs:,}" if row.macs else "",
            f"{row.parameters:,}" if row.parameters else "",
            bytes_text(row.line_buffer_bytes),
            bytes_text(row.residual_delay_bytes),
        )
    columns.add_section()
    columns.add_row(
        "", "total", "", "", "", "", f"{totals.macs:,}", f"{totals.parameters:,}",
        bytes_text(totals.line_buffer_bytes), bytes_text(totals.residual_delay_bytes),
    )  # fmt: skip
    console = results()
    console.print(f"{graph.name}: {_ends(graph, graph.inputs)} → {_ends(graph, graph.outputs)}")
    console.print(columns)
    if refused:
        console.print("\n  ".join(["No circuit exists for all of it; predict and evaluate work:", *refused]))


def _ends(graph, indices: tuple[int, ...]) -> str:
    return ", ".join(f"{shape_text(graph.tensors[i].shape)} {graph.tensors[i].element}" for i in indices)
