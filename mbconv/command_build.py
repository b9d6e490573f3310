"""``mbconv build``: a model's circuit through synthesis, place and route for an FPGA, and its netlist simulated."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .cli_errors import require_extra
from .cli_options import existing_file, json_option, layers_option, model_argument
from .cli_output import print_json, results, simulation_progress, step_progress, table
from .cli_simulation import print_result
from .cli_target import target_design, target_options

REPORT = "build.json"


@click.command(short_help="Synthesis, place and route for an FPGA, out of context.")
@model_argument
@layers_option
@target_options
@click.option(
    "--device", default="LFE5U-85F", show_default=True, help="The FPGA; its package may follow, as in iCE40UP5K-SG48."
)
@click.option("--package", help="Its package.  [default: the one with the most pins]")
@click.option("--speed", help="Its speed grade, where it has any.  [default: the slowest]")
@click.option("--frequency", type=click.FloatRange(min=0, min_open=True), metavar="MHZ",
              help="What place and route works for.  [default: --clock, else 150]")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 4), default=4, show_default=True,
              help="Place and route so many times, of which the best counts.")  # fmt: skip
@click.option("-o", "--output", "directory", required=True, type=click.Path(file_okay=False, path_type=Path),
              metavar="DIR", help="Where sources, netlist, logs and build.json go.")  # fmt: skip
@click.option("--image", "images", type=existing_file, multiple=True,
              help="A picture for the simulation; may be given several times.  [default: random inputs]")  # fmt: skip
@click.option("--frames", type=click.IntRange(min=1),
              help="Frames of the netlist's simulation.  [default: what the interval needs]")  # fmt: skip
@click.option("--no-simulation", is_flag=True, help="Do not simulate the netlist.")
@json_option
def build(model, layers, target, device, package, speed, frequency, seeds, directory, images, frames, no_simulation,
          as_json) -> int:  # fmt: skip
    """Implement a model's circuit with Yosys and nextpnr from PyPI, and simulate the synthesised netlist against the
    golden model. What was done in the same folder before from the same input is not done again.

    It is out of context: no pins and no link to a host, so that paths between registers are timed and nothing else. The
    report has the look-up tables, registers, DSP blocks and block RAMs, the greatest clock of each seed, and from which
    stage to which the critical path runs.

    Exit code 1: an output of the netlist or its interval is other than predicted.
    """
    require_extra("fpga", "implementation")
    if not no_simulation:
        require_extra("sim", "the netlist's simulation (or give --no-simulation)")

    from mbconv.fpga.families import find_part
    from mbconv.fpga.flow.build import implement
    from mbconv.fpga.flow.fit import check_fit
    from mbconv.fpga.flow.netlist import check_netlist
    from mbconv.generators.emission.bundle import make_bundle
    from mbconv.models import load

    from .frames import chosen_frames, measuring_frames

    part = find_part(device, package, speed)
    whole = load(model)
    graph = whole if layers is None else whole.layers(*layers)
    (directory / REPORT).unlink(missing_ok=True)
    with step_progress(quiet=as_json) as report:
        report("planning", "folding, schedule")
        design = target_design(graph, target)
        check_fit(design, part)
        if not no_simulation:
            count = frames or measuring_frames(design.schedule.interval, design.schedule.latency)
            inputs = chosen_frames(whole, graph, count, images)
        report("planning", "")
        bundle = make_bundle(design)
        made = implement(
            bundle.made,
            "aclk",
            directory,
            part,
            seeds=seeds,
            target_mhz=frequency or target.clock or 150.0,
            progress=report,
        )
    result = None
    if not no_simulation:
        with simulation_progress(quiet=as_json) as progress:
            result = check_netlist(bundle, graph, made.netlist, part, inputs, progress=progress)
    answer = {
        "model": graph.name,
        "interval_cycles": design.schedule.interval,
        "latency_cycles": design.schedule.latency,
        **made.to_dict(),
        "netlist": None if result is None else result.to_dict(),
    }
    (directory / REPORT).write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(answer)
    else:
        _print(graph, design, made, result, "" if images else ", random")
    return 0 if result is None or result.ok else 1


def _print(graph, design, made, result, inputs: str) -> None:
    console = results()
    console.print(f"{graph.name}: {made.part}, out of context")
    console.print(", ".join(f"{tool} {version}" for tool, version in made.versions.items()))
    found = made.to_dict()
    rows = table("", "used", "of", left=("",))
    for count in made.counts:
        available = "" if count.available is None else f"{count.available:,}"
        rows.add_row(count.kind.title, f"{count.used:,}", available)
    console.print(rows)
    console.print(f"{made.multipliers} multipliers in MAC arrays, {found['dsp']} DSP blocks")
    for route in made.routes:
        console.print(f"seed {route.seed}: {route.fmax_mhz:6.1f} MHz{' (best)' if route is made.best else ''}")
    start, end = made.critical_path
    delay = found["critical_path"]["delay_ns"]
    console.print(f"critical path: {delay} ns, from {start} to {end}")
    rate = made.best.fmax_mhz * 1e6 / design.schedule.interval
    console.print(
        f"interval {design.schedule.interval:,} cycles: {rate:,.1f} frames per second at {made.best.fmax_mhz:.1f} MHz"
    )
    if result is not None:
        console.print("\nthe netlist, simulated:")
        print_result(graph, result, inputs)
