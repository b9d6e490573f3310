"""A design simulated as its Verilog, every stream of a tensor compared with the golden model, cycles measured."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib.data import ArrayLayout

from mbconv.generators.design import Design
from mbconv.generators.design_verilog import design_verilog
from mbconv.generators.element_shape import element_shape
from mbconv.generators.graph import GraphError
from mbconv.sim import golden
from mbconv.sim.axi_frames import frame_payloads, read_frames
from mbconv.sim.bench_case import ALWAYS, Pattern
from mbconv.sim.bench_data import unpack_words
from mbconv.sim.run_design import DesignPort, DesignRecord, DesignSource, Progress, monitor, run_design


@dataclass(frozen=True)
class Mismatch:
    """The first element that differs: of which stage's stream, where, and both values."""

    stage: str
    tensor: int
    frame: int
    row: int
    column: int
    channel: int
    simulated: int
    expected: int

    def __str__(self) -> str:
        return (
            f"{self.stage} (tensor {self.tensor}), frame {self.frame}, row {self.row}, column {self.column}, "
            f"channel {self.channel}: {self.simulated} instead of {self.expected}"
        )


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """What a simulation showed.

    Attributes:
        mismatches, elements: over the outputs and every stream between stages.
        stream_mismatches: mismatches by tensor, of all tensors compared.
        interval_cycles: between the last output beats of the last two frames; None for one frame.
        seconds: of the whole, the simulator's build included.
        outputs: elements of each output tensor, ``[frames, pixels, channels]``.
        streams: per stream of a tensor: cycles of each frame in which it was stalled and starved.
    """

    mismatches: int
    elements: int
    frames: int
    first_mismatch: str | None
    stream_mismatches: dict[int, int]
    interval_cycles: int | None
    predicted_interval_cycles: int
    latency_cycles: int
    predicted_latency_cycles: int
    multipliers: int
    budget: int
    macs: int
    mac_efficiency: float | None
    mac_efficiency_used: float | None
    seconds: float
    cycles: int
    cached: bool
    outputs: dict[int, np.ndarray]
    record: DesignRecord


class _Monitors:
    """Adds a monitor to every stream of a tensor."""

    def __init__(self, design: Design):
        self.design = design
        self.shapes = {
            tensor: ArrayLayout(element_shape(design.network.tensor(tensor).element), design.plan.lanes[tensor])
            for tensor in design.network.shapes
        }

    def name(self, tensor: int) -> str:
        return f"stream_t{tensor}"

    def beats(self, tensor: int) -> int:
        return self.design.network.shapes[tensor].beats(self.design.plan.lanes[tensor])

    def __call__(self, m, stream, interface) -> None:
        if stream.name[1:].isdigit() and (tensor := int(stream.name[1:])) in self.shapes:
            watched = monitor(self.name(tensor), interface, self.shapes[tensor], self.beats(tensor))
            m.submodules[self.name(tensor)] = watched

    @property
    def widths(self) -> dict[str, int]:
        return {self.name(tensor): Shape.cast(shape).width for tensor, shape in self.shapes.items()}

    def elements(self, tensor: int, record: DesignRecord, frames: int) -> np.ndarray:
        """A tensor's elements as they passed, ``[frames, pixels, channels]``; beats missing at the end are an error."""
        words = record.streams[self.name(tensor)].words
        shape = self.design.network.shapes[tensor]
        if len(words) < frames * self.beats(tensor):
            raise _Stuck(tensor, len(words), frames * self.beats(tensor))
        beats = unpack_words(self.shapes[tensor], words[: frames * self.beats(tensor)])
        return beats.reshape(frames, shape.pixels, -1)[:, :, : shape.channels]


class _Stuck(GraphError):
    def __init__(self, tensor: int, passed: int, wanted: int):
        super().__init__(f"the simulation stood still: {passed:,} of {wanted:,} beats of tensor {tensor} passed")


def simulated_source(design: Design, prefix: str = "", monitors: _Monitors | None = None) -> DesignSource:
    """A design's Verilog with its ports, ready for :func:`~mbconv.sim.run_design.run_design`."""
    verilog = design_verilog(design, prefix, monitors)
    ports = [DesignPort.axi_stream(edge.name, True, 8 * edge.data_bytes) for edge in design.inputs.values()]
    ports += [DesignPort.axi_stream(edge.name, False, 8 * edge.data_bytes, 1) for edge in design.outputs.values()]
    top = design.top()
    status = {name: 16 for name in top.signature.members if name.endswith(("short_frames", "long_frames"))}
    return DesignSource(
        {"design.v": verilog.text, "primitives.v": verilog.primitives},
        verilog.memory_files,
        verilog.top,
        ports,
        status,
        clock="aclk",
        reset="aresetn",
        reset_active_low=True,
    )


def simulate(
    design: Design,
    frames: Sequence[Mapping[int, np.ndarray]],
    *,
    source: Pattern = ALWAYS,
    sink: Pattern = ALWAYS,
    seed: int = 1,
    reset_after: int | None = None,
    waves: Path | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> SimulationResult:
    """Simulate frames back to back and compare every stream of every frame with the golden model.

    Args:
        frames: for each, the values of the graph's inputs by tensor index.
        source, sink, seed, reset_after, waves, progress, folder: see :func:`~mbconv.sim.run_design.run_design`.

    Raises:
        GraphError: no whole frame came out, or a stream's rule was broken.
        SimulatorError: the simulator is missing or failed.
    """
    started = time.monotonic()
    monitors = _Monitors(design)
    built = simulated_source(design, monitors=monitors)
    beats = {
        edge.name: [payload for frame in frames for payload in frame_payloads(edge, _raster(design, port, frame))]
        for port, edge in design.inputs.items()
    }
    expected = {edge.name: edge.frame.beats * len(frames) for edge in design.outputs.values()}
    golden_frames = [golden.run(design.graph, frame) | dict(frame) for frame in frames]
    record = run_design(
        built,
        beats,
        expected,
        len(frames),
        monitors=monitors.widths,
        source=source,
        sink=sink,
        seed=seed,
        reset_after=reset_after,
        patience=2 * max(design.schedule.interval, design.schedule.latency) + 100_000,
        waves=waves,
        progress=progress,
        folder=folder,
    )
    return _judge(design, monitors, record, golden_frames, started)


def _raster(design: Design, port: str, frame: Mapping[int, np.ndarray]) -> np.ndarray:
    """An input's elements in the order of its port: behind a dissolved TRANSPOSE, that of its result."""
    index = int(port[1:])
    values = np.asarray(frame[index])
    inside = design.network.inputs[index]
    if inside == index:
        return values
    transpose = next(op for op in design.graph if op.outputs == (inside,))
    return values.transpose(transpose.permutation)


def _judge(design: Design, monitors: _Monitors, record: DesignRecord, golden_frames, started) -> SimulationResult:
    frames = len(golden_frames)
    broken = [f"{name}: {rule}" for name, stream in record.streams.items() for rule in stream.broken_rules]
    if broken:
        raise GraphError("a stream broke a rule of its protocol:\n  " + "\n  ".join(broken))
    found: dict[int, np.ndarray] = {}
    outputs, problems = {}, []
    for port, edge in design.outputs.items():
        tensor = int(port[1:])
        words = record.streams[edge.name].words
        if len(words) < frames * edge.frame.beats:
            raise GraphError(
                f"the simulation stood still after {record.cycles:,} cycles: {len(words):,} of "
                f"{frames * edge.frame.beats:,} output beats of {edge.name} came"
            )
        signed = design.network.tensor(tensor).element.signed
        outputs[tensor], wrong = read_frames(edge, words, signed)
        problems += wrong
    problems += [f"{name} is {value}" for name, value in record.outputs.items() if value]
    if problems:
        raise GraphError("the AXI4-Stream edges are wrong:\n  " + "\n  ".join(problems))
    mismatches, first = {}, None
    elements = 0
    order = [*design.network.inputs.values(), *(node.output for node in design.network.nodes)]
    for tensor in order:
        found[tensor] = monitors.elements(tensor, record, frames)
        wanted = _expected(golden_frames, tensor, found[tensor].shape)
        for simulated in (found[tensor], *([outputs[tensor]] if tensor in outputs else [])):
            wrong = simulated != wanted
            mismatches[tensor] = mismatches.get(tensor, 0) + int(wrong.sum())
            elements += wrong.size
            if first is None and wrong.any():
                first = _mismatch(design, tensor, simulated, wanted, wrong)
    latencies = {edge.name: record.latency(edge.name) for edge in design.outputs.values()}
    slowest = max(latencies, key=lambda name: latencies[name])
    return SimulationResult(
        mismatches=sum(mismatches.values()),
        elements=elements,
        frames=frames,
        first_mismatch=None if first is None else str(first),
        stream_mismatches=mismatches,
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
        outputs=outputs,
        record=record,
    )


def _expected(golden_frames, tensor: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.stack([frame[tensor].reshape(shape[1:]) for frame in golden_frames]).astype(np.int64)


def _mismatch(design: Design, tensor: int, simulated, wanted, wrong) -> Mismatch:
    frame, pixel, channel = (int(index) for index in np.argwhere(wrong)[0])
    node = next((node for node in design.network.nodes if node.output == tensor), None)
    row, column = divmod(pixel, design.network.shapes[tensor].width)
    return Mismatch(
        node.name if node else "input",
        tensor,
        frame,
        row,
        column,
        channel,
        int(simulated[frame, pixel, channel]),
        int(wanted[frame, pixel, channel]),
    )


def host_outputs(design: Design, outputs: Mapping[int, np.ndarray], frame: int) -> dict[int, np.ndarray]:
    """A frame's outputs of the whole graph: what the operators left to the host make of the circuit's outputs."""
    tensors = design.graph.tensors
    known = {
        tensor: values[frame].reshape(tensors[tensor].shape).astype(tensors[tensor].element.dtype)
        for tensor, values in outputs.items()
    }
    if design.network.host:
        host = design.graph.layers(design.network.host[0].index, design.network.host[-1].index + 1)
        known |= golden.run(host, {tensor: known[tensor] for tensor in host.inputs})
    return known
