"""An emitted design simulated as it is, its streams compared with the golden model, its cycles measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mbconv.generators.emission.bundle import Bundle, make_bundle
from mbconv.generators.emission.design import Design
from mbconv.generators.graph.graph import Graph, GraphError

from ..circuits.testbench_case import ALWAYS, Pattern, Run
from ..circuits.testbench_data import unpack_words
from ..golden import model as golden
from .description import Description, StreamDescription
from .design_record import DesignRecord
from .design_source import DesignSource
from .packets import bundle_source, input_payloads, output_beats, patience_of
from .run_design import Progress, UnknownStream, run_design
from .simulation_result import Comparison, SimulationResult, checked_outputs, make_result
from .waves import Waves


def simulate(
    design: Design,
    frames: Sequence[Mapping[int, np.ndarray]],
    *,
    bundle: Bundle | None = None,
    source: Pattern = ALWAYS,
    sink: Pattern = ALWAYS,
    seed: int = 1,
    reset_after: int | None = None,
    waves: Waves | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> SimulationResult:
    """Simulate frames back to back and compare every stream of every frame with the golden model.

    Args:
        frames: for each, the values of the graph's inputs by tensor index.
        bundle: what was emitted of the design, where that has been done.
        source, sink, seed, reset_after, waves, progress, folder: see
            :func:`~mbconv.sim.simulation.run_design.run_design`.

    Raises:
        GraphError: no whole frame came out, or a stream's rule was broken.
        SimulatorError: the simulator is missing or failed.
    """
    return simulate_bundle(
        make_bundle(design) if bundle is None else bundle,
        design.graph,
        frames,
        source=source,
        sink=sink,
        seed=seed,
        reset_after=reset_after,
        waves=waves,
        progress=progress,
        folder=folder,
    )


def simulate_bundle(
    bundle: Bundle, graph: Graph, frames: Sequence[Mapping[int, np.ndarray]], *, watched: bool = True, **options: Any
) -> SimulationResult:
    """Simulate what was emitted against the golden model of its graph; see :func:`simulate`.

    Args:
        watched: compare every stream within; without, the outputs alone.
    """
    description = Description.of(bundle.manifest)
    try:
        return simulate_source(description, bundle_source(bundle, watched=watched), graph, frames, **options)
    except UnknownStream:  # in Verilog that was edited a stream may be gone: its outputs can be compared all the same
        return simulate_source(description, bundle_source(bundle, watched=False), graph, frames, **options)


def simulate_source(
    description: Description,
    design: DesignSource,
    graph: Graph,
    frames: Sequence[Mapping[int, np.ndarray]],
    *,
    source: Pattern = ALWAYS,
    sink: Pattern = ALWAYS,
    **options: Any,
) -> SimulationResult:
    """Simulate Verilog that is, or claims to be, a described design: its netlist, too. What it watches is compared.

    Args:
        source, sink: patterns of stalls at the ports.
        options: ``seed``, ``reset_after``, ``waves``, ``progress`` and ``folder`` of
            :func:`~mbconv.sim.simulation.run_design.run_design`.
    """
    started = time.monotonic()
    record = run_design(
        design,
        input_payloads(description, frames),
        output_beats(description, len(frames)),
        len(frames),
        patience=patience_of(description),
        source=source,
        sink=sink,
        **options,
    )
    return judge(description, design, graph, frames, record, Run(source, sink).unstalled, started)


def judge(
    description: Description,
    design: DesignSource,
    graph: Graph,
    frames: Sequence[Mapping[int, np.ndarray]],
    record: DesignRecord,
    unstalled: bool,
    started: float,
) -> SimulationResult:
    """Compare what a simulation recorded with the golden model, and its cycles with those predicted.

    Args:
        unstalled, started: see :func:`~mbconv.sim.simulation.simulation_result.make_result`.
    """
    golden_frames = [golden.run(graph, frame) | dict(frame) for frame in frames]
    outputs = checked_outputs(description, record, len(frames))
    watched = {point.name for point in design.monitors}
    streams = [stream for stream in description.streams if stream.name in watched]
    comparisons = _comparisons(description, streams, record, outputs, golden_frames)
    return make_result(description, record, len(frames), outputs, comparisons, started, unstalled)


def _comparisons(
    description: Description,
    streams: Sequence[StreamDescription],
    record: DesignRecord,
    outputs: Mapping[int, np.ndarray],
    golden_frames: Sequence[Mapping[int, np.ndarray]],
) -> Iterator[Comparison]:
    """Every stream that was watched, in the order of the network, and an output's port after its stream."""

    def wanted(tensor: int, like: np.ndarray) -> np.ndarray:
        return np.stack([frame[tensor].reshape(like.shape[1:]) for frame in golden_frames]).astype(np.int64)

    left = dict(outputs)
    for stream in streams:
        found = _elements(stream, record, len(golden_frames))
        yield stream.tensor, found, wanted(stream.tensor, found)
        if (values := left.pop(stream.tensor, None)) is not None:
            yield stream.tensor, values, wanted(stream.tensor, values)
    for tensor, values in left.items():
        yield tensor, values, wanted(tensor, values)


def _elements(stream: StreamDescription, record: DesignRecord, frames: int) -> np.ndarray:
    """A tensor's elements as they passed, ``[frames, pixels, channels]``.

    Raises:
        GraphError: beats are missing at the end.
    """
    words, wanted = record.streams[stream.name].payloads, frames * stream.beats
    if len(words) < wanted:
        raise GraphError(
            f"the simulation stood still: {len(words):,} of {wanted:,} beats of tensor {stream.tensor} passed"
        )
    beats = unpack_words(stream.layout, words[:wanted])
    return beats.reshape(frames, stream.pixels, -1)[:, :, : stream.channels]
