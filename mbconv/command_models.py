"""``mbconv models``: the networks that come with the package."""

from __future__ import annotations

import click

from .cli_options import json_option
from .cli_output import print_json, results, shape_text
from .cli_table import Rows


@click.command(short_help="The built-in models.")
@json_option
def models(as_json: bool) -> None:
    """List the built-in models, whose names stand wherever a command takes a MODEL."""
    from mbconv.models import builtin_models, load

    rows = []
    for model in builtin_models():
        graph = load(model.name)
        rows.append(
            {
                "name": model.name,
                "description": model.description,
                "input": graph.tensors[graph.inputs[0]].shape,
                "parameters": sum(operator.parameters for operator in graph),
                "macs": graph.total_macs,
                "bytes": model.path.stat().st_size,
                "accuracy": model.accuracy,
                "accuracy_of": model.accuracy_of,
                "recipe": model.recipe,
                "document": model.document,
            }
        )
    if as_json:
        print_json("models", {"models": rows})
        return
    columns = Rows("name", "input", "parameters", "MACs", "top-1", "of", left=("name", "of"))
    for row in rows:
        columns.add_row(
            row["name"],
            shape_text(row["input"]),
            f"{row['parameters']:,}",
            f"{row['macs']:,}",
            f"{row['accuracy']:.1%}",
            row["accuracy_of"],
        )
    results().print(columns)
