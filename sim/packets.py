"""Frames at the AXI4-Stream ports of a design: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mbconv.generators.design import Design
from mbconv.hdl.axi_stream_top import AxiStreamEdge
from mbconv.sim import golden

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


def packet(edge: AxiStreamEdge, elements: np.ndarray) -> bytes:
    """A frame's packet: one byte an element, or two (little endian), in NHWC order without padding."""
    kind = "<i1" if edge.frame.element_bytes == 1 else "<i2"
    return elements.reshape(-1).astype(np.int64).astype(kind).tobytes()
