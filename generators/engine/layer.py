"""An instruction in the making: its fields but for addresses, its weights, its constants, its tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .requantize import EngineRequantization


@dataclass(frozen=True)
class Part:
    """What an instruction writes of a map that others write, too: rows, columns, words of a pixel."""

    rows: range
    columns: range
    groups: range


@dataclass(frozen=True, eq=False)
class Layer:
    """An instruction before addresses are known.

    Attributes:
        values: its fields, but for those that are addresses.
        reads: tensors, the one that ``source`` is of first; writes: a tensor.
        before: words by which the first window's first tap lies before the source's first word.
        weights: int64 ``[words][channels]``.
        constants: one word for each channel of each group, or a single one.
        tables: of the first and the second operand, 256 entries each.
        lanes: columns and rows of pixels that a DEPTHWISE computes at once, at most; ``values`` are those of one.
        rows: of the map that it writes, where it can be computed some rows at a time; else 0.
        kept: its weights stay in the memory, and instructions write them.
        behind: words by which its first result lies behind the destination's first word.
        part: what it writes, where that is not the whole map.
        target: of an instruction that writes weights: the first word, from that of the layer of the same name on.
    """

    name: str
    values: dict[str, int]
    reads: tuple[int, ...]
    writes: int | None
    before: int = 0
    weights: np.ndarray | None = None
    constants: list[int] = field(default_factory=list)
    tables: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    macs: int = 0
    requantization: EngineRequantization | None = None
    lanes: tuple[int, int] | None = None
    rows: int = 0
    kept: bool = False
    target: int = 0
    behind: int = 0
    part: Part | None = None
