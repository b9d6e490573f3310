"""``mbconv emit --engine``: an engine with AXI4-Stream edges for a user's own chip."""

from __future__ import annotations

from pathlib import Path

from .cli_engine import compiled, engine_timing
from .cli_errors import UserError
from .cli_output import print_emitted, working


def emit_engine_folder(engine: str, model, layers, directory: Path, target, prefix: str, testbench: bool, litex: bool,
                       images, seed, frames, overwrite: bool, as_json: bool) -> None:  # fmt: skip
    """Write an engine's Verilog, with a test bench for a model if asked for, and print the files.

    Args:
        engine: parameters as text, or a name.
        model, layers: of the test bench, or None.
        target: options that go with no engine.
        images, seed, frames: of the test bench.

    Raises:
        GraphError, UserError: what does not fit together, a model that the engine does not take, a folder that cannot
            be written.
    """
    wrong = [*target.names, *(["--litex"] if litex else [])]
    if wrong:
        raise UserError(
            f"{', '.join(wrong)} {'goes' if len(wrong) == 1 else 'go'} with a MODEL's circuit, not --engine"
        )
    if testbench and model is None:
        raise UserError("the test bench of an engine uploads a network to it: give a MODEL as well")
    if model is not None and not testbench:
        raise UserError("an engine takes any MODEL, by mbconv compile: give one for its --testbench, or none")
    if layers is not None and model is None:
        raise UserError("--layers are of a MODEL")
    from mbconv.generators.emission.engine_design import emit_engine, engine_bundle
    from mbconv.generators.emission.files import check_folder
    from mbconv.models import load_part
    from mbconv.sim.testbench.testbench_engine import engine_testbench

    from .frames import chosen_frames

    check_folder(directory)
    parameters, timing = engine_timing(engine)
    notes: list[str] = []
    with working("emitting", quiet=as_json):
        program = testbench = None
        if model is not None:
            whole, graph = load_part(model, layers)
            program = compiled(graph, engine)
        bundle = engine_bundle(parameters, prefix, program, timing)
        if program is not None:
            count = frames or bundle.manifest["measuring_frames"]
            testbench = engine_testbench(bundle, program, chosen_frames(whole, graph, count, images, seed))
        manifest = emit_engine(bundle, directory, testbench, overwrite=overwrite, say=notes.append)
    print_emitted("emit-engine", directory, manifest, notes, as_json)
