"""Memories cut into block RAMs: every word in one segment, each segment at a multiple of its depth."""

import pytest

from mbconv.fpga.families import find_part
from mbconv.generators.planning.tiling import tile

DEVICES = ("LFE5U-85F", "iCE40UP5K", "GW2A-18", "LIFCL-40")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("width", "depth"), [(8, 65_537), (8, 94_080), (16, 70_000), (8, 200_704), (3, 513)])
def test_segments_hold_all_words(device, width, depth):
    """Also of more than 65,536 words: maps that wait whole, as squeeze-excite makes them."""
    block = find_part(device).resources.block_ram
    segments = tile(block.shapes, width, depth)
    start = 0
    for segment in segments:
        assert segment.start == start and start % segment.capacity == 0
        assert 0 < segment.depth <= segment.capacity and segment.blocks * segment.bits >= width
        start += segment.depth
    assert start == depth
    assert sum(segment.blocks for segment in segments) == block.blocks(width, depth)
