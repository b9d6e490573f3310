"""The built-in network behind its AXI4-Stream edges, driven by cocotbext-axi's source and sink: random pauses, packets
too short, too long and empty, reset in mid-frame; and the whole network under stalls at both ends."""

import numpy as np
from axi_packets import packet_bytes
from test_hdl_axi_stream_top import check_frame, drive, packet_frame, run

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.models import load
from mbconv.sim.circuits.testbench_case import BURSTS, HALF, LONG_STALLS, RARELY
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation.simulate import simulate


def test_wrong_packets_pauses_and_reset(tmp_path):
    graph = load("digits")
    design = make_design(graph, multipliers=16)
    (source,), (sink,) = design.inputs.values(), design.outputs.values()
    (entering,), (leaving,) = graph.inputs, design.network.outputs
    lengths = (64, 63, 64, 0, 64, 70, 1, 64)  # elements; 64 are right
    rng = np.random.default_rng(5)
    elements = [rng.integers(-128, 128, length) for length in lengths]
    packets = {source.name: [packet_bytes(given, source.frame) for given in elements]}
    runs = [
        run(packets, len(lengths)),
        run(packets, len(lengths), source_pause=0.5, sink_pause=0.5, seed=2),
        run(packets, len(lengths), patient=True, reset_after=9_000, reset_cycles=1),
    ]
    for result in drive(design.top(), runs, tmp_path):
        assert result["status"] == {"short_frames": 3, "long_frames": 1}
        for got, given in zip(result["received"][sink.name], elements, strict=True):
            tensor = graph.tensors[entering]
            frame = packet_frame(source, given).astype(tensor.element.dtype).reshape(tensor.shape)
            expected = golden.run(graph, {entering: frame})[leaving]
            check_frame(got, sink, expected, len(given) != 64)


def test_stalls_change_no_result():
    graph = load("digits")
    design = make_design(graph, multipliers=16)
    frames = random_frames(graph, 4, seed=6)
    for source, sink, reset_after in (
        (HALF, HALF, None),
        (RARELY, BURSTS, None),
        (BURSTS, LONG_STALLS, 6_001),
    ):
        result = simulate(design, frames, source=source, sink=sink, seed=7, reset_after=reset_after)
        assert result.mismatches == 0, result.first_mismatch
