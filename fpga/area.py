"""``python -m mbconv.fpga.area``: the cells of fixed circuits, beside what they were and what is estimated.

The kept figures are in ``area.json``; a test fails where a circuit takes more than :data:`TOLERANCE` above them unseen.
``--keep`` writes what was measured as the new figures: to be committed with the change that explains them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.emission.design_verilog import design_verilog
from mbconv.generators.emission.engine_board import FLASH_ADDRESS, engine_top, engine_verilog
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.planning.board_plan import design_cost
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.planning.resources import Resources
from mbconv.generators.stages.network import build_network
from mbconv.hdl.verilog import Verilog

from .families import find_part
from .family import Part
from .flow.area_count import Area, measure, stage_verilog

FIGURES = Path(__file__).with_name("area.json")
TOLERANCE = 0.03
VWW = Path("../shared/models/vww_96_int8.tflite")
VWW_STAGES = (
    "layer_00_convolution",
    "layer_01_depthwise",
    "layer_02_pointwise",
    "layer_03_depthwise",
    "layer_10_pointwise",
    "layer_14_pointwise",
    "layer_26_pointwise",
)
DIGITS_STAGES = ("layer_03_pointwise", "layer_06_depthwise")

ENGINE = "engine"
_ENGINE_CLOCK = 24e6

CIRCUITS = {
    "digits at 8": ("digits", 8, "iCE40UP5K", ""),
    **{f"digits at 8, {stage}": ("digits", 8, "iCE40UP5K", stage) for stage in DIGITS_STAGES},
    "cifar10 at 64": ("cifar10", 64, "LFE5U-85F", ""),
    **{f"vww at 320, {stage}": (str(VWW), 320, "LFE5U-85F", stage) for stage in VWW_STAGES},
    "engine up5k_flash, with its link": ("up5k_flash", 16, "iCE40UP5K", ENGINE),
}
"""Name → model, multipliers, device, and the stage that is measured alone (none: the whole network). Of an engine its
name, and :data:`ENGINE`."""

QUICK = tuple(f"digits at 8, {stage}" for stage in DIGITS_STAGES)
"""Those that take a few seconds each."""


def available(name: str) -> bool:
    """Whether a circuit's model is here."""
    model = CIRCUITS[name][0]
    return not model.endswith(".tflite") or Path(model).exists()


@cache
def _design(model: str, multipliers: int, device: str, shared: bool) -> Design:
    from mbconv.models import load

    known, graph = find_part(device).resources, load(model)
    if shared:
        return make_design(graph, multipliers, family=known.circuits, device=known)
    # As for a board: no pixels share groups of outputs, which takes more cells for fewer cycles.
    plan = plan_for_multipliers(build_network(graph), multipliers, sharing=False)
    return make_design(graph, plan=plan, family=known.circuits)


def _found(name: str) -> tuple[Design, str, str]:
    """The design of a circuit, its device and stage; a whole network shares the device's DSP blocks."""
    model, multipliers, device, stage = CIRCUITS[name]
    return _design(model, multipliers, device, not stage), device, stage


def circuit(name: str) -> tuple[Verilog, Part, str]:
    """A circuit's Verilog, the part that it is for and the name of its clock."""
    model, _, device, stage = CIRCUITS[name]
    if stage == ENGINE:
        part = find_part(device)
        parameters, _ = parse_engine(model)
        flash = FLASH_ADDRESS if parameters.port_bytes else None
        top = engine_top(parameters, _ENGINE_CLOCK, flash=flash, family=part.resources.circuits)
        return engine_verilog(top), part, "clk"
    design, device, stage = _found(name)
    if stage:
        return stage_verilog(design, stage), find_part(device), "clk"
    return design_verilog(design), find_part(device), "aclk"


def measure_circuit(name: str) -> Area:
    """Synthesise a circuit and count.

    Raises:
        ToolError: a tool is missing or failed.
    """
    verilog, part, clock = circuit(name)
    with tempfile.TemporaryDirectory(prefix="mbconv-area-") as folder:
        return measure(verilog, part, Path(folder), clock)


def estimate(name: str) -> int | None:
    """A circuit's cells as a plan estimates them, from the costs that its parts state; None of an engine, for which
    nothing is planned."""
    if CIRCUITS[name][3] == ENGINE:
        return None
    design, device, stage = _found(name)
    if stage:
        found = next(s for s in design.stages if s.name == stage).cost(design.family)
    else:
        found = design_cost(design)
    return Resources(found, find_part(device).resources).luts


def figures() -> dict[str, dict[str, dict[str, int]]]:
    """The kept figures: circuit → ``before`` and ``kept`` → cells."""
    return json.loads(FIGURES.read_text(encoding="utf-8"))


def grown(name: str, now: Mapping[str, int], kept: Mapping[str, int]) -> list[str]:
    """What of a circuit is more than the tolerance above what is kept, in words."""
    return [
        f"{name}: {kind} {count:,}, kept {kept[kind]:,}"
        for kind, count in now.items()
        if count > kept[kind] * (1 + TOLERANCE)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table; 1 where something has grown."""
    parser = argparse.ArgumentParser(prog="python -m mbconv.fpga.area", description=__doc__.split("\n\n")[0])
    parser.add_argument("circuits", nargs="*", metavar="CIRCUIT", help=f"some of: {'; '.join(CIRCUITS)}")
    parser.add_argument("--keep", action="store_true", help="write what is measured to the kept figures")
    options = parser.parse_args(arguments)
    names = options.circuits or [name for name in CIRCUITS if available(name)]
    if unknown := [name for name in names if name not in CIRCUITS]:
        parser.error(f"no circuit is called {unknown[0]!r}; there are {'; '.join(CIRCUITS)}")
    if missing := [name for name in names if not available(name)]:
        parser.error(f"the model of {missing[0]!r} is not at {CIRCUITS[missing[0]][0]}")
    for name in CIRCUITS.keys() - set(names):
        if not available(name):
            print(f"left out, its model is not here: {name}", file=sys.stderr)
    return _table(names, options.keep)


def _table(names: Sequence[str], keep: bool) -> int:
    from rich.console import Console
    from rich.table import Table

    kinds = list(Area.__dataclass_fields__)
    before = [f"{kind}, before" for kind in kinds[:2]]
    rows = Table("circuit", "device", *before, *kinds, "of before", "estimated", "deviation", box=None)
    for column in rows.columns[2:]:
        column.justify = "right"
    problems, known = [], figures()
    with Console(stderr=True).status("measuring") as status:
        for name in names:
            status.update(f"measuring {name}")
            now = measure_circuit(name).to_dict()
            entry = known.setdefault(name, {"before": now, "kept": now})
            problems += grown(name, now, entry["kept"])
            earlier = [entry["before"][kind] for kind in kinds[:2]]
            numbers = [f"{count:,}" for count in (*earlier, *now.values())]
            estimated = estimate(name)
            deviation = "" if estimated is None else f"{estimated / now['cells'] - 1:+.1%}"
            of_before = f"{now['cells'] / entry['before']['cells']:.0%}"
            rows.add_row(
                name, CIRCUITS[name][2], *numbers, of_before, "" if estimated is None else f"{estimated:,}", deviation
            )
            if keep:
                entry["kept"] = now
    console = Console()
    console.width = max(console.width, 180)  # no number is ever cut
    console.print(rows)
    if keep:
        FIGURES.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        return 0
    for problem in problems:
        print(f"more than {TOLERANCE:.0%} above the kept figure: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
