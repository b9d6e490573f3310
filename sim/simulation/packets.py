"""A design at its AXI4-Stream ports: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mbconv.generators.emission.bundle import Bundle
from mbconv.generators.graph.graph import Graph

from ..golden import model as golden
from .axi_frames import frame_payloads
from .description import Description, PortDescription
from .design_source import DesignPort, DesignSource, MonitorPoint

Frame = Mapping[int, np.ndarray]
"""The values of a design's inputs by tensor index."""


def input_raster(port: PortDescription, frame: Frame) -> np.ndarray:
    """An input's elements ``[pixels, channels]`` in the order of its port: behind a dissolved TRANSPOSE, that of its
    result."""
    values = np.asarray(frame[port.tensor])
    if port.permutation is not None:
        values = values.transpose(port.permutation)
    return values.reshape(-1, port.channels)


def expected_outputs(description: Description, graph: Graph, frames: Sequence[Frame]) -> dict[int, np.ndarray]:
    """The golden model's elements ``int64 [frames, pixels, channels]`` of each output tensor."""
    answers = [golden.run(graph, frame) for frame in frames]
    return {
        port.tensor: np.stack([answer[port.tensor].reshape(port.pixels, port.channels) for answer in answers]).astype(
            np.int64
        )
        for port in description.outputs
    }


def input_payloads(description: Description, frames: Sequence[Frame]) -> dict[str, list[int]]:
    """The beats of all frames at each input."""
    return {
        port.name: [beat for frame in frames for beat in frame_payloads(port, input_raster(port, frame))]
        for port in description.inputs
    }


def output_beats(description: Description, frames: int) -> dict[str, int]:
    """How many beats come out at each AXI4-Stream."""
    return {name: sum(port.beats for port in ports) * frames for name, ports in description.packets.items()}


def patience_of(description: Description) -> int:
    """Cycles without a beat at any port that no design needs, under any of the test bench's stalls."""
    return 2 * max(description.interval, description.latency) + 100_000


def bundle_source(bundle: Bundle, *, watched: bool = True) -> DesignSource:
    """An emitted design as it is, ready for :func:`~mbconv.sim.simulation.run_design.run_design`.

    Args:
        watched: with a monitor at every stream of a tensor; without, the ports alone are seen.
    """
    return design_source(Description.of(bundle.manifest), bundle.verilog, bundle.memory_files, watched=watched)


def design_source(
    description: Description, verilog: Mapping[str, str], memory_files: Mapping[str, str], *, watched: bool = False
) -> DesignSource:
    """Verilog of a design, or what claims to be one, with the design's ports."""
    ports = [DesignPort.axi_stream(port.name, True, 8 * port.data_bytes) for port in description.inputs]
    ports += [
        DesignPort.axi_stream(name, False, 8 * packets[0].data_bytes, 1)
        for name, packets in description.packets.items()
    ]
    points = [
        MonitorPoint(stream.name, stream.place, stream.bits * stream.lanes, stream.beats)
        for stream in description.streams
    ]
    return DesignSource(
        verilog,
        memory_files,
        description.top,
        ports,
        description.status,
        clock="aclk",
        reset="aresetn",
        reset_active_low=True,
        reset_cycles=1,
        monitors=points if watched else (),
        turns=[tuple(output_beats(description, 1).items())],
    )
