"""``python -m mbconv.fpga.budgets MODEL BOARD N [N …] [--layers A:B]``: what budgets take of a board's FPGA.

Products beyond the DSP blocks are rows of carry chains, so that a network may be given more multipliers than the FPGA
has blocks: the table shows how interval, block RAM and tables trade, and which clock a rate needs. Block RAM is
counted, tables are estimated, both without the link of the board; DSP blocks are shared out as ``build`` does, or, for
comparison, given to products of arrays alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import Graph
from mbconv.generators.planning.board_plan import design_cost
from mbconv.generators.planning.device import Device
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.planning.resources import Resources
from mbconv.generators.stages.network import build_network

from .arguments import layer_range

RATE = 2000.0
"""Frames per second that the last column is for, unless ``--fps`` names another."""


@dataclass(frozen=True)
class Budget:
    """A plan's cost on a device.

    Attributes:
        rows: products of arrays without a DSP block.
    """

    budget: int
    interval: int
    multipliers: int
    rows: int
    block_rams: int
    luts: int

    def clock_mhz(self, rate: float) -> float:
        """The clock at which so many frames per second are reached."""
        return rate * self.interval / 1e6


def budget(graph: Graph, device: Device, multipliers: int, *, products_only: bool = False) -> Budget:
    """The plan of least interval with a budget of multipliers, costed.

    Args:
        products_only: requantisations get no DSP block.

    Raises:
        GraphError: the budget is too small for the network.
    """
    if products_only:
        plan = plan_for_multipliers(build_network(graph), multipliers, sharing=False)
        design = make_design(graph, plan=plan, family=device.circuits)
    else:
        design = make_design(graph, multipliers=multipliers, device=device)
    found = Resources(design_cost(design), device)
    return Budget(
        multipliers,
        design.schedule.interval,
        found.multipliers,
        found.products_in_luts,
        found.block_rams,
        found.luts,
    )


def table(budgets: Sequence[Budget], device: Device, rate: float) -> str:
    """The budgets as a table of Markdown."""
    lines = [
        f"| multipliers | in rows | interval | {device.block_ram.name} of {device.block_rams} | "
        f"LUTs, estimated, of {device.luts:,} | MHz for {rate:,g} frames per second |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.multipliers} | {each.rows} | {each.interval:,} | {each.block_rams} | {each.luts:,} | "
        f"{each.clock_mhz(rate):.1f} |"
        for each in budgets
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    from mbconv.fpga.boards import find_board
    from mbconv.models import load_part

    parser = argparse.ArgumentParser(
        prog="python -m mbconv.fpga.budgets", description="What budgets of multipliers take of a board's FPGA."
    )
    parser.add_argument("model")
    parser.add_argument("board")
    parser.add_argument("multipliers", nargs="+", type=int)
    parser.add_argument("--fps", type=float, default=RATE, help="[default: %(default)g]")
    parser.add_argument("--layers", type=layer_range, metavar="A:B", help="these operators alone")
    parser.add_argument("--products-only", action="store_true", help="no DSP blocks for requantisations")
    options = parser.parse_args(arguments)
    _, graph = load_part(options.model, options.layers)
    device = find_board(options.board).part.resources
    found = [budget(graph, device, count, products_only=options.products_only) for count in options.multipliers]
    print(table(found, device, options.fps))


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
