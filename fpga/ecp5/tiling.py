"""How a memory is cut into ECP5 block RAMs: which aspect ratio, and where several follow each other in depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

from mbconv.generators.planning.resources import LARGEST_DISTRIBUTED  # docs/fpga.md says why

ASPECTS = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Words and bits of a DP16KD (FPGA-TN-02204, memory usage guide)."""

MOST_SEGMENTS = 4  # what one level of tables can select from


@dataclass(frozen=True)
class Segment:
    """Words ``start`` … ``start + depth − 1`` of a memory: ``blocks`` block RAMs side by side, or tables
    (``bits`` = 0)."""

    start: int
    depth: int
    bits: int
    blocks: int

    @property
    def capacity(self) -> int:
        """Words that a block of this aspect ratio holds."""
        return next(words for words, bits in ASPECTS if bits == self.bits)


@cache
def tile(width: int, depth: int, distributed: int = LARGEST_DISTRIBUTED) -> tuple[Segment, ...]:
    """The segments of fewest block RAMs, and among those the fewest segments, of a memory of ``depth`` words.

    Raises:
        ValueError: more than 65,536 words, which no four segments hold.
    """
    if depth <= distributed:
        return (Segment(0, depth, 0, 0),)
    best = None
    for count in range(1, MOST_SEGMENTS + 1):
        for aspects in combinations_with_replacement(ASPECTS, count):
            # Deepest first; what is left for the last one must be at least one word.
            ordered = sorted(aspects, reverse=True)
            rest = depth - sum(words for words, _ in ordered[:-1])
            if rest < 1 or rest > ordered[-1][0]:
                continue
            blocks = sum(-(-width // bits) for _, bits in ordered)
            if best is None or blocks < best[0]:
                best = (blocks, ordered)
    if best is None:
        raise ValueError(
            f"a memory of {depth} words is deeper than the {MOST_SEGMENTS * ASPECTS[-1][0]} that block RAM is tiled for"
        )
    segments, start = [], 0
    for words, bits in best[1]:
        size = min(words, depth - start)
        segments.append(Segment(start, size, bits, -(-width // bits)))
        start += size
    return tuple(segments)
