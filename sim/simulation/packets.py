"""A design at its AXI4-Stream ports: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mbconv.generators.emission.design import Design
from mbconv.hdl.axi_stream_input import COUNTER_BITS

from ..golden import model as golden
from .axi_frames import frame_payloads
from .run_design import DesignPort, DesignSource

Frame = Mapping[int, np.ndarray]
"""The values of a design's inputs by tensor index."""


def input_raster(design: Design, port: str, frame: Frame) -> np.ndarray:
    """An input's elements ``[pixels, channels]`` in the order of its port: behind a dissolved TRANSPOSE, that of its
    result."""
    index = int(port[1:])
    values, inside = np.asarray(frame[index]), design.network.inputs[index]
    if inside != index:
        transpose = next(op for op in design.graph if op.outputs == (inside,))
        values = values.transpose(transpose.permutation)
    return values.reshape(-1, design.inputs[port].channels)


def expected_outputs(design: Design, frames: Sequence[Frame]) -> dict[str, np.ndarray]:
    """The golden model's elements ``int64 [frames, pixels, channels]`` at each output port of the design's core."""
    answers = [golden.run(design.graph, frame) for frame in frames]
    return {
        port: np.stack([answer[int(port[1:])].reshape(edge.pixels, edge.channels) for answer in answers]).astype(
            np.int64
        )
        for port, edge in design.outputs.items()
    }


def input_payloads(design: Design, frames: Sequence[Frame]) -> dict[str, list[int]]:
    """The beats of all frames at each input."""
    return {
        edge.name: [beat for frame in frames for beat in frame_payloads(edge, input_raster(design, port, frame))]
        for port, edge in design.inputs.items()
    }


def output_beats(design: Design, frames: int) -> dict[str, int]:
    """How many beats come out at each output."""
    return {edge.name: edge.frame.beats * frames for edge in design.outputs.values()}


def patience_of(design: Design) -> int:
    """Cycles without a beat at any port that no design needs, under any of the bench's stalls."""
    return 2 * max(design.schedule.interval, design.schedule.latency) + 100_000


def design_source(
    design: Design, verilog: Mapping[str, str], memory_files: Mapping[str, str], top: str
) -> DesignSource:
    """Verilog of a design, or what claims to be one, with the design's ports."""
    ports = [DesignPort.axi_stream(edge.name, True, 8 * edge.data_bytes) for edge in design.inputs.values()]
    ports += [DesignPort.axi_stream(edge.name, False, 8 * edge.data_bytes, 1) for edge in design.outputs.values()]
    status = [name for name in design.top().signature.members if name.endswith(("short_frames", "long_frames"))]
    return DesignSource(
        verilog,
        memory_files,
        top,
        ports,
        dict.fromkeys(status, COUNTER_BITS),
        clock="aclk",
        reset="aresetn",
        reset_active_low=True,
    )
