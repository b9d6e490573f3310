"""A plan: every stage's folding and every stream's lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..graph.shown import Shown
from .folding import Folding

if TYPE_CHECKING:
    from ..stages.network import Node


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """Foldings by operator index, lanes by tensor index, and the target they were chosen for.

    ``interval`` is the slowest stage's cycles for a frame: the network's initiation interval. ``budget`` is the number
    of multipliers allowed, None where the target was an interval. ``for_latency``: for a lone frame, so that what may
    take as long as the slowest stage (windows, products, the edges) is as fast as its folding and lanes are.
    """

    foldings: dict[int, Folding]
    lanes: dict[int, int]
    interval: int
    budget: int | None
    for_latency: bool = False

    def shown(self) -> dict[str, object]:
        return {"of stages": len(self.foldings), "multipliers": self.multipliers, "interval": self.interval}

    def to_dict(self) -> dict[str, Any]:
        """Foldings by operator and lanes by tensor, as plain numbers; a plan's file has their names as well."""
        return {
            "interval_cycles": self.interval,
            "budget": self.budget,
            "for_latency": self.for_latency,
            "multipliers": self.multipliers,
            "foldings": {str(op): folding.fields() for op, folding in self.foldings.items()},
            "lanes": {str(tensor): lanes for tensor, lanes in self.lanes.items()},
        }

    def folding(self, node: Node) -> Folding | None:
        """That of a node; None where its circuit has none."""
        return self.foldings[node.operator.index] if node.circuit.FOLDED else None

    @property
    def multipliers(self) -> int:
        return sum(folding.multipliers for folding in self.foldings.values())
