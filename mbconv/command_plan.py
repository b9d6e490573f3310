"""``mbconv plan``: the foldings and lanes of a design, what they cost, and where multipliers wait."""

from __future__ import annotations

import click

from mbconv.generators.graph.shown import counted

from .cli_engine import beside_engine, compiled, engine_option, print_program, program_dict
from .cli_errors import UserError
from .cli_options import json_option, layers_option, model_argument, output_file
from .cli_output import bytes_text, print_json, results, working
from .cli_table import Rows
from .cli_target import planned_design, rate, rate_text, target_of, target_options
from .engine_form import engine_form

_REASONS = {
    "rounding": "channels or taps that a folding does not divide",
    "waiting": "stages faster than the bottleneck",
    "unused": "multipliers of the budget that no stage can use",
}


@click.command(short_help="Foldings and lanes for a target, their costs and losses.")
@model_argument
@layers_option
@target_options
@engine_option
@click.option("-o", "--output", type=output_file, metavar="FILE",
              help="Write the plan, to be edited and given to --plan.")  # fmt: skip
@json_option
def plan(model, layers, target, engine, output, as_json) -> None:
    """Choose every stage's folding and every stream's lanes for a number of multipliers, a frame rate or a board; with
    --target latency for the latency of a lone frame.

    The table lists the stages: folding (inputs × outputs of a cycle; taps × channels of a depthwise one), lanes at
    both ends, cycles for a frame, and the share of the interval's multiplications that the network uses.

    With --plan the plan of a file is checked and costed instead.

    With --board the last lines say what the network takes in its other form, a program for the board's engine, where
    the board has one by name, and which of the two suits.

    With --engine the table lists the instructions of a program for an engine: cycles, share of what its multipliers
    could do, bytes of weights; with --clock frames per second and milliseconds, as of a pipeline.
    """
    if engine is not None:
        if given := [*beside_engine(target), *(["--output"] if output is not None else [])]:
            raise UserError(f"--engine has a program, no plan: it takes no {', '.join(given)}")
        _plan_engine(model, layers, engine, target.clock, as_json)
        return
    from mbconv.generators.emission.board import linked_cost
    from mbconv.generators.graph.graph import GraphError
    from mbconv.generators.planning.board_plan import uses
    from mbconv.generators.planning.plan_file import MARK, write_plan
    from mbconv.generators.planning.plan_report import report_design
    from mbconv.generators.planning.resources import Resources
    from mbconv.models import load
    from mbconv.sim.simulation.writable import check_writable

    if output is not None:
        check_writable(output, "plan of mbconv", [MARK])
    graph = load(model, layers)
    with working("planning", quiet=as_json):
        form = None
        if target.board is not None and target.plan is None:
            target_of(target)  # refused before anything is counted
            form = engine_form(graph, target.board)
        try:
            design, wanted = planned_design(graph, target)
        except GraphError as error:
            if form is None or form.program is None or output is not None or as_json:
                raise
            results().print(f"{error}\n\n{form.text(None, None)}")
            return
    report = report_design(design)
    if output is not None:
        write_plan(output, design.network, design.plan, wanted)
    board, luts = [], None
    if wanted.board is not None:
        cost, device = linked_cost(design), wanted.board.device
        board, luts = uses(cost, device), Resources(cost, device).luts
    if as_json:
        named = {use.name: {"needed": use.needed, "available": use.available} for use in board}
        extra = {"model": graph.name, "target": str(wanted), "luts_estimated": luts, "board": named or None}
        clocked = {} if target.clock is None else rate(report.interval, report.latency, target.clock)
        other = {} if form is None else {"engine": form.to_dict()}
        print_json("plan", report.as_dict() | extra | clocked | other)
        return
    _print(graph.name, wanted, report, board, target.clock)
    if form is not None:
        results().print(form.text((report.interval, report.latency), target.clock))
    if output is not None:
        results().print(f"written to {output}")


def _plan_engine(model, layers, engine, clock, as_json) -> None:
    from mbconv.models import load

    graph = load(model, layers)
    with working("compiling", quiet=as_json):
        program = compiled(graph, engine)
    if as_json:
        clocked = {} if clock is None else rate(program.interval, program.cycles, clock)
        print_json("plan-engine", program_dict(program) | clocked)
        return
    print_program(program)
    if clock is not None:
        results().print(rate_text(program.interval, program.cycles, clock))


def _print(name: str, target, report, board, clock) -> None:
    columns = Rows(
        "stage",
        "folding",
        "lanes",
        "cycles",
        "multipliers",
        "utilisation",
        "rounding",
        "waiting",
        "memory",
        left=("stage",),
    )
    for stage in report.stages:
        columns.add_row(
            stage.name,
            str(stage.folding or ""),
            f"{stage.lanes_in} → {stage.lanes_out}",
            f"{stage.cycles:,}",
            str(stage.multipliers or ""),
            "" if stage.utilisation is None else f"{stage.utilisation:.1%}",
            _lost(report, stage.rounding),
            _lost(report, stage.waiting),
            bytes_text(-(-stage.memory_bits // 8)) if stage.memory_bits else "",
        )
    lost = {reason: sum(loss.slots for loss in report.losses if loss.reason == reason) for reason in _REASONS}
    columns.add_section()
    columns.add_row(
        "total", "", "", f"{report.interval:,}", str(report.multipliers), f"{float(report.efficiency_used):.1%}",
        _lost(report, lost["rounding"]), _lost(report, lost["waiting"]), bytes_text(-(-report.memory_bits // 8)),
    )  # fmt: skip
    console = results()
    console.print(f"{name}, planned for {target}")
    console.print(columns)
    console.print(f"interval {counted(report.interval, 'cycle')}, latency {counted(report.latency, 'cycle')}")
    if clock is not None:
        console.print(rate_text(report.interval, report.latency, clock))
    console.print(f"bottleneck: {_some(report.bottleneck)}")
    if board:
        console.print(f"of the board: {', '.join(map(str, board))}")
    if not report.slots:
        return
    budget = counted(report.multipliers, "multiplier") if report.budget is None else f"a budget of {report.budget}"
    macs = counted(report.macs, "MAC")
    console.print(f"MAC efficiency {float(report.efficiency):.2%} of {budget}: {macs} a frame; lost are")
    for reason, meaning in _REASONS.items():
        console.print(f"  {lost[reason] / report.slots:7.2%}  {reason}: {meaning}")


def _lost(report, slots: int) -> str:
    """A loss as a part of all that the multipliers could give."""
    return f"{slots / report.slots:.2%}" if slots else ""


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
