"""What to say where place and route does not take a design: which stages are largest, and what would be smaller."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.board_plan import design_cost
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.planning.resources import Resources
from mbconv.generators.stages.network import build_network
from mbconv.hdl.cost import Cost

from ..family import Part
from .stages import stage_of
from .tools import ToolError

_LARGEST = 3
_PLANS = 12
"""So many smaller plans are looked at."""
_PIN = re.compile(r"\bpin\b", re.IGNORECASE)
_SMALLER = 0.9
"""Of the tables of a design that did not fit, what a smaller one may need by the same estimate."""


@contextmanager
def explaining(
    design: Design, part: Part, folder: Path, count: Callable[[Design], Cost] = design_cost
) -> Iterator[None]:
    """Raise a tool's failure in the block with what a user can do about it; as it is where no netlist was made yet.
    What names a pin is no matter of size.

    Args:
        folder: of the netlist.
        count: what a design takes, alone or with a board's link.
    """
    netlist = folder / "netlist.json"
    try:
        yield
    except ToolError as error:
        if not (folder / "synthesis.done").exists():
            raise
        if _PIN.search(str(error)):  # no size of the design is the matter
            raise ToolError(f"{error}\nthe pins are the board's, with those of --uart in place of its UART's") from None
        raise ToolError(f"{error}\n{_advice(design, part, netlist, count)}") from None


@contextmanager
def explaining_engine(part: Part, folder: Path) -> Iterator[None]:
    """The same for an engine."""
    try:
        yield
    except ToolError as error:
        if not (folder / "synthesis.done").exists():
            raise
        raise ToolError(
            f"{error}\nof {part.device} fewer map_words, weight_words, constant_words, tables or instructions take "
            "less block RAM, fewer channels, pixels or requantizers less of the rest"
        ) from None


def _advice(design: Design, part: Part, netlist: Path, count: Callable[[Design], Cost]) -> str:
    lines = [f"largest stages: {largest_stages(netlist)}"]
    smaller = next_smaller(design, part, count)
    lines.append(
        f"the next smaller plan that should fit: --multipliers {smaller.multipliers}, {smaller.plan.interval:,} cycles "
        f"a frame in place of {design.plan.interval:,}"
        if smaller is not None
        else "no smaller plan was found: fewer layers (--layers) or a larger device take it"
    )
    return "\n".join(lines)


def largest_stages(netlist: Path) -> str:
    """The stages with the most cells in a netlist, in words."""
    modules = json.loads(netlist.read_text(encoding="utf-8"))["modules"].values()
    top = max(modules, key=lambda module: len(module["cells"]))
    cells = Counter(stage_of(f"{name}.") for name, cell in top["cells"].items() if not cell["type"].startswith("$"))
    return ", ".join(f"{stage} ({count:,} cells)" for stage, count in cells.most_common(_LARGEST))


def next_smaller(design: Design, part: Part, count: Callable[[Design], Cost] = design_cost) -> Design | None:
    """The plan of most multipliers below a design's that needs clearly fewer tables and not more block RAM than there
    is."""
    device, network = part.resources, build_network(design.graph)
    limit = min(Resources(count(design), device).luts * _SMALLER, device.fillable_luts)
    multipliers = design.multipliers
    for _ in range(_PLANS):
        try:
            plan = plan_for_multipliers(network, multipliers - 1, sharing=False)
        except GraphError:
            return None
        found = make_design(design.graph, plan=plan, family=device.circuits)
        needed = Resources(count(found), device)
        if needed.luts <= limit and needed.block_rams <= device.block_rams:
            return found
        multipliers = min(found.multipliers, multipliers - 1)
    return None
