"""A design simulated as its Verilog, every stream of a tensor compared with the golden model, cycles measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib.data import ArrayLayout

from mbconv.generators.emission.design import Design
from mbconv.generators.emission.design_verilog import design_verilog
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.stages.element_shape import element_shape

from ..bench.bench_case import ALWAYS, Pattern
from ..bench.bench_data import unpack_words
from ..golden import model as golden
from .packets import design_source, input_payloads, output_beats, patience_of
from .run_design import DesignRecord, DesignSource, Progress, monitor, run_design
from .simulation_result import Comparison, SimulationResult, checked_outputs, make_result


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
    """A design's Verilog with its ports, ready for :func:`~mbconv.sim.simulation.run_design.run_design`."""
    verilog = design_verilog(design, prefix, monitors)
    sources = {"design.v": verilog.text, "primitives.v": verilog.primitives}
    return design_source(design, sources, verilog.memory_files, verilog.top)


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
        source, sink, seed, reset_after, waves, progress, folder: see
            :func:`~mbconv.sim.simulation.run_design.run_design`.

    Raises:
        GraphError: no whole frame came out, or a stream's rule was broken.
        SimulatorError: the simulator is missing or failed.
    """
    started = time.monotonic()
    monitors = _Monitors(design)
    golden_frames = [golden.run(design.graph, frame) | dict(frame) for frame in frames]
    record = run_design(
        simulated_source(design, monitors=monitors),
        input_payloads(design, frames),
        output_beats(design, len(frames)),
        len(frames),
        monitors=monitors.widths,
        source=source,
        sink=sink,
        seed=seed,
        reset_after=reset_after,
        patience=patience_of(design),
        waves=waves,
        progress=progress,
        folder=folder,
    )
    outputs = checked_outputs(design, record, len(frames))
    comparisons = _comparisons(design, monitors, record, outputs, golden_frames)
    return make_result(design, record, len(frames), outputs, comparisons, started)


def _comparisons(design, monitors, record, outputs, golden_frames) -> Iterator[Comparison]:
    """Every stream within the design, and an output's port after its stream."""
    for tensor in (*design.network.inputs.values(), *(node.output for node in design.network.nodes)):
        found = monitors.elements(tensor, record, len(golden_frames))
        wanted = np.stack([frame[tensor].reshape(found.shape[1:]) for frame in golden_frames]).astype(np.int64)
        yield tensor, found, wanted
        if tensor in outputs:
            yield tensor, outputs[tensor], wanted


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
