"""The order of a program's pieces: one frame's, or where it is cut, its last ones among the first of the next."""

from __future__ import annotations

from collections.abc import Iterable

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.latencies import Latencies
from mbconv.hdl.engine.weight_port import TILE_WORDS

from ..graph.graph import GraphError
from .kept import Kept
from .layer import Layer
from .layers import Lowering
from .memory_timing import MemoryTiming
from .overlap import crossing, merge
from .segments import Piece, Placed, Stretch

_WORTHWHILE = 0.99
"""Of the cycles of a frame; two are computed at once where they take less, as each then takes longer to its end."""

_NEAR, _TRIED = 1.1, 5
"""Of the cycles of the best cut, by a count that leaves out what its maps take beside others: of so near ones about so
many are counted whole, then some between the best of them and the next on either side; where none of them has room for
its maps, the next best one that has."""


def _best(found: Iterable[tuple[int, int, Placed] | None]) -> tuple[int, int, Placed]:
    """The one of fewest cycles."""
    return min((one for one in found if one is not None), key=lambda one: one[:2])


class Ordered(Kept):
    """What is kept, and the pieces in their order.

    Attributes:
        order: pieces, each with whether it is late.
    """

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies, timing: MemoryTiming | None) -> None:
        super().__init__(lowering, layers, engine, timing)
        pieces = [piece for segment in self.placed.segments for piece in segment.pieces]
        self.order = self._overlapped() or [(piece, False) for piece in pieces]

    def _overlapped(self) -> list[tuple[Piece, bool]]:
        """Pieces of two frames in one order, the late ones with True, and END; none where that saves nothing."""
        whole = self.placed
        room = self.parameters.weight_words - self.ring
        if not (self.parameters.overlaps and self.streams) or room < TILE_WORDS:
            return []
        works = self._works(self.resident)
        least = _WORTHWHILE * merge(works, [], len(works), room, self._word_cycles).cycles
        roughly = {cut: self._merged(cut, works, self.resident).cycles for cut in self._cuts()}
        near = [cut for cut, cycles in roughly.items() if cycles <= min(least, _NEAR * min(roughly.values()))]
        apart = max(1, len(near) // _TRIED)
        found: dict[int, tuple[int, int, Placed] | None] = {cut: self._counted(cut) for cut in near[::apart]}
        for cut in sorted(set(roughly) - set(found), key=roughly.__getitem__):
            if any(found.values()) or roughly[cut] > least:
                break
            found[cut] = self._counted(cut)
        while apart > 1 and any(found.values()):  # on either side of the best of them, ever nearer
            apart = -(-apart // 2)
            best = _best(found.values())[1]
            place = near.index(best) if best in near else 0
            for cut in near[max(0, place - apart) : place + apart + 1 : apart]:
                if cut not in found:
                    found[cut] = self._counted(cut)
        cycles, self.cut, self.placed = _best(found.values()) if any(found.values()) else (0, 0, whole)
        self._keep()
        if not self.cut or cycles > least:
            return []
        self.layers.append(Layer("end", {"operation": Operation.END}, (), None))
        order = self._merged(self.cut, self._works(self.resident), self.resident).order
        return [*order, (Piece(len(self.layers) - 1, 0, 0), False)]

    def _counted(self, cut: int) -> tuple[int, int, Placed] | None:
        """Roughly the cycles of a frame that is cut there, the cut and the maps; None where these do not fit, or too
        little is left of the ring."""
        try:
            self.cut, self.placed = cut, self._apart(cut)
        except GraphError:
            return None
        self._keep()
        if self.parameters.weight_words - self.ring < TILE_WORDS:
            return None
        return self._merged(cut, self._works(self.resident), self.resident).cycles, cut, self.placed

    def _apart(self, cut: int) -> Placed:
        """Early and late layers, arranged apart."""
        late = self._arranged(Stretch(cut, len(self.layers)))
        early = self._arranged(Stretch(0, cut, crossing(self.layers, cut), late.words))
        return Placed(
            (*early.segments, *late.segments),
            early.areas | late.areas,
            early.addresses | late.addresses,
            max(early.words, late.words),
        )
