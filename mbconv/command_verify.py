"""``mbconv verify``: a whole model, block by block, each simulated against the golden model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mbconv.generators.graph.shown import counted

from .cli_errors import UserError, require_extra
from .cli_options import existing_file, json_option, model_argument, output_file
from .cli_output import print_json, progress_console, results, simulation_progress, working
from .cli_table import Rows
from .cli_target import block_plans, target_options


@click.command(short_help="Every block of a model simulated alone; can be resumed.")
@model_argument
@target_options
@click.option("--image", "images", type=existing_file, multiple=True, help="A picture; may be given several times.")
@click.option("--random", "is_random", is_flag=True, help="Random inputs (the default).")
@click.option("--results", "store", type=output_file, metavar="FILE",
              help="Where each block's result is kept, and looked up when run again.  "
                   "[default: build/verify/MODEL.jsonl]")  # fmt: skip
@json_option
def verify(model, target, images, is_random, store, as_json) -> int:
    """Simulate every block of a model: first convolution, each inverted residual or separable pair, head.

    Each block is a design of its own within the target, fed by what the operators before it make of the picture. A
    block whose result is in the results file, made by the same circuit from the same inputs, is not simulated again.
    With --plan, a plan of the whole model, each block has the foldings and lanes that it has there.

    Exit code 1: an output or an interval is other than predicted.
    """
    if images and is_random:
        raise UserError("give pictures with --image FILE, or --random, not both")
    require_extra("sim", "simulation")

    from mbconv.generators.emission.bundle import make_bundle
    from mbconv.generators.emission.design import make_design
    from mbconv.generators.graph.ranges import block_ranges
    from mbconv.models import load
    from mbconv.sim.simulation.kept_results import KeptResults

    from .frames import WholeRuns, random_frames

    graph = load(model)
    kept = KeptResults(store or Path("build/verify") / f"{graph.name}.jsonl")
    kept.check()
    log = progress_console(quiet=as_json)
    whole = WholeRuns(graph, images) if images else None
    with working("planning every block", quiet=as_json):
        blocks = [(first, last, graph.layers(first, last)) for first, last in block_ranges(graph)]
        plans = block_plans(graph, [part for _, _, part in blocks], target)
    rows = []
    for (first, last, part), plan in zip(blocks, plans, strict=True):
        design = make_design(part, plan=plan)
        count = design.schedule.frames
        frames = random_frames(part, count, 0) if whole is None else whole.inputs_of(part, count)
        with simulation_progress(quiet=as_json) as progress:
            found = kept.simulated(make_bundle(design), part, frames, progress, layers=[first, last])
        rows.append(found)
        if not as_json:
            log.print(
                f"{first}:{last}  {'ok' if found['ok'] else 'WRONG'}  {counted(found['mismatches'], 'mismatch')}"
                f"{', kept' if found['kept'] else ''}"
            )
    if as_json:
        print_json("verify", {"model": graph.name, "ok": all(row["ok"] for row in rows), "blocks": rows})
    else:
        _print(graph, rows)
    return 0 if all(row["ok"] for row in rows) else 1


def _print(graph, rows: list[dict]) -> None:
    columns = Rows(
        "layers", "operators", "mismatches", "elements", "interval", "predicted", "latency", "predicted", "multipliers",
        left=("operators",), keys=2,
    )  # fmt: skip
    for row in rows:
        first, last = row["layers"]
        kinds = [op.kind for op in graph if first <= op.index < last]
        columns.add_row(
            f"{first}:{last}",
            " ".join(kinds if len(kinds) < 5 else [*kinds[:4], "…"]),
            f"{row['mismatches']:,}",
            f"{row['elements']:,}",
            *(f"{row[key]:,}" for key in ("interval_cycles", "predicted_interval_cycles")),
            *(f"{row[key]:,}" for key in ("latency_cycles", "predicted_latency_cycles")),
            str(row["multipliers"]),
        )
    console = results()
    console.print(columns)
    wrong = [row for row in rows if not row["ok"]]
    for row in wrong:
        console.print(json.dumps({key: row[key] for key in ("layers", "first_mismatch")}))
    console.print(f"{graph.name}: {len(rows) - len(wrong)} of {len(rows)} blocks are equal and as fast as predicted")
