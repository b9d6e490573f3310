"""Programs run on a simulated engine: every word of every layer compared with the golden model, every cycle counted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mbconv.generators.engine.compile import Program
from mbconv.generators.engine.memory_timing import MemoryTiming
from mbconv.generators.engine.program_file import stream_bytes, upload_bytes
from mbconv.generators.graph.graph import GraphError
from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.engine.map_memory import written_layout
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.verilog import to_verilog

from ..circuits.testbench_case import ALWAYS, Pattern, Run
from ..golden import model as golden
from ..simulation.design_source import DesignPort, DesignSource, MonitorPoint
from ..simulation.run_design import Progress, run_design
from .engine_result import EngineResult
from .pixel_beats import pixel_beats
from .reading import Reading
from .testbench_top import FILL_BEATS, MEMORY, EngineTestbench, fill_layout, offered_layout

Frame = Mapping[int, np.ndarray]

_LEAST_ROWS = 12
"""Bits of the rows of the memory outside: few simulators for many networks."""


def engine_source(engine: Engine, timing: MemoryTiming | None = None, rows: int = 0) -> DesignSource:
    """The Verilog of an engine between the test bench's streams, watched; no program changes it. ``rows``: of the
    memory outside, of ``FILL_BEATS`` beats."""
    made = to_verilog(EngineTestbench(engine, timing, rows), "engine_testbench")
    port_bytes = engine.parameters.port_bytes
    memory = [DesignPort.plain("memory", True, fill_layout(port_bytes).size)] if port_bytes else []
    width = written_layout(engine.parameters).size
    return DesignSource(
        {"engine_testbench.v": made.text, "primitives.v": made.primitives, MEMORY.name: MEMORY.read_text("utf-8")},
        made.memory_files,
        "engine_testbench",
        [
            DesignPort.plain("i", True, offered_layout(engine.parameters).size),
            *memory,
            DesignPort.plain("o", False, 10),
        ],
        {"loaded": 1, "failed": 1},
        monitors=[
            MonitorPoint("written", "engine.written", width, 1),
            MonitorPoint("retired", "engine.retired", len(engine.control.number), 1),
        ],
    )


def simulate_programs(
    work: Sequence[tuple[Program, Sequence[Frame]]],
    *,
    family: Family = GENERIC,
    source: Pattern = ALWAYS,
    sink: Pattern = ALWAYS,
    seed: int = 1,
    reset_after: int | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> list[EngineResult]:
    """Upload programs one after another to one engine, and run the frames of each before the next.

    Args:
        work: programs, all for the same parameters, with the values of their graphs' inputs by tensor for each frame.
        family: of the engine, whose latencies the programs' cycles were counted for.
        source, sink, seed, reset_after, progress, folder: see :func:`~mbconv.sim.simulation.run_design.run_design`.

    Raises:
        GraphError: a program was not taken, or not all words and results came.
        ValueError: programs for different parameters, or memories of different timing.
        SimulatorError: the simulator is missing or failed.
    """
    started = time.monotonic()
    (parameters,) = {program.parameters for program, _ in work}
    values = [[golden.run(program.graph, frame) | dict(frame) for frame in frames] for program, frames in work]
    results = sum(_elements(program, program.outputs) for program, frames in work for _ in frames)
    beats = [
        beat
        for (program, _), frames in zip(work, values, strict=True)
        for packet in (_program_beats(program), *(_frame_beats(program, frame) for frame in frames))
        for beat in packet
    ]
    patience = 10_000 + 2 * max(program.cycles for program, _ in work)
    sources = {"i": beats}
    rows = 0
    if parameters.port_bytes:
        fills = [_fill(program, 0 if source == ALWAYS else seed) for program, _ in work]
        sources["memory"] = [beat for fill in fills for beat in fill]
        rows = 1 << max(_LEAST_ROWS, *((len(fill) - 1).bit_length() for fill in fills))
    (timing,) = {program.timing for program, _ in work}
    record = run_design(
        engine_source(Engine(parameters, family), timing, rows),
        sources,
        {"o": results},
        1,
        patience=patience,
        source=source,
        sink=sink,
        seed=seed,
        reset_after=reset_after,
        progress=progress,
        folder=folder,
    )
    if record.outputs["failed"] or not record.outputs["loaded"]:
        raise GraphError("the simulated engine took no program: upload and engine differ")
    reading = Reading(record)
    unstalled = Run(source, sink).unstalled
    return [
        reading.result(program, frames, unstalled, started) for (program, _), frames in zip(work, values, strict=True)
    ]


def _elements(program: Program, tensors: Sequence[int]) -> int:
    return sum(program.graph.tensors[tensor].size for tensor in tensors)


def _program_beats(program: Program) -> list[int]:
    packet, bits = upload_bytes(program), 8 * program.parameters.input_elements
    return [byte | 2 << bits | (place + 1 == len(packet)) << bits for place, byte in enumerate(packet)]


def _fill(program: Program, seed: int) -> list[int]:
    """Beats that fill the memory outside; with a seed it makes pauses."""
    size, stream = FILL_BEATS * program.parameters.port_bytes, stream_bytes(program)
    beats = [int.from_bytes(stream[place : place + size], "little") for place in range(0, len(stream), size)]
    beats = beats or [0]
    beats[-1] |= 1 << 8 * size
    return [seed & 0x7FFF | 0x8000 if seed else 0, *beats]


def _frame_beats(program: Program, values: Mapping[int, np.ndarray]) -> list[int]:
    """Elements of each pixel, ``input_elements`` a beat; the last beat of a pixel may have fewer."""
    beats: list[int] = []
    size = program.parameters.input_elements
    for tensor in program.inputs:
        rows = pixel_beats(values[tensor], program.graph.tensors[tensor].channels, size)
        beats += [int.from_bytes(row.tobytes(), "little") for row in rows]
        beats[-1] |= 1 << 8 * size
    return beats
