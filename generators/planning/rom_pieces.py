"""Which memories of requantisation words are read in pieces, so that a design leaves block RAM free.

A block RAM is wide and shallow: 45 bits of 128 channels take two of 36 × 512. A stage that wants a word every other
cycle or less often can read it as halves, from one. That costs registers of a piece, so it is done only where a design
would fill more of a device's block RAM than place and route take well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mbconv.hdl.cost import MemoryCost

from ..stages.stage import Stage
from .device import Device
from .resources import block_rams

FULL = 0.9
"""Of a device's block RAMs: designs beyond it get pieces."""

MOST_PIECES = 4
PORT = "requantization"


def with_rom_pieces(stages: Mapping[str, Stage], queues: Iterable[MemoryCost], device: Device) -> dict[str, Stage]:
    """Stages whose requantisation words are read in pieces wherever that saves a block, if block RAM is short."""
    needed = block_rams(queues, device)
    needed += sum(block_rams(stage.cost(device.circuits).memories, device) for stage in stages.values())
    if needed <= FULL * device.block_rams:
        return dict(stages)
    return {name: stage.with_rom_pieces({PORT: pieces_of(stage, device)}) for name, stage in stages.items()}


def pieces_of(stage: Stage, device: Device) -> int:
    """The fewest pieces of a stage's requantisation words with the fewest block RAMs.

    A bias that sums begin with is wanted long before the rest of its word, and at any time: such words stay whole.
    """
    if stage.mac is None or stage.mac.biased or PORT not in stage.sources:
        return 1
    width, words = stage.mac.format.word_bits * stage.mac.lanes, len(stage.sources[PORT])
    return min(
        range(1, min(stage.mac.interval or 1, MOST_PIECES) + 1),
        key=lambda pieces: block_rams([MemoryCost(-(-width // pieces), pieces * words, constant=True)], device),
    )
