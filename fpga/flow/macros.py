"""Places of macros, the cells that lie in rows of their own (DSP blocks, block RAM), chosen before logic is placed.

nextpnr's analytic placer begins with all cells at one point, since little but three pins holds them, and moves each
macro from there to the nearest free site: in a device that is nearly full those of one stage end up far apart, and the
logic between them is stretched. Here macros are given sites first, those of a stage beside each other and stages that
exchange data side by side; nextpnr then places the logic around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .annealing import Annealing, Cost
from .macro_groups import GroupCost, groups_of, pins
from .macro_wires import WireCost, couplings

_MOST_OF_ONE = 0.5  # of all macros, in one group: then it is no design of stages, and wires count instead of groups


@dataclass(frozen=True)
class Site:
    """A place for a macro: nextpnr's name, column and row."""

    name: str
    x: int
    y: int


def macro_places(
    netlist: Mapping[str, Any],
    top: str,
    sites: Mapping[str, Sequence[Site]],
    seed: int,
    doing: Callable[[str], None] = lambda text: None,
) -> dict[str, str]:
    """Cell → site of all macros of a flat netlist, by simulated annealing.

    A group are the macros of one instance of the design (:func:`~mbconv.fpga.flow.stages.stage_of`); instances without
    any count as part of the group that they share most nets with. What is made small is distance within groups, and
    between those that share nets (:mod:`.macro_groups`).

    Of a design that is one instance in the main, as an engine is, groups say nothing: there places follow from the
    wires between single macros (:mod:`.macro_wires`).

    Args:
        netlist: Yosys' JSON.
        sites: of each type of cell that is a macro.
        seed: another gives other places.
        doing: called with how far it is.

    Raises:
        ValueError: there are more macros of a type than sites.
    """
    cells = {name: cell for name, cell in netlist["modules"][top]["cells"].items() if cell["type"] != "$scopeinfo"}
    macros = [name for name, cell in cells.items() if cell["type"] in sites]
    for kind, places in sites.items():
        if (count := sum(cells[name]["type"] == kind for name in macros)) > len(places):
            raise ValueError(f"there are {count} {kind} for {len(places)} sites")
    if not macros:
        return {}
    groups, between = groups_of(cells, macros)
    cost: Cost
    if max(Counter(groups).values()) > _MOST_OF_ONE * len(macros):
        cost = WireCost(couplings(cells, macros))
    else:
        cost = GroupCost([pins(cells[name]) for name in macros], groups, between)
    kinds = [cells[name]["type"] for name in macros]
    positions = {kind: [(place.x, place.y) for place in places] for kind, places in sites.items()}
    annealing = Annealing(kinds, positions, cost, seed)
    annealing.run(doing)
    return {name: sites[kind][site].name for name, kind, site in zip(macros, kinds, annealing.site, strict=True)}
