"""``python -m mbconv.fpga.rom_limit``: what block RAM for ROMs of more than 16 words saves, and what it takes.

A family makes ROMs of up to ``largest_distributed`` words of LUTs, 32 in all of ours. The table shows the constants
between 17 and that of whole networks: the LUTs that they are estimated at, the block RAMs that they would fill instead,
and what the design takes as it is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from mbconv.generators.emission.design import make_design
from mbconv.generators.planning.board_plan import design_cost
from mbconv.generators.planning.resources import Resources, block_rams

from .families import find_part

LIMIT = 16
VWW = Path("../shared/models/vww_96_int8.tflite")
NETWORKS = (
    ("digits", 8, "iCE40UP5K"),
    ("cifar10", 64, "LFE5U-85F"),
    (str(VWW), 216, "LFE5U-85F"),
    (str(VWW), 320, "LFE5U-85F"),
)


@dataclass(frozen=True)
class SmallRoms:
    """Of a design the ROMs between the limits: how many, their LUTs, the block RAMs instead; all that it takes."""

    roms: int
    luts: int
    blocks: int
    all_luts: int
    all_blocks: int
    available_blocks: int


def small_roms(model: str, multipliers: int, device: str) -> SmallRoms:
    """Count the ROMs of more than :data:`LIMIT` words that a device's family makes of LUTs."""
    from mbconv.models import load

    known = find_part(device).resources
    cost = design_cost(make_design(load(model), multipliers, device=known))
    found = [
        memory
        for memory in cost.memories
        if memory.constant and memory.depth > LIMIT and not memory.in_block_ram(known.circuits)
    ]
    movable = [memory for memory in found if not (memory.read_at_once or memory.in_registers)]
    lower = replace(known, circuits=replace(known.circuits, largest_distributed=LIMIT))
    whole = Resources(cost, known)
    return SmallRoms(
        len(movable),
        sum(memory.luts(known.circuits) for memory in movable),
        block_rams(movable, lower),
        whole.luts,
        whole.block_rams,
        known.block_rams,
    )


def main() -> None:
    """Print the table."""
    print("| network | device | ROMs of 17 to 32 words | their LUTs, of all | block RAMs instead | block RAMs now |")
    print("|---|---|---|---|---|---|")
    for model, multipliers, device in NETWORKS:
        if model.endswith(".tflite") and not Path(model).exists():
            print(f"left out, its model is not here: {model}", file=sys.stderr)
            continue
        found = small_roms(model, multipliers, device)
        print(
            f"| {Path(model).stem} at {multipliers} | {device} | {found.roms} | {found.luts:,} of {found.all_luts:,} | "
            f"{found.blocks} | {found.all_blocks} of {found.available_blocks} |"
        )


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
