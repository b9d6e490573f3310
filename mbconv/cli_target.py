"""What a design is planned for: the options that plan, emit, sim and build share, and the design that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .cli_errors import UserError
from .cli_options import existing_file

if TYPE_CHECKING:
    from mbconv.generators.emission.design import Design
    from mbconv.generators.graph.graph import Graph
    from mbconv.generators.planning.device import Device
    from mbconv.generators.planning.plan import Plan
    from mbconv.generators.planning.targets import Target


_CLOCKED = {
    "plan": ", and of the frames per second that are printed",
    "sim": ", and of the frames per second that are printed",
    "build": ", and what place and route works for",
}


_MERGING = ("plan", "emit", "sim", "build")
_BESIDE = ("--clock", "--merge-outputs", "--plan", "--target")  # options that go with any target


@dataclass(frozen=True)
class TargetOptions:
    """What the options of :func:`target_options` held; None where one was not given."""

    multipliers: int | None = None
    fps: float | None = None
    clock: float | None = None
    board: str | None = None
    plan: Path | None = None
    merge_outputs: bool | None = None
    target: str | None = None

    @property
    def for_latency(self) -> bool:
        """Whether a lone frame's latency is to be the least."""
        return self.target == "latency"

    @property
    def names(self) -> list[str]:
        """The options given."""
        return [f"--{name.replace('_', '-')}" for name, value in vars(self).items() if value is not None]


def target_options(command: Callable) -> Callable:
    """Add --multipliers, --fps, --clock, --board, --target and --plan to a command, which gets them as one argument
    ``target``, a :class:`TargetOptions`. Commands in :data:`_CLOCKED` take a clock without a rate."""
    clocked = command.__name__ in _CLOCKED

    @click.option("--multipliers", type=click.IntRange(min=1), metavar="N",
                  help="Least interval with at most so many multipliers.  [default: 64]")  # fmt: skip
    @click.option("--fps", type=click.FloatRange(min=0, min_open=True), metavar="F",
                  help="Fewest multipliers for so many frames per second, with --clock.")  # fmt: skip
    @click.option("--clock", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
                  help="The clock that --fps is meant for" + (_CLOCKED.get(command.__name__, "") + "."))  # fmt: skip
    @click.option(
        "--board", metavar="NAME", help="Least interval that fits a board's FPGA (mbconv boards), or module:Platform."
    )
    @click.option("--target", type=click.Choice(["interval", "latency"]),
                  help="What is to be least: cycles from frame to frame, or, within --multipliers or for --board, "
                       "those of a lone frame; --fps is kept.  [default: interval]")  # fmt: skip
    @click.option("--plan", type=existing_file, metavar="FILE", help="The foldings and lanes of a file of mbconv plan.")
    @wraps(command)
    def with_target(*arguments, multipliers, fps, clock, board, target, plan, merge_outputs=False, **others):
        if fps is not None and clock is None:
            raise UserError("--fps and --clock go together: frames per second at a clock of so many MHz")
        if clock is not None and fps is None and not clocked:
            raise UserError("--clock says at which clock --fps is meant: give both (plan and sim take it alone)")
        if clock is not None and fps is None:
            from mbconv.generators.planning.targets import check_clock

            check_clock(clock)
        wanted = TargetOptions(multipliers, fps, clock, board, plan, merge_outputs or None, target)
        return command(*arguments, target=wanted, **others)

    if command.__name__ not in _MERGING:
        return with_target
    return click.option(
        "--merge-outputs", is_flag=True, help="Several outputs leave by one AXI4-Stream, a packet of each in turn."
    )(with_target)


def target_of(options: TargetOptions) -> Target:
    """The target that options other than --plan name.

    Raises:
        GraphError: they contradict each other, or name no board.
    """
    from mbconv.fpga.boards import find_board
    from mbconv.generators.graph.graph import GraphError
    from mbconv.generators.planning.targets import make_target

    kinds = [name for name in options.names if name not in _BESIDE]
    if len(kinds) > 1 and not options.for_latency:
        raise GraphError(f"{' and '.join(kinds)} are different targets: give one of them")
    board = None if options.board is None else find_board(options.board)
    clock = None if options.fps is None else options.clock
    return make_target(
        multipliers=options.multipliers, fps=options.fps, clock_mhz=clock, board=board, latency=options.for_latency
    )


def rate(interval: int, latency: int, clock_mhz: float) -> dict[str, float]:
    """Cycles at a clock, as people speak of them; for ``--json``."""
    return {
        "clock_mhz": clock_mhz,
        "frames_per_second": clock_mhz * 1e6 / interval,
        "latency_ms": latency / clock_mhz / 1e3,
    }


def rate_text(interval: int, latency: int, clock_mhz: float) -> str:
    """The same as a line."""
    found = rate(interval, latency, clock_mhz)
    frames = found["frames_per_second"]
    return (
        f"at {clock_mhz:g} MHz {frames:{',.1f' if frames >= 1 else '.3g'}} frames per second, a frame every "
        f"{1e3 / frames:,.4g} ms, its result after {found['latency_ms']:,.4g} ms"
    )


def planned_design(graph: Graph, options: TargetOptions, device: Device | None = None) -> tuple[Design, Target]:
    """The design of a graph for the target that the options name, and that target.

    Args:
        device: the FPGA that the circuits are made for; by default the target's.

    Raises:
        GraphError: the options contradict each other, the target cannot be met, or the plan's file breaks a rule.
        OSError: the plan's file cannot be read.
    """
    from mbconv.fpga.boards import boards, find_board
    from mbconv.generators.emission.design import make_design
    from mbconv.generators.planning.board_plan import check_board, design_for_target
    from mbconv.generators.planning.plan_file import read_plan
    from mbconv.generators.planning.targets import plan_for_target
    from mbconv.generators.stages.network import build_network

    if options.plan is None:
        target = target_of(options)
        if target.board is not None:
            design = design_for_target(graph, target, boards())
            if not options.merge_outputs or len(design.outputs) == 1:
                return design, target
            plan = design.plan
        else:
            plan = plan_for_target(build_network(graph), target, device or target.device)
    else:
        _exclude_others(options)
        plan, target = read_plan(options.plan, build_network(graph), find_board)
    design = make_design(graph, plan=plan, device=device or target.device, merge_outputs=bool(options.merge_outputs))
    if target.board is not None:
        check_board(design, target.board)
    return design, target


def block_plans(graph: Graph, parts: Sequence[Graph], options: TargetOptions) -> list[Plan]:
    """The plan of each of a network's blocks, all of them before the first is made into a circuit.

    A plan of the whole network gives each block the foldings and lanes that it has there.

    Raises:
        GraphError: as :func:`planned_design`; for blocks that a target does not suit, all of them in one message.
    """
    from mbconv.generators.graph.graph import GraphError
    from mbconv.generators.planning.plan import Plan
    from mbconv.generators.planning.plan_cycles import interval_of
    from mbconv.generators.planning.plan_file import read_plan
    from mbconv.generators.planning.targets import plan_for_target
    from mbconv.generators.stages.network import build_network

    if options.plan is not None:
        from mbconv.fpga.boards import find_board

        _exclude_others(options)
        whole, _ = read_plan(options.plan, build_network(graph), find_board)
        plans = []
        for part in parts:
            network = build_network(part)
            indices = [node.operator.index for node in network.nodes]
            foldings = {index: whole.foldings[index] for index in indices if index in whole.foldings}
            lanes = {tensor: whole.lanes[tensor] for tensor in network.shapes}
            plans.append(Plan(foldings, lanes, interval_of(network, foldings, lanes), whole.budget))
        return plans
    target = target_of(options)
    plans, problems = [], []
    for part in parts:
        try:
            if target.board is not None:
                plans.append(planned_design(part, options)[0].plan)
            else:
                plans.append(plan_for_target(build_network(part), target))
        except GraphError as error:
            problems.append(f"operators {part.operators[0].index}:{part.operators[-1].index + 1}: {error}")
    if problems:
        raise GraphError("\n  ".join([f"{len(problems)} of {len(parts)} blocks cannot be planned:", *problems]))
    return plans


def _exclude_others(options: TargetOptions) -> None:
    """Refuse other targets beside a plan's file, which has its own."""
    from mbconv.generators.graph.graph import GraphError

    others = [name for name in options.names if name not in _BESIDE or name == "--target"]
    if others:
        raise GraphError(f"--plan and {' and '.join(others)} exclude each other: the target is in the file")


def target_design(graph: Graph, options: TargetOptions, device: Device | None = None) -> Design:
    """The design of a graph for the target that the options name; arguments and errors as of :func:`planned_design`."""
    return planned_design(graph, options, device)[0]
