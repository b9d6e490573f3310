"""``python -m mbconv.fpga.stage_clock``: the clock that single stages of a plan reach, placed and routed alone.

A stage is taken from the plan of its whole network, with the memories of its periodic streams; its streams are ports,
which are not timed. What whole networks lose beyond that is distance.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError

from .arguments import layer_range
from .families import find_part
from .flow.area_count import stage_verilog
from .flow.build import Implementation, implement


def main(arguments: Sequence[str] | None = None) -> int:
    """Place and route, print a line for each stage and its critical path; 2 where the arguments are wrong."""
    from mbconv.models import load_part

    parser = argparse.ArgumentParser(prog="python -m mbconv.fpga.stage_clock", description=__doc__.split("\n\n")[0])
    parser.add_argument("model", help="a file or a built-in model")
    parser.add_argument("multipliers", type=int, help="of the plan")
    parser.add_argument("stages", nargs="+", metavar="STAGE", help="names of stages, or how they begin")
    parser.add_argument("--layers", type=layer_range, metavar="A:B", help="plan these operators alone")
    parser.add_argument("--device", default="LFE5U-85F")
    parser.add_argument("--seeds", type=int, default=1, choices=range(1, 5))
    options = parser.parse_args(arguments)
    try:
        _, graph = load_part(options.model, options.layers)
        part = find_part(options.device)
        design = make_design(graph, options.multipliers, device=part.resources)
    except GraphError as error:
        parser.error(str(error))
    names = [stage.name for stage in design.stages]
    for wanted in options.stages:
        name = next((name for name in names if name.startswith(wanted)), None)
        if name is None:
            parser.error(f"no stage is called {wanted!r}; there are {', '.join(names)}")
        with tempfile.TemporaryDirectory(prefix="mbconv-clock-") as folder:
            target = part.family.target_mhz * 1.3
            verilog = stage_verilog(design, name)
            made = implement(verilog, "clk", Path(folder), part, seeds=options.seeds, target_mhz=target)
        print(line(name, made), flush=True)
    return 0


def line(name: str, made: Implementation) -> str:
    """What a stage reaches and takes, and the steps of its critical path that take longest."""
    counts = ", ".join(f"{count.used:,} {count.kind.title}" for count in made.counts)
    clocks = ", ".join(f"{route.fmax_mhz:.1f}" for route in made.routes)
    steps = sorted(made.best.path, key=lambda step: -step.delay_ns)[:3]
    path = "; ".join(f"{step.delay_ns:.2f} ns {step.kind} to {step.cell}" for step in steps)
    return f"{name}: {clocks} MHz; {counts}\n    {path}"


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
