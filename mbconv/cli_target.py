"""What a design is planned for: the options that plan, emit, sim and build share, and the design that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .cli_options import existing_file

if TYPE_CHECKING:
    from mbconv.generators.emission.design import Design
    from mbconv.generators.graph.graph import Graph
    from mbconv.generators.planning.targets import Target
    from mbconv.hdl.family import Family


@dataclass(frozen=True)
class TargetOptions:
    """What the options of :func:`target_options` held; None where one was not given."""

    multipliers: int | None = None
    fps: float | None = None
    clock: float | None = None
    board: str | None = None
    plan: Path | None = None

    @property
    def names(self) -> list[str]:
        """The options given."""
        return [f"--{name}" for name, value in vars(self).items() if value is not None]


def target_options(command: Callable) -> Callable:
    """Add --multipliers, --fps, --clock, --board and --plan to a command, which gets them as one argument ``target``,
    a :class:`TargetOptions`."""

    @click.option("--multipliers", type=click.IntRange(min=1), metavar="N",
                  help="Least interval with at most so many multipliers.  [default: 64]")  # fmt: skip
    @click.option("--fps", type=click.FloatRange(min=0, min_open=True), metavar="F",
                  help="Fewest multipliers for so many frames per second, with --clock.")  # fmt: skip
    @click.option("--clock", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
                  help="The clock that --fps is meant for.")  # fmt: skip
    @click.option(
        "--board", metavar="NAME", help="Least interval that fits a board's FPGA (mbconv boards), or module:Platform."
    )
    @click.option("--plan", type=existing_file, metavar="FILE", help="The foldings and lanes of a file of mbconv plan.")
    @wraps(command)
    def with_target(*arguments, multipliers, fps, clock, board, plan, **others):
        return command(*arguments, target=TargetOptions(multipliers, fps, clock, board, plan), **others)

    return with_target


def target_of(options: TargetOptions) -> Target:
    """The target that options other than --plan name.

    Raises:
        GraphError: they contradict each other, or name no board.
    """
    from mbconv.fpga.boards import find_board
    from mbconv.generators.graph.graph import GraphError
    from mbconv.generators.planning.targets import make_target

    if (options.fps is None) != (options.clock is None):
        raise GraphError("--fps and --clock go together: frames per second at a clock of so many MHz")
    kinds = [name for name in options.names if name != "--clock"]
    if len(kinds) > 1:
        raise GraphError(f"{' and '.join(kinds)} are different targets: give one of them")
    board = None if options.board is None else find_board(options.board)
    return make_target(multipliers=options.multipliers, fps=options.fps, clock_mhz=options.clock, board=board)


def planned_design(graph: Graph, options: TargetOptions, family: Family | None = None) -> tuple[Design, Target]:
    """The design of a graph for the target that the options name, and that target.

    Args:
        family: of FPGAs that the circuits are made for; by default the target's.

    Raises:
        GraphError: the options contradict each other, the target cannot be met, or the plan's file breaks a rule.
        OSError: the plan's file cannot be read.
    """
    from mbconv.fpga.boards import boards, find_board
    from mbconv.generators.emission.design import make_design
    from mbconv.generators.graph.graph import GraphError
    from mbconv.generators.planning.board_plan import check_board, design_for_board
    from mbconv.generators.planning.plan_file import read_plan
    from mbconv.generators.planning.targets import plan_for_target
    from mbconv.generators.stages.network import build_network

    if options.plan is None:
        target = target_of(options)
        if target.board is not None:
            return design_for_board(graph, target.board, boards()), target
        plan = plan_for_target(build_network(graph), target)
        return make_design(graph, plan=plan, family=family or target.family), target
    if len(options.names) > 1:
        others = " and ".join(name for name in options.names if name != "--plan")
        raise GraphError(f"--plan and {others} exclude each other: the target is in the file")
    plan, target = read_plan(options.plan, build_network(graph), find_board)
    design = make_design(graph, plan=plan, family=family or target.family)
    if target.board is not None:
        check_board(design, target.board)
    return design, target


def target_design(graph: Graph, options: TargetOptions, family: Family | None = None) -> Design:
    """The design of a graph for the target that the options name; arguments and errors as of :func:`planned_design`."""
    return planned_design(graph, options, family)[0]
