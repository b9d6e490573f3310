"""What the commands for a board at a serial port share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import click

from mbconv.generators.graph.shown import counted

from .cli_errors import require_extra

port_argument = click.option("--port", metavar="DEVICE", required=True, help="The board's serial port.")

baud_option = click.option(
    "--baud", type=click.IntRange(min=1), metavar="RATE", help="Of the link.  [default: the usual rates are tried]"
)


def board_options(command: Callable) -> Callable:
    """Add --port and --baud to a command about a board, and refuse it where the host's side is not installed."""

    @port_argument
    @baud_option
    @wraps(command)
    def with_board(*arguments, **others):
        require_extra("board", "a board's link")
        return command(*arguments, **others)

    return with_board


def model_on(device: str, baud: int | None, model: str | None):
    """The graph to compare with: the one named, or the built-in model that the board says it holds, or None."""
    from mbconv.board import Board
    from mbconv.generators.emission.board import model_hash
    from mbconv.models import builtin, load

    if model is not None:
        return load(model)
    with Board(device, baud=baud) as board:
        identity = board.identity
    if builtin(identity.name) is None:
        return None
    graph = load(identity.name)
    return graph if model_hash(graph) == identity.model else None


def identity_lines(identity) -> list[str]:
    """What a board says of itself, in words."""
    source, result = identity.source, identity.result
    return [
        f"{identity.name}{', simulated: no silicon' if identity.simulated else ''}",
        f"model {identity.model.hex()}, plan {identity.plan.hex()}, {counted(identity.multipliers, 'multiplier')}",
        f"clock {identity.clock / 1e6:g} MHz, link {identity.baud:,} baud, protocol {identity.version}",
        f"in {source.height}×{source.width}×{source.channels}, out {result.height}×{result.width}×{result.channels}",
        f"interval {identity.interval:,} cycles, latency {identity.latency:,} cycles (predicted)",
    ]
