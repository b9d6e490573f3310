"""Several AXI4-Streams as one: packets of any lengths in turn, a beat each cycle, under all stalls."""

import numpy as np
import pytest
from amaranth.hdl import signed
from axi_packets import frame_beats

from mbconv.hdl.axi_stream import AxiFrame
from mbconv.hdl.axi_stream_merge import AxiStreamMerge
from mbconv.sim.circuits.testbench import Case, Payloads, run_cases

FRAMES = 3


def merge_case(data_bytes: int, *sizes: int) -> Case:
    """Packets of so many elements at each input, marked bad in every third frame."""
    rng = np.random.default_rng([data_bytes, *sizes])
    frames = [AxiFrame(signed(8), size, 1, data_bytes) for size in sizes]
    given = [[] for _ in sizes]
    merged = []
    for number in range(FRAMES):
        for place, frame in enumerate(frames):
            beats = frame_beats(rng.integers(-128, 128, (1, frame.elements)), frame, user=int(number % 3 == 1))
            given[place] += beats
            merged += beats
    return Case(
        f"{sizes} at {data_bytes} bytes",
        AxiStreamMerge(len(sizes), data_bytes),
        {f"i{place}": Payloads(beats) for place, beats in enumerate(given)},
        {"o": Payloads(merged)},
        FRAMES,
        interval=sum(frame.beats for frame in frames),
        latency=sum(frame.beats for frame in frames) - 1,
    )


def test_packets_leave_in_turn():
    run_cases([merge_case(1, 5, 3), merge_case(4, 9, 1, 30), merge_case(2, 1, 1), merge_case(1, 4, 7, 2, 2, 1)])


def test_what_is_no_merging():
    with pytest.raises(ValueError, match="two streams or more are merged, not 1"):
        AxiStreamMerge(1, 4)
