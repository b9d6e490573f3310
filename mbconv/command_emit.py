"""``mbconv emit``: Verilog, memory files, a manifest, and a test bench if asked for."""

from __future__ import annotations

import re

import click

from .cli_engine import engine_option
from .cli_errors import UserError
from .cli_options import existing_file, json_option, layers_option, optional_model_argument, output_folder
from .cli_output import print_emitted, working
from .cli_target import planned_design, target_options
from .engine_emit import emit_engine_folder


@click.command(short_help="Verilog, memory files, a manifest, and a test bench.")
@optional_model_argument
@click.option("-o", "--output", "directory", required=True, type=output_folder,
              metavar="DIR", help="Where to write; made if it is not there.")  # fmt: skip
@layers_option
@target_options
@engine_option
@click.option("--name", "prefix", default="", metavar="PREFIX", help="Begins every module's name (an identifier).")
@click.option("--testbench", is_flag=True, help="Add a cocotb test with vectors that runs without mbconv.")
@click.option("--litex", is_flag=True, help="Add a LiteX module: stream endpoints, counters on the bus.")
@click.option("--image", "images", type=existing_file, multiple=True,
              help="A picture for the test bench; may be given several times.  [default: random inputs]")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Of the test bench's random inputs.  [default: 0]")
@click.option("--frames", type=click.IntRange(min=1),
              help="Frames of the test bench.  [default: what the interval needs]")  # fmt: skip
@click.option(
    "--overwrite", is_flag=True, help="Replace files in the way that mbconv did not write, or that were changed since."
)
@json_option
def emit(model, directory, layers, target, engine, prefix, testbench, litex, images, seed, frames, overwrite,
         as_json) -> None:  # fmt: skip
    """Write a model's circuit: Verilog, memory files and manifest.json.

    The manifest lists the ports with their tensors, shapes, types, scales and zero points, the parameters, cycles and
    versions. Nothing is written unless everything could be.

    --testbench adds testbench/run.py, which runs the emitted Verilog in Verilator through cocotb and compares its
    output packets and cycles with the golden model's; it needs cocotb and Verilator only.

    --litex adds NAME_litex.py, whose class Network is a module of LiteX with a stream endpoint for each port and the
    counters of damaged frames and results as registers of the bus.

    With --engine and no MODEL it is an engine, into which networks of mbconv compile come through a stream of its own;
    with a MODEL and --testbench the test bench uploads that.
    """
    if prefix and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix):
        raise UserError(f"--name {prefix!r} cannot begin a Verilog name: letters, digits and _, no digit first")
    if not testbench and (images or frames is not None or seed is not None):
        raise UserError("--image, --seed and --frames are for the test bench: give --testbench as well")
    if images and seed is not None:
        raise UserError("--seed is for random inputs, --image for pictures: give one of them")

    if engine is not None:
        return emit_engine_folder(engine, model, layers, directory, target, prefix, testbench, litex, images, seed,
                                  frames, overwrite, as_json)  # fmt: skip
    if model is None:
        raise UserError("give a MODEL, or --engine for a circuit that any network is uploaded to")

    from mbconv.generators.emission.bundle import make_bundle
    from mbconv.generators.emission.emit import emit as write
    from mbconv.generators.emission.files import check_folder
    from mbconv.models import load_part

    from .emitted import model_source

    check_folder(directory)
    whole, graph = load_part(model, layers)
    source = model_source(whole, model, layers)
    notes: list[str] = []
    with working("emitting", quiet=as_json):
        design, planned_for = planned_design(graph, target)
        bundle = make_bundle(design, prefix, source, planned_for)
        checked_by = _testbench(whole, graph, bundle, images, seed, frames) if testbench else None
        manifest = write(bundle, directory, testbench=checked_by, litex=litex, overwrite=overwrite, say=notes.append)
    print_emitted("emit", directory, manifest, notes, as_json)


def _testbench(whole, graph, bundle, images, seed, frames) -> dict[str, str]:
    from mbconv.sim.testbench.testbench import testbench_files

    from .frames import chosen_frames

    count = frames or bundle.manifest["measuring_frames"]
    return testbench_files(bundle, graph, chosen_frames(whole, graph, count, images, seed))
