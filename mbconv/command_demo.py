"""``mbconv demo``: the main job on a small scale, from a model file to simulated Verilog."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_errors import require_extra
from .cli_options import json_option
from .cli_output import print_json, progress_console, results, simulation_progress
from .cli_simulation import print_result, result_object, succeeded

_MODEL, _DIGIT, _MULTIPLIERS = "digits", 7, 16


@click.command(short_help="A picture classified, and a block of its network simulated as a circuit.")
@click.option("-o", "--output", "directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              default=Path("build/demo"), show_default=True, help="Where the Verilog goes.")  # fmt: skip
@json_option
def demo(directory: Path, as_json: bool) -> int:
    """Classify a digit, and run an inverted residual block of its network as a circuit.

    The block's input is what the layers before it make of the picture. The circuit is emitted as Verilog, simulated,
    and compared with the golden model.
    """
    require_extra("sim", "the demonstration")

    from mbconv.generators.analysis import residual_block
    from mbconv.generators.design import make_design
    from mbconv.generators.emit import emit
    from mbconv.models import builtin, load
    from mbconv.models.digit_pictures import digit_pictures
    from mbconv.sim import golden
    from mbconv.sim.pictures import quantised_pixels, roll_frames
    from mbconv.sim.prediction import top_classes
    from mbconv.sim.simulate import simulate

    from .frames import frames_of_range, measuring_frames

    log = progress_console(quiet=as_json)
    graph = load(_MODEL)
    first, last = residual_block(graph)
    part = graph.layers(first, last)
    source = graph.tensors[graph.inputs[0]]
    picture = quantised_pixels(digit_pictures()[0][_DIGIT], source)
    log.print(f"{_MODEL}: operators {first}:{last}, an inverted residual block with its residual")
    design = make_design(part, multipliers=_MULTIPLIERS)
    with log.status("emitting Verilog"):
        emit(design, directory, "")
    count = measuring_frames(design.schedule.interval, design.schedule.latency)
    pictures = [{source.index: values} for values in roll_frames([picture], count)]
    with simulation_progress(quiet=as_json) as progress:
        result = simulate(design, frames_of_range(graph, part, pictures), progress=progress)
    output = graph.tensors[graph.outputs[0]]
    computed = golden.run(graph, pictures[0])
    best = top_classes(output, computed[output.index], 1, builtin(_MODEL).labels)[0]
    if as_json:
        answer = {"digit": _DIGIT, "class": best.index, "score": best.score, "layers": [first, last]}
        print_json(result_object(result) | answer | {"directory": str(directory)})
    else:
        print_result(part, result)
        console = results()
        console.print(f"the picture of a {_DIGIT} is classified as {best.label}, score {best.score:.3f}")
        console.print(f"the Verilog is in {directory}")
    return 0 if succeeded(result) and best.index == _DIGIT else 1
