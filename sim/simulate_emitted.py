"""The Verilog of an emitted folder, as it lies there, against the golden model.

Inside foreign Verilog no stream can be watched: the outputs alone are compared, and the cycles measured.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mbconv.generators.design import Design
from mbconv.generators.graph import GraphError
from mbconv.sim.axi_frames import frame_payloads, read_frames
from mbconv.sim.packets import Frame, expected_outputs, input_raster
from mbconv.sim.run_design import DesignPort, DesignRecord, DesignSource, Progress, run_design
from mbconv.sim.simulate import Mismatch, SimulationResult


def emitted_source(design: Design, directory: Path, manifest: Mapping[str, Any]) -> DesignSource:
    """The files of an emitted folder, ready to be simulated.

    Raises:
        GraphError: a file that the manifest names is missing or no text.
    """
    ports = [DesignPort.axi_stream(edge.name, True, 8 * edge.data_bytes) for edge in design.inputs.values()]
    ports += [DesignPort.axi_stream(edge.name, False, 8 * edge.data_bytes, 1) for edge in design.outputs.values()]
    status = [name for name in design.top().signature.members if name.endswith(("short_frames", "long_frames"))]
    return DesignSource(
        {name: _text(directory, name) for name in manifest["verilog"]},
        {name: _text(directory, name) for name in manifest["memory_files"]},
        manifest["top"],
        ports,
        dict.fromkeys(status, 16),
        clock="aclk",
        reset="aresetn",
        reset_active_low=True,
    )


def _text(directory: Path, name: str) -> str:
    if Path(name).name != name:
        raise GraphError(f"the manifest of {directory} names a file outside it, {name!r}: emit again")
    try:
        return (directory / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise GraphError(f"{directory / name}, which the manifest names, is missing: emit again") from None
    except UnicodeDecodeError:
        raise GraphError(f"{directory / name} is no text: emit again") from None


def simulate_source(
    design: Design,
    source: DesignSource,
    frames: Sequence[Frame],
    *,
    waves: Path | None = None,
    progress: Progress | None = None,
) -> SimulationResult:
    """Simulate Verilog that claims to be a design, frames back to back without stalls, and compare its outputs.

    Raises:
        GraphError: the outputs stopped, or their marks are wrong.
        SimulatorError: the simulator is missing, refuses the Verilog, or failed.
    """
    started = time.monotonic()
    record = run_design(
        source,
        {
            edge.name: [
                payload for frame in frames for payload in frame_payloads(edge, input_raster(design, port, frame))
            ]
            for port, edge in design.inputs.items()
        },
        {edge.name: edge.frame.beats * len(frames) for edge in design.outputs.values()},
        len(frames),
        patience=2 * max(design.schedule.interval, design.schedule.latency) + 100_000,
        waves=waves,
        progress=progress,
    )
    outputs = _outputs(design, record, len(frames))
    expected = expected_outputs(design, frames)
    wrong = {port: outputs[port] != expected[port] for port in outputs}
    first = next(
        (_mismatch(design, port, outputs[port], expected[port]) for port in outputs if wrong[port].any()), None
    )
    latencies = {edge.name: record.latency(edge.name) for edge in design.outputs.values()}
    slowest = max(latencies, key=lambda name: latencies[name])
    return SimulationResult(
        mismatches=sum(int(found.sum()) for found in wrong.values()),
        elements=sum(found.size for found in wrong.values()),
        frames=len(frames),
        first_mismatch=first,
        stream_mismatches={int(port[1:]): int(found.sum()) for port, found in wrong.items()},
        interval_cycles=record.interval(slowest),
        predicted_interval_cycles=design.schedule.interval,
        latency_cycles=latencies[slowest],
        predicted_latency_cycles=design.schedule.latency,
        multipliers=design.multipliers,
        budget=design.budget,
        macs=design.macs,
        mac_efficiency=design.mac_efficiency,
        mac_efficiency_used=design.mac_efficiency_used,
        seconds=time.monotonic() - started,
        cycles=record.cycles,
        cached=record.cached,
        outputs={int(port[1:]): values for port, values in outputs.items()},
        record=record,
    )


def _outputs(design: Design, record: DesignRecord, frames: int) -> dict[str, np.ndarray]:
    """The elements ``[frames, pixels, channels]`` of every output port, if all came and their marks are right."""
    outputs, problems = {}, []
    for port, edge in design.outputs.items():
        stream, wanted = record.streams[edge.name], frames * edge.frame.beats
        problems += [f"{edge.name}: {rule}" for rule in stream.broken_rules]
        if len(stream.words) < wanted:
            raise GraphError(
                f"the simulation stood still after {record.cycles:,} cycles: {len(stream.words):,} of {wanted:,} "
                f"output beats of {edge.name} came"
            )
        signed = design.network.tensor(int(port[1:])).element.signed
        outputs[port], found = read_frames(edge, stream.words, signed)
        problems += found
    problems += [f"{name} is {value}" for name, value in record.outputs.items() if value]
    if problems:
        raise GraphError("the AXI4-Stream edges are wrong:\n  " + "\n  ".join(problems))
    return outputs


def _mismatch(design: Design, port: str, simulated: np.ndarray, wanted: np.ndarray) -> Mismatch:
    """The first element of an output that differs."""
    tensor = int(port[1:])
    frame, pixel, channel = (int(index) for index in np.argwhere(simulated != wanted)[0])
    row, column = divmod(pixel, design.network.shapes[tensor].width)
    node = next((node.name for node in design.network.nodes if node.output == tensor), "input")
    values = int(simulated[frame, pixel, channel]), int(wanted[frame, pixel, channel])
    return Mismatch(node, tensor, frame, row, column, channel, *values)
