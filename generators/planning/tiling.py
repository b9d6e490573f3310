"""How a memory is cut into block RAMs: which aspect ratio, and where several follow each other in depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

MOST_PARTS = 4
"""One table selects from so many."""

Aspects = tuple[tuple[int, int], ...]
"""Bits and words of each shape that a block RAM can have."""


@dataclass(frozen=True)
class Segment:
    """Words ``start`` … ``start + depth − 1`` of a memory: ``blocks`` block RAMs side by side, of ``bits`` bits and
    ``capacity`` words each."""

    start: int
    depth: int
    bits: int
    capacity: int
    blocks: int


@cache
def tile(aspects: Aspects, width: int, depth: int) -> tuple[Segment, ...]:
    """The segments of a memory of ``depth`` words, deepest first, every one but the last full: those of fewest block
    RAMs, and among them the fewest segments.

    Up to :data:`MOST_PARTS` segments are of any shapes; a memory too deep for these
    is of one shape.
    """
    shapes = tuple((words, bits) for bits, words in aspects)
    best: tuple[int, tuple[tuple[int, int], ...]] | None = None
    for count in range(1, MOST_PARTS + 1):
        for chosen in combinations_with_replacement(sorted(shapes, reverse=True), count):
            rest = depth - sum(words for words, _ in chosen[:-1])
            if rest < 1 or rest > chosen[-1][0]:  # what is left for the last one is at least one word
                continue
            blocks = sum(-(-width // bits) for _, bits in chosen)
            if best is None or blocks < best[0]:
                best = blocks, chosen
    if best is None:
        words, bits = min(shapes, key=lambda shape: (-(-width // shape[1]) * -(-depth // shape[0]), -shape[0]))
        best = 0, ((words, bits),) * -(-depth // words)
    segments, start = [], 0
    for words, bits in best[1]:
        segments.append(Segment(start, min(words, depth - start), bits, words, -(-width // bits)))
        start += words
    return tuple(segments)
