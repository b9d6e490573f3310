"""``mbconv bench``: whole networks planned, emitted, simulated and measured; README's table."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import click

from .cli_errors import UserError, require_extra
from .cli_options import json_option, output_file
from .cli_output import print_json, progress_console, results, simulation_progress
from .cli_table import Rows

BUILTIN = (("digits", 16), ("cifar10", 64), ("cifar10_v3", 64))
MODELS = (
    ("vww_96_int8", 156),
    ("vww_96_int8", 320),
    ("person_detect_qdimfix", 128),
    ("mobilenet_v1_0.25_128_quant", 128),
    ("mobilenetv2_160_035_cfu", 256),
    ("tf2_mobilenet_v2_1.0_224_ptq", 2048),
)
"""Model files and the multipliers they are measured at."""


@click.command(short_help="Whole networks measured: interval, efficiency, memory, seconds.")
@click.option("--models", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
              help="The .tflite files of the larger networks; without it the built-in ones only.")  # fmt: skip
@click.option("--only", metavar="NAME", multiple=True, help="Only networks whose name contains NAME.")
@click.option("--results", "store", type=output_file, default=Path("build/bench.jsonl"),
              show_default=True, metavar="FILE", help="Results are kept and looked up there.")  # fmt: skip
@json_option
def bench(folder, only, store, as_json) -> int:
    """Plan, emit and simulate whole networks on random frames, and print what README's table shows.

    A network whose circuit and frames were measured before is taken from the results file.

    Exit code 1: an output or an interval is other than predicted.
    """
    require_extra("sim", "the benchmark")
    cases = [(name, name, multipliers) for name, multipliers in BUILTIN]
    if folder is not None:
        cases += [(name, str(folder / f"{name}.tflite"), multipliers) for name, multipliers in MODELS]
    cases = [case for case in cases if not only or any(part in case[0] for part in only)]
    if not cases:
        raise UserError(f"no network's name contains {' or '.join(only)}")
    missing = [model for name, model, _ in cases if model != name and not Path(model).is_file()]
    if missing:
        raise UserError(
            f"missing: {', '.join(dict.fromkeys(missing))}; put the files there, or choose networks with --only"
        )
    from mbconv.sim.simulation.kept_results import KeptResults

    KeptResults(store).check()
    rows = [_measure(*case, store, as_json) for case in cases]
    if as_json:
        print_json("bench", {"networks": rows})
    else:
        _print(rows)
    return 0 if all(row["ok"] for row in rows) else 1


def _measure(name: str, model: str, multipliers: int, store: Path, as_json: bool) -> dict:
    from mbconv.generators.emission.bundle import make_bundle
    from mbconv.generators.emission.design import make_design
    from mbconv.generators.emission.emit import emit
    from mbconv.models import load
    from mbconv.sim.simulation.kept_results import KeptResults

    from .frames import random_frames

    log = progress_console(quiet=as_json)
    graph = load(model)
    started = time.monotonic()
    design = make_design(graph, multipliers=multipliers)
    planned = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="mbconv-bench-"))
    try:
        bundle = make_bundle(design)
        emit(bundle, scratch)
    finally:
        shutil.rmtree(scratch)
    emitted = time.monotonic()
    log.print(f"{name} at {multipliers}: planned in {planned - started:.1f} s, emitted in {emitted - started:.1f} s")
    frames = random_frames(graph, design.schedule.frames, 0)
    with simulation_progress(quiet=as_json) as progress:
        return KeptResults(store).simulated(
            bundle,
            graph,
            frames,
            progress,
            network=name,
            **_buffers(design),
            memory_bits=design.memory_bits,
            emission_seconds=round(emitted - started, 1),
        )


def _buffers(design) -> dict[str, int]:
    """The memories that streaming needs, as they are in the design: windows, and queues in front of additions."""
    network, joins = design.network, {stage.name for stage in design.stages if len(stage.node.inputs) > 1}
    windows = {stage.name: stage.node.inputs[0] for stage in design.stages}

    def bits(tensor: int, elements: int) -> int:
        return elements * network.tensor(tensor).element.bits

    lines = sum(
        bits(windows[name], pixels * network.shapes[windows[name]].channels)
        for name, pixels in design.schedule.capacities.items()
    )
    delays = sum(
        bits(edge[0], depth * design.plan.lanes[edge[0]])
        for edge, depth in design.schedule.depths.items()
        if edge[1] in joins
    )
    return {"line_buffer_bytes": -(-lines // 8), "residual_delay_bytes": -(-delays // 8)}


def _print(rows: list[dict]) -> None:
    columns = Rows(
        "network", "multipliers", "MACs", "interval", "predicted", "latency", "efficiency", "mismatches",
        "line buffers", "residuals", "memory", "emission", "simulation", left=("network",),
    )  # fmt: skip
    for row in rows:
        columns.add_row(
            row["network"],
            str(row["budget"]),
            f"{row['macs']:,}",
            f"{row['interval_cycles']:,}",
            f"{row['predicted_interval_cycles']:,}",
            f"{row['latency_cycles']:,}",
            f"{row['mac_efficiency']:.1%}",
            f"{row['mismatches']:,}",
            f"{row['line_buffer_bytes']:,} B",
            f"{row['residual_delay_bytes']:,} B",
            f"{row['memory_bits'] // 8:,} B",
            f"{row['emission_seconds']} s",
            f"{row['seconds']:.0f} s",
        )
    console = results()
    console.print(columns)
    console.print("efficiency: MACs ÷ (multipliers × interval); memory: weights, buffers and queues in all")
