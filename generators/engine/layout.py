"""Where maps lie in the engine's memory."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph.graph import GraphError, Tensor


@dataclass(frozen=True)
class StoredMap:
    """A tensor in the map memory: pixel after pixel in raster order, the channels of a pixel in words of their own.

    Elements are int8; those of uint8 are stored less 128.
    """

    tensor: Tensor
    channels_of_word: int

    @property
    def words_of_pixel(self) -> int:
        return -(-self.tensor.channels // self.channels_of_word)

    @property
    def words(self) -> int:
        return self.tensor.pixels * self.words_of_pixel

    @property
    def offset(self) -> int:
        """What is taken from an element when it is stored."""
        return 0 if self.tensor.element.signed else 128

    @property
    def zero_point(self) -> int:
        return self.tensor.zero_point - self.offset


@dataclass(frozen=True)
class Lifetime:
    """A map, the instruction that writes it and the last that reads it."""

    map: StoredMap
    written: int
    read: int


def place(lifetimes: list[Lifetime], words: int, names: dict[int, str]) -> dict[int, int]:
    """An address for each map: the lowest that is free for as long as it is needed, the largest maps first.

    Args:
        words: of the memory.
        names: of the instructions, for the message.

    Raises:
        GraphError: they do not fit; the message names the instruction that needs most, and how much.
    """
    placed: list[tuple[int, Lifetime]] = []
    for life in sorted(lifetimes, key=lambda life: (-life.map.words, life.written)):
        address = 0
        for other_address, other in sorted(placed, key=lambda item: item[0]):
            apart = other.read < life.written or life.read < other.written
            if not apart and other_address < address + life.map.words:
                address = max(address, other_address + other.map.words)
        placed.append((address, life))
    end = max((address + life.map.words for address, life in placed), default=0)
    if end > words:
        size = lifetimes[0].map.channels_of_word
        live = {
            time: sum(life.map.words for life in lifetimes if life.written <= time <= life.read)
            for time in range(max(life.read for life in lifetimes) + 1)
        }
        worst = max(live, key=lambda time: live[time])
        raise GraphError(
            f"the maps need {end:,} words of {size} channels ({end * size:,} bytes), the engine has map_words = "
            f"{words:,} ({words * size:,} bytes); most are needed by {names[worst]}, whose maps and "
            f"those kept beside them take {live[worst]:,} words"
        )
    return {life.map.tensor.index: address for address, life in placed}
