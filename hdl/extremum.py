"""The greater or the smaller of two tensors, element by element, of which one may be repeated."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal, Value

from .cost import Cost
from .elementwise import Elementwise
from .family import GENERIC, Family
from .operand import Operand


class Extremum(Elementwise):
    """Each lane's greater element of two, or the smaller one: of the integers as they are.

    ::

        first  ─►┌─────────┐   ┌───────┐
                 │ compare ├──►│ queue ├──► o
        second ─►└─────────┘   └───────┘

    Latency: the operands' (:class:`~mbconv.hdl.elementwise.Elementwise`), 1, and the queue's. Cycles per frame: its
    beats. Cost: no multiplier; a comparison and a selection for each lane; ``memory_bits`` of operands and queue.

    Args:
        first, second: operands of equal lanes and elements, which are the output's too.
        greatest: the greater of the two, else the smaller.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        first, second: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: operands of different elements.
    """

    def __init__(
        self,
        first: Operand,
        second: Operand,
        greatest: bool,
        *,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        if first.shape != second.shape:
            raise ValueError(f"elements of {first.shape!r} and {second.shape!r} are not compared")
        self.greatest = greatest
        super().__init__(
            {"first": first, "second": second}, first.shape, first.lanes, 1, queue_depth=queue_depth, family=family
        )

    @property
    def own_cost(self) -> Cost:
        """A comparison and a selection for each lane."""
        return Cost(2 * self.lanes * self.shape.width)

    def datapath(self, m: Module, taken: Value, first: Value, second: Value) -> Sequence[Value]:
        results = []
        for lane in range(self.lanes):
            chosen = Signal(self.shape, name=f"chosen_{lane}", reset_less=True)
            takes_first = first[lane] > second[lane] if self.greatest else first[lane] < second[lane]
            m.d.sync += chosen.eq(Mux(takes_first, first[lane], second[lane]))
            results.append(chosen)
        return results
