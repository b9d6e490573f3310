"""A map enlarged by whole factors, each pixel repeated in both directions."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, ShapeLike, Signal, Value

from .cost import NOTHING
from .elementwise import Elementwise
from .family import GENERIC, Family
from .operand import Broadcast, Operand


class ResizeNearest(Elementwise):
    """Each pixel as many times as the factor across, each row as many times as the factor down.

    ::

        i ─►│ Operand ├──►┌───────┐
              one row     │ queue ├──► o
                          └───────┘

    A row is kept where rows are repeated, else a pixel. A beat is taken with its first use, so a row's last repetition
    is given without waiting for the next row. Latency: the memory's where several beats are kept, 1 and the queue's.
    Cycles per frame: its output's beats. Cost: no multiplier; ``memory_bits`` of the kept beats and of the queue.

    Args:
        shape: of an element.
        lanes: of both streams.
        raster: rows, columns and beats of a pixel of the map.
        factors: down and across, at least 1.
        queue_depth: as of :class:`~mbconv.hdl.elementwise.Elementwise`.

    Members:
        i: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: a factor, an extent or a number of lanes below 1.
    """

    own_cost = NOTHING

    def __init__(
        self,
        shape: ShapeLike,
        lanes: int,
        raster: tuple[int, int, int],
        factors: tuple[int, int],
        *,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        rows, columns, beats = raster
        down, across = factors
        broadcast = Broadcast(((rows, False), (down, True), (columns, False), (across, True), (beats, False)))
        operand = Operand(shape, lanes, broadcast, family=family)
        super().__init__({"i": operand}, shape, lanes, 1, queue_depth=queue_depth, family=family)

    def datapath(self, m: Module, taken: Value, x: Value) -> Sequence[Value]:
        again = Signal(x.shape(), reset_less=True)
        m.d.sync += again.eq(x)
        return [again[lane] for lane in range(self.lanes)]
