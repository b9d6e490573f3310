"""``mbconv demo``: the main job on a small scale, from a model file to simulated Verilog."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import click

from .cli_errors import require_extra
from .cli_options import json_option, output_folder
from .cli_output import print_json, progress_console, results, simulation_progress
from .cli_simulation import print_result

_MODEL, _DIGIT, _MULTIPLIERS = "digits", 7, 16


@click.command(short_help="A picture classified by a simulated network, its residual block shown alone.")
@click.option("-o", "--output", "directory", type=output_folder, metavar="DIR",
              default=Path("build/demo"), show_default=True, help="Where the Verilog goes.")  # fmt: skip
@json_option
def demo(directory: Path, as_json: bool) -> int:
    """Emit the built-in network digits as Verilog, simulate it, and classify a picture with what comes out.

    First an inverted residual block alone, fed by what the layers before it make of the picture; then the whole
    network. Every stream is compared with the golden model.
    """
    require_extra("sim", "the demonstration")

    from PIL import Image

    from mbconv.generators.emission.bundle import make_bundle
    from mbconv.generators.emission.design import make_design
    from mbconv.generators.emission.emit import emit
    from mbconv.generators.emission.files import write_whole
    from mbconv.generators.graph.analysis import residual_block
    from mbconv.models import builtin, load
    from mbconv.models.digit_pictures import digit_pictures, held_out_digits
    from mbconv.sim.pictures.pictures import quantised_pixels, roll_frames
    from mbconv.sim.pictures.prediction import top_classes
    from mbconv.sim.simulation.host import host_outputs
    from mbconv.sim.simulation.simulate import simulate

    from .emitted import model_source
    from .frames import frames_of_range

    log = progress_console(quiet=as_json)
    graph = load(_MODEL)
    source = graph.tensors[graph.inputs[0]]
    try:
        pictures, labels = held_out_digits()
        origin = "handwritten, of those that the network was not trained on"
    except ModuleNotFoundError:  # scikit-learn brings them
        pictures, labels = digit_pictures()
        origin = "drawn by us; handwritten ones come with scikit-learn"
    shown = pictures[list(labels).index(_DIGIT)]
    picture = quantised_pixels(shown, source)
    first, last = residual_block(graph)
    answers = {}
    for name, part in (("block", graph.layers(first, last)), ("network", graph)):
        design = make_design(part, multipliers=_MULTIPLIERS)
        layers = None if part is graph else (first, last)
        bundle = make_bundle(design, source=model_source(graph, _MODEL, layers))
        emit(bundle, directory / name, say=log.print)
        what = "the whole network" if part is graph else f"operators {first}:{last}, an inverted residual block"
        log.print(f"{_MODEL}: {what}; Verilog in {directory / name}")
        count = design.schedule.frames
        frames = [{source.index: values} for values in roll_frames([picture], count)]
        with simulation_progress(quiet=as_json) as progress:
            result = simulate(design, frames_of_range(graph, part, frames), bundle=bundle, progress=progress)
        answers[name] = result
        if not as_json:
            print_result(part, result)
    if not (saved := directory / "seven.png").exists():
        png = BytesIO()
        Image.fromarray(shown[..., 0]).save(png, "png")
        write_whole(saved, png.getvalue())
    output = graph.tensors[graph.outputs[0]]
    computed = host_outputs(graph, {tensor: values[0] for tensor, values in result.outputs.items()})
    best = top_classes(output, computed[output.index], 1, builtin(_MODEL).labels)[0]
    if as_json:
        print_json(
            "demo",
            {
                "digit": _DIGIT,
                "picture": origin,
                "class": best.index,
                "score": best.score,
                "layers": [first, last],
                "directory": str(directory),
                **{name: result.to_dict() for name, result in answers.items()},
            },
        )
    else:
        results().print(
            f"the circuit classifies the picture of a {_DIGIT} ({origin}) as {best.label}, score {best.score:.3f}"
        )
    return 0 if all(result.ok for result in answers.values()) and best.index == _DIGIT else 1
