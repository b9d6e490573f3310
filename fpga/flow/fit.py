"""Whether a part can hold a design, before minutes of synthesis are spent on it."""

from __future__ import annotations

from collections.abc import Callable

from mbconv.generators.emission.design import Design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.graph.shown import counted
from mbconv.generators.planning.board_plan import design_cost, design_for_board
from mbconv.generators.planning.device import Board, Device
from mbconv.generators.planning.resources import Resources
from mbconv.hdl.cost import Cost

from ..family import Part


def check_fit(design: Design, part: Part, count: Callable[[Design], Cost] = design_cost) -> None:
    """Refuse a design for which a part has too little block RAM (counted) or too few LUTs (estimated).

    More multipliers than the part's DSP blocks give are no reason to refuse: the rest are rows of carry chains.

    Args:
        count: what a design takes, alone or with a board's link.

    Raises:
        GraphError: it does not fit; the message says what is short, which devices are large enough, and the fastest
            plan that should fit the part.
    """
    found = count(design)
    lacking = _lacking(found, part.resources)
    if not lacking:
        return
    family = part.family
    enough = [device for device in family.table if not _lacking(found, family.resources(device))]
    advice = f"large enough: {', '.join(enough)}" if enough else f"no {family.name} is large enough"
    raise GraphError(
        f"{part.device} is too small for {design.name} with {counted(found.multipliers, 'multiplier')}: it needs "
        f"{' and '.join(lacking)}; {advice}; {_smaller(design, part, count)}"
    )


def _smaller(design: Design, part: Part, count: Callable[[Design], Cost]) -> str:
    """What to ask for instead, on the same part."""
    board = Board(part.device, part.device, part.resources)
    try:
        found = design_for_board(design.graph, board, count=count)
    except GraphError:
        return "no plan of it fits: fewer layers (--layers) take less"
    return (
        f"the fastest plan that should fit is --multipliers {found.multipliers}, {found.plan.interval:,} cycles a "
        f"frame in place of {design.plan.interval:,}"
    )


def _lacking(cost: Cost, device: Device) -> list[str]:
    found = Resources(cost, device)
    blocks, luts = found.block_rams, found.luts
    lacking = []
    if blocks > device.block_rams:
        lacking.append(f"{blocks:,} of {device.block_rams:,} {device.block_ram.name}")
    if luts > device.luts:
        lacking.append(f"about {luts:,} of {device.luts:,} LUTs")
    return lacking
