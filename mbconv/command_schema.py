"""``mbconv schema``: the JSON Schema of what ``--json`` prints."""

from __future__ import annotations

import json

import click

from .schemas import NAMES, schema


@click.command("schema", short_help="The JSON Schema of a command's --json.")
@click.argument("name", metavar="NAME", type=click.Choice(NAMES))
def schema_command(name: str) -> None:
    """Print the JSON Schema of what a command prints with --json; of emit it is that of the manifest.

    Every such object has its schema's name and version. Entries may be added within a version.
    """
    click.echo(json.dumps(schema(name), indent=2, ensure_ascii=False))
