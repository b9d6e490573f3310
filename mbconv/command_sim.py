"""``mbconv sim``: the circuit against the golden model, bit for bit and cycle for cycle."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_engine import beside_engine, compiled, engine_option, print_engine_result
from .cli_errors import UserError, require_extra
from .cli_options import CycleRange, existing_file, json_option, layers_option, model_argument, output_file
from .cli_output import print_json, progress_console, results, simulation_progress
from .cli_simulation import classified, print_result, print_stalls
from .cli_target import rate, rate_text, target_design, target_options


@click.command(short_help="The circuit against the golden model, in Verilator.")
@model_argument
@layers_option
@target_options
@engine_option
@click.option("--image", "images", type=existing_file, multiple=True, help="A picture; may be given several times.")
@click.option("--random", "is_random", is_flag=True, help="Random inputs (the default).")
@click.option("--seed", type=click.IntRange(min=0), help="Of the random inputs.  [default: 0]")
@click.option("--frames", type=click.IntRange(min=1), help="Frames, back to back.  [default: what the interval needs]")
@click.option("--in-turn", is_flag=True, help="Drain several outputs one after the other, a packet of each in turn.")
@click.option("--stalls", is_flag=True, help="Also show which stage waits for which, and how long.")
@click.option("--waves", type=output_file, metavar="FILE", help="Write VCD, or FST.")
@click.option("--wave-stages", metavar="NAME,…", help="Only these stages' waveforms, names as in the manifest.")
@click.option("--wave-cycles", type=CycleRange(), help="Waveforms from cycle A since reset up to, not including, B.")
@json_option
def sim(model, layers, target, engine, images, is_random, seed, frames, in_turn, stalls, waves, wave_stages,
        wave_cycles, as_json) -> int:  # fmt: skip
    """Simulate a model's circuit with Verilator and compare every output with the golden model.

    MODEL may also be a folder of mbconv emit, or a manifest in it: its Verilog is simulated as it lies there, edited or
    not; the model that the manifest names gives the golden results.

    Frames differ: with fewer pictures than frames, frame k is a picture rolled by k pixels. With --layers, a picture
    passes the operators before them in the golden model; random inputs are those of the first of the layers.

    Beside the waveforms of FILE.vcd lies FILE.gtkw, which shows the streams of each stage in GTKWave. With
    --wave-cycles cycle c begins at time 2·c.

    With --in-turn a host drains several outputs one after the other, which lets the last of a frame wait; the interval
    must be the predicted one all the same.

    --stalls is a table of every stream's cycles in the time of the last frame: stalled, where a beat waited for the
    stage that reads it, and starved, where that stage waited for a beat. --json always has them, frame by frame.

    With --engine a program is uploaded to an engine and runs there: every element of every layer is compared, and the
    cycles of every instruction.

    Exit code 1: an output or the interval is other than predicted.
    """
    if images and (is_random or seed is not None):
        raise UserError("give pictures with --image FILE, or --random and --seed S, not both")
    _check_waves(waves, {"--wave-stages": wave_stages, "--wave-cycles": wave_cycles})
    require_extra("sim", "simulation")

    if engine is not None:
        others = {
            "--in-turn": in_turn or None,
            "--stalls": stalls or None,
            "--waves": waves,
            "--wave-stages": wave_stages,
            "--wave-cycles": wave_cycles,
        }
        given = [*beside_engine(target), *(name for name, value in others.items() if value is not None)]
        if given:
            raise UserError(f"--engine takes no {', '.join(given)}")
        return _simulate_engine(model, layers, engine, target.clock, images, seed, frames, as_json)

    from mbconv.sim.circuits.testbench_case import ALWAYS, IN_TURN
    from mbconv.sim.simulation.description import Description
    from mbconv.sim.simulation.gtkwave import save_file, write_save_file
    from mbconv.sim.simulation.simulate import simulate_bundle
    from mbconv.sim.simulation.waves import choose_waves

    from .emitted import is_emitted
    from .frames import chosen_frames

    if is_emitted(model):
        if layers is not None or target.names:
            given = ", ".join((["--layers"] if layers is not None else []) + target.names)
            raise UserError(f"{model} is an emitted folder, whose plan is fixed: it takes no {given}")
        graph, part, bundle = _emitted(Path(model), progress_console(quiet=as_json))
    else:
        graph, part, bundle = _model(model, layers, target)
    count = frames or bundle.manifest["measuring_frames"]
    inputs = chosen_frames(graph, part, count, images, seed)
    description = Description.of(bundle.manifest)
    chosen = None
    if waves is not None:
        stages = [] if wave_stages is None else [name.strip() for name in wave_stages.split(",")]
        chosen = choose_waves(description, waves, count, stages, wave_cycles)
    with simulation_progress(quiet=as_json) as progress:
        result = simulate_bundle(
            bundle, part, inputs, waves=chosen, progress=progress, sink=IN_TURN if in_turn else ALWAYS
        )
    if waves is not None and not write_save_file(waves, description):
        progress_console().print(f"{save_file(waves)} is not mbconv's or was saved by hand: it stays as it is")
    seen = classified(graph, part, bundle, result, inputs, images, model)
    interval, latency = bundle.manifest["interval_cycles"], bundle.manifest["latency_cycles"]
    if as_json:
        clocked = {} if target.clock is None else rate(interval, latency, target.clock)
        print_json("sim", result.to_dict() | clocked | {"classified": seen})
    else:
        print_result(part, result, "" if images else f", random (seed {seed or 0})")
        if stalls:
            print_stalls(result, bundle.manifest)
        if target.clock is not None:
            results().print(rate_text(interval, latency, target.clock))
        for found in seen:
            score = "" if found["score"] is None else f", score {found['score']:.4f}"
            results().print(f"{found['image']}: {found['label'] or found['class']}{score}")
    planned = bundle.manifest["drain"]["interval_cycles"] if in_turn else result.predicted_interval_cycles
    as_planned = result.interval_cycles in (None, planned)
    return 0 if result.ok and as_planned else 1


def _simulate_engine(model, layers, engine, clock, images, seed, frames, as_json) -> int:
    from mbconv.models import load_part
    from mbconv.sim.engine.simulate import simulate_programs

    from .frames import chosen_frames

    graph, part = load_part(model, layers)
    program = compiled(part, engine)
    inputs = chosen_frames(graph, part, frames or 2, images, seed)
    with simulation_progress(quiet=as_json) as progress:
        (result,) = simulate_programs([(program, inputs)], progress=progress)
    if as_json:
        clocked = {} if clock is None else rate(program.interval, program.cycles, clock)
        print_json("sim-engine", result.to_dict() | clocked)
    else:
        print_engine_result(result, "" if images else f", random (seed {seed or 0})")
        if clock is not None:
            results().print(rate_text(program.interval, program.cycles, clock))
    return 0 if result.ok else 1


def _check_waves(waves: Path | None, chosen: dict[str, object]) -> None:
    """Refuse before the simulation what it would not write."""
    if waves is None:
        if given := [name for name, value in chosen.items() if value is not None]:
            raise UserError(f"{' and '.join(given)} choose what --waves FILE writes: give it as well")
        return
    if waves.suffix == ".gtkw":
        raise UserError(
            f"--waves writes VCD or FST, and {waves} beside it: give a name such as {waves.with_suffix('.vcd')}"
        )
    from mbconv.sim.simulation import fst
    from mbconv.sim.simulation.writable import check_writable

    if waves.suffix == ".fst" and not fst.available():
        raise UserError(
            f"{waves}: FST is written by the Python package {fst.PACKAGE}, which is not installed: pip install "
            f"{fst.PACKAGE}, or give a name such as {waves.with_suffix('.vcd').name} for VCD"
        )
    marks = [fst.MARK] if waves.suffix == ".fst" else [b"$version", b"$date", b"$timescale"]
    check_writable(waves, "file of waveforms", marks)
    check_writable(waves.with_suffix(".gtkw"))


def _model(model, layers, target):
    """A model, its part, and what is emitted of it."""
    from mbconv.generators.emission.bundle import make_bundle
    from mbconv.models import load_part

    graph, part = load_part(model, layers)
    return graph, part, make_bundle(target_design(part, target))


def _emitted(directory: Path, console):
    """The same of an emitted folder; says which files are not as they were written."""
    from mbconv.generators.emission.read_bundle import edited_files

    from .emitted import read_emitted

    found = read_emitted(directory)
    for name in edited_files(found.bundle):
        console.print(f"{name} was edited since it was emitted")
    return found.model, found.part, found.bundle
