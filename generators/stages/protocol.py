"""What planner, schedule, design and reports ask of the circuit in the place of an operator: the stage protocol.

A circuit is one file of this folder, which holds its event model and, as ``CIRCUIT``, one object of a subclass of
:class:`StageCircuit`. Whoever plans, counts, builds or reports asks that object; nobody compares its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from amaranth.hdl import Shape

from mbconv.hdl.family import GENERIC, Family

from .element_shape import element_shape
from .stage import Stage

if TYPE_CHECKING:
    from ..planning.folding import Folding
    from ..planning.plan import Plan
    from .network import Network, Node, StreamShape


def input_raster(network: Network, node: Node) -> StreamShape:
    """Rows, columns and channels of a node's first input as it reads them, which a RESHAPE may have changed."""
    return node.raster or network.shapes[node.inputs[0]]


@dataclass(frozen=True, eq=False)
class Site:
    """Where a circuit stands: its node within a planned network, and the family of FPGAs that it is made for.

    Attributes:
        known: the circuit's :attr:`constants`, where they were found before.
    """

    network: Network
    node: Node
    plan: Plan
    family: Family = GENERIC
    known: Any = None

    @cached_property
    def constants(self) -> Any:
        """What the circuit's :meth:`StageCircuit.constants` finds."""
        return self.node.circuit.constants(self) if self.known is None else self.known

    @property
    def folding(self) -> Folding:
        return self.plan.foldings[self.node.operator.index]

    @property
    def lanes_in(self) -> int:
        """Lanes of the first input."""
        return self.plan.lanes[self.node.inputs[0]]

    @property
    def lanes_out(self) -> int:
        return self.plan.lanes[self.node.output]

    @property
    def input_shape(self) -> StreamShape:
        return input_raster(self.network, self.node)

    @property
    def output_shape(self) -> StreamShape:
        return self.network.shapes[self.node.output]

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The elements of the inputs and of the output."""
        tensors = (*self.node.inputs, self.node.output)
        return tuple(element_shape(self.network.tensor(tensor).element) for tensor in tensors)

    @property
    def cycles(self) -> int:
        """Cycles that the circuit's busiest resource needs for a frame."""
        node = self.node
        return node.circuit.cycles(self.network, node, self.plan.folding(node), self.plan.lanes)

    @property
    def pace(self) -> int:
        """Cycles that a circuit which could be faster than its plan needs may take for a frame."""
        return self.cycles if self.plan.for_latency else self.plan.interval


class StageCircuit(ABC):
    """A circuit that computes nodes of a network.

    Attributes:
        KIND: its name, in the names of stages and in reports; that of its file.
        FOLDED: whether a plan chooses a folding for it, as :class:`~mbconv.generators.stages.folded.FoldedCircuit` has.
        FOR_INTERVAL: whether it is made for its site's pace as well, not only for its folding and lanes.
        REASON: why there is a queue in front of it, where there is one.
    """

    KIND: ClassVar[str]
    FOLDED: ClassVar[bool] = False
    FOR_INTERVAL: ClassVar[bool] = False
    REASON: ClassVar[str] = "burst of the stage before it, worked off between bursts"

    def coupled(self, network: Network, node: Node) -> tuple[tuple[int, ...], ...]:
        """Groups of its tensors whose streams need the same number of lanes: all of them, unless it has gearboxes."""
        return ((*node.inputs, node.output),)

    @abstractmethod
    def cycles(self, network: Network, node: Node, folding: Folding | None, lanes: Mapping[int, int]) -> int:
        """Cycles that its busiest resource needs for a frame."""

    def constants(self, site: Site) -> Any:
        """What takes long to find for a site, such as an exact requantisation: :meth:`build` takes it from
        ``site.constants``. A network's are found by several processes at once, so they must be picklable; None where
        there are none.

        Raises:
            GraphError: no circuit is exact.
        """
        return None

    @abstractmethod
    def build(self, site: Site) -> Stage:
        """The circuit, its event model and the words of its periodic streams; a window, if it has one, in the least
        size that works (:class:`~mbconv.generators.stages.stage.WindowSize` says how it grows).

        Raises:
            GraphError: no circuit is exact.
        """

    def check(self, site: Site) -> None:
        """Find everything that no circuit computes exactly, whatever the plan; asked before anything is planned.

        Raises:
            GraphError: there is something.
        """
        self.build(site)

    def reason(self, node: Node, position: int) -> str:
        """Why there is a queue in front of one of its inputs."""
        return self.REASON
