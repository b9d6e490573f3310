"""``mbconv measure``: rate and bit-exactness of a board at full speed."""

from __future__ import annotations

import click

from .cli_board import board_options, identity_lines, model_on
from .cli_options import json_option
from .cli_output import print_json, results


@click.command(short_help="A board's rate at full speed, its results compared.")
@click.argument("model", metavar="[MODEL]", required=False)
@board_options
@click.option("--frames", type=click.IntRange(1, 65_535), default=16, show_default=True, help="Back to back.")
@click.option("--seed", type=click.IntRange(1, (1 << 32) - 1), default=1, show_default=True, help="Of the frames.")
@json_option
def measure(model, port, baud, frames, seed, as_json) -> int:
    """Have a board run pseudo-random frames that it makes itself, back to back, and count its cycles.

    The signature of all results is compared with the golden model's: of MODEL, or of the built-in model that the board
    says it holds. A serial line carries pictures far slower than a board computes them; this does not need it.

    Exit code 1: a result, the interval or (of one frame) the latency is other than predicted.
    """
    from mbconv.board import Board

    graph = model_on(port, baud, model)
    with Board(port, graph, baud) as board:
        found, identity = board.measure(frames, seed), board.identity
    if as_json:
        print_json("measure", {"simulated": identity.simulated, **found.to_dict()})
    else:
        console = results()
        console.print("\n".join(identity_lines(identity)))
        console.print(found.text)
        if graph is None:
            console.print(f"results were not compared: give the model as mbconv measure MODEL --port {port}")
    return 0 if found.as_predicted and found.exact in (True, None) else 1
