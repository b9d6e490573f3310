"""What a stage may cost: the foldings worth having, from the slowest to the fastest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stages.folded import FoldedCircuit
from ..stages.network import Network, Node
from .folding import Folding


@dataclass(frozen=True)
class Choice:
    """A folding and the cycles that it makes of a frame."""

    cycles: int
    folding: Folding

    @property
    def multipliers(self) -> int:
        return self.folding.multipliers


def stage_choices(
    network: Network,
    node: Node,
    circuit: FoldedCircuit,
    limit: int,
    most: int,
    lanes: tuple[int, int],
) -> list[Choice]:
    """A stage's foldings that have the fewest multipliers for their cycles, slowest first.

    Args:
        limit: cycles that it may take at most.
        most: multipliers that it may have.
        lanes: of the streams at its ends.
    """
    lanes_in, lanes_out = lanes[0], np.array([lanes[1]])
    found: list[Choice] = []
    while True:
        column = circuit.cheapest(network, node, limit, lanes_in, lanes_out, sharing=False)[:, 0]
        folding = Folding(*column.tolist())
        if not 0 < folding.multipliers <= most:
            return found
        choice = Choice(circuit.cycles(network, node, folding, {}), folding)
        if found and found[-1].multipliers == choice.multipliers:
            found.pop()
        found.append(choice)
        limit = choice.cycles - 1
