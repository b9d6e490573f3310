"""Programs run on a simulated engine: every word of every layer compared with the golden model, every cycle counted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from mbconv.generators.engine.compile import Instruction, Program
from mbconv.generators.engine.folding import Folding
from mbconv.generators.engine.memory_timing import MemoryTiming
from mbconv.generators.engine.program_file import stream_bytes, upload_bytes
from mbconv.generators.graph.graph import GraphError
from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.engine.map_memory import written_layout
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.verilog import to_verilog

from ..bench.bench_case import ALWAYS, Pattern, Run
from ..golden import model as golden
from ..simulation.design_record import DesignRecord
from ..simulation.design_source import DesignPort, DesignSource, MonitorPoint
from ..simulation.run_design import Progress, run_design
from .bench_top import EngineBench, offered_layout
from .engine_result import EngineResult, LayerResult

Frame = Mapping[int, np.ndarray]


def engine_source(engine: Engine, timing: MemoryTiming | None = None) -> DesignSource:
    """The Verilog of an engine between the bench's streams, watched; no program changes it."""
    made = to_verilog(EngineBench(engine, timing), "engine_bench")
    port_bytes = engine.parameters.port_bytes
    memory = [DesignPort.plain("memory", True, 8 * port_bytes)] if port_bytes else []
    width = written_layout(engine.parameters).size
    return DesignSource(
        {"engine_bench.v": made.text, "primitives.v": made.primitives},
        made.memory_files,
        "engine_bench",
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
    if parameters.port_bytes:
        sources["memory"] = [beat for program, frames in work for beat in _memory_beats(program) * len(frames)]
    (timing,) = {program.timing for program, _ in work}
    record = run_design(
        engine_source(Engine(parameters, family), timing),
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
    reading = _Reading(record)
    unstalled = Run(source, sink).unstalled
    return [
        reading.result(program, frames, unstalled, started) for (program, _), frames in zip(work, values, strict=True)
    ]


def _elements(program: Program, tensors: Sequence[int]) -> int:
    return sum(program.graph.tensors[tensor].size for tensor in tensors)


def _program_beats(program: Program) -> list[int]:
    packet, bits = upload_bytes(program), 8 * program.parameters.input_elements
    return [byte | 2 << bits | (place + 1 == len(packet)) << bits for place, byte in enumerate(packet)]


def _memory_beats(program: Program) -> list[int]:
    size, stream = program.parameters.port_bytes, stream_bytes(program)
    return [int.from_bytes(stream[place : place + size], "little") for place in range(0, len(stream), size)]


def _frame_beats(program: Program, values: Mapping[int, np.ndarray]) -> list[int]:
    """Elements of each pixel, ``input_elements`` a beat; the last beat of a pixel may have fewer."""
    beats: list[int] = []
    size = program.parameters.input_elements
    for tensor in program.inputs:
        found = program.graph.tensors[tensor]
        pixels = np.asarray(values[tensor]).astype(np.int64).reshape(found.pixels, found.channels)
        octets = np.zeros((found.pixels, -(-found.channels // size) * size), np.uint8)
        octets[:, : found.channels] = pixels & 0xFF
        rows = octets.reshape(-1, size)
        beats += [int.from_bytes(row.tobytes(), "little") for row in rows]
        beats[-1] |= 1 << 8 * size
    return beats


class _Reading:
    """What a simulation recorded, read from its beginning on."""

    def __init__(self, record: DesignRecord) -> None:
        self.written, self.retired, self.given = (record.streams[name] for name in ("written", "retired", "o"))
        self.word, self.beat, self.event = 0, 0, 0

    def result(
        self, program: Program, frames: Sequence[Mapping[int, np.ndarray]], unstalled: bool, started: float
    ) -> EngineResult:
        found: list[list[tuple[int, np.ndarray, np.ndarray, int]]] = [[] for _ in program.instructions]
        ends, marked = [], []
        outputs: dict[int, list[np.ndarray]] = {tensor: [] for tensor in program.outputs}
        for frame in frames:
            for place, one in enumerate(program.instructions):
                measured = self._cycles(place, follows=bool(place or ends))
                if one.writes_weights:
                    found[place].append((one.layer.reads[0], *(np.zeros((0, 1), np.int64),) * 2, measured))
                    continue
                if one.written is None:
                    (tensor,) = one.layer.reads
                    values = self._given(program, tensor)
                    outputs[tensor].append(values)
                else:
                    tensor = one.written.tensor.index
                    values = self._stored(program, one)
                wanted = np.asarray(frame[tensor]).astype(np.int64)
                if one.written is not None and one.written.folding is not None:
                    found_tensor = one.written.tensor
                    image = wanted.reshape(found_tensor.height, found_tensor.width, found_tensor.channels)
                    wanted = one.written.folding.stored(image, found_tensor.zero_point)
                if one.written is not None and one.rows[1]:
                    wanted = wanted.reshape(one.written.tensor.height, -1)[slice(*one.rows)]
                wanted = wanted.reshape(values.shape)
                found[place].append((tensor, values, wanted, measured))
            ends.append(self.retired.ends[self.event - 1])
            marked.append(bool(self.given.payloads[self.beat - 1, 0] >> 9))
        places: dict[str, list[int]] = {}
        for place, one in enumerate(program.instructions):
            places.setdefault(one.name, []).append(place)
        layers = [
            self._layer(program, [(program.instructions[place], found[place]) for place in of_layer])
            for of_layer in places.values()
        ]
        return EngineResult(
            program.graph.name,
            len(frames),
            tuple(layers),
            program.cycles,
            program.interval,
            tuple(later - sooner for sooner, later in pairwise(ends)),
            unstalled,
            {tensor: np.stack(values) for tensor, values in outputs.items()},
            tuple(marked),
            time.monotonic() - started,
        )

    def _layer(
        self, program: Program, pieces: Sequence[tuple[Instruction, list[tuple[int, np.ndarray, np.ndarray, int]]]]
    ) -> LayerResult:
        first, mismatches, values, exact = "", 0, 0, True
        frames = len(pieces[0][1])
        for one, seen in pieces:
            for frame, (tensor, given, wanted, cycles) in enumerate(seen):
                values += given.size
                wrong = np.argwhere(given != wanted)
                mismatches += len(wrong)
                exact = exact and cycles in (-1, one.cycles)
                if len(wrong) and not first:
                    pixel, channel = map(int, wrong[0])
                    width = given.shape[0] // max(1, one.rows[1] - one.rows[0]) if one.rows[1] else 0
                    row, column = divmod(pixel, width or program.graph.tensors[tensor].width)
                    first = (
                        f"frame {frame}, row {row + one.rows[0]}, column {column}, channel {channel}: "
                        f"{given[pixel, channel]} instead of {wanted[pixel, channel]}"
                    )
        measured = [[seen[frame][3] for _, seen in pieces] for frame in range(frames)]
        return LayerResult(
            pieces[0][0].name,
            pieces[-1][1][0][0],
            values,
            mismatches,
            first,
            sum(one.cycles for one, _ in pieces),
            tuple(sum(cycles) for cycles in measured if min(cycles) >= 0),
            exact,
        )

    def _cycles(self, place: int, *, follows: bool) -> int:
        """Cycles of the next instruction, which is number ``place``; −1 where none of its program went before it.

        A frame begins a cycle after the one before has ended, which is no part of its first instruction.
        """
        if self.event >= len(self.retired.ends):
            raise GraphError(f"the simulated engine stood still in instruction {place}")
        number = int(self.retired.payloads[self.event, 0])
        if number != place:
            raise GraphError(f"the simulated engine executed instruction {number} where {place} was due")
        end = self.retired.ends[self.event]
        before = self.retired.ends[self.event - 1]
        self.event += 1
        return end - before - (place == 0) if follows else -1

    def _given(self, program: Program, tensor: int) -> np.ndarray:
        """A result's elements, ``[pixels, channels]``."""
        found = program.graph.tensors[tensor]
        beats = self.given.payloads[self.beat : self.beat + found.size, 0].astype(np.int64)
        self.beat += found.size
        if len(beats) < found.size:
            raise GraphError(f"{len(beats):,} of {found.size:,} elements of tensor {tensor} came out")
        values = beats & 0xFF
        if found.element.signed:
            values = values - ((values & 0x80) << 1)
        return values.reshape(found.pixels, found.channels)

    def _stored(self, program: Program, one: Instruction) -> np.ndarray:
        """The elements that an instruction wrote, by their addresses: ``[pixels, channels]``."""
        stored = one.written
        assert stored is not None
        size = program.parameters.channels
        first, end = one.rows if one.rows[1] else (0, stored.tensor.height)
        count = (end - first) * stored.row_words
        words = self.written.payloads[self.word : self.word + count]
        self.word += count
        octets = np.ascontiguousarray(words).view(np.uint8)
        addresses = octets[:, size : size + 4].astype(np.int64) @ (1 << 8 * np.arange(octets.shape[1] - size)[:4])
        distance = addresses - one.values["destination"]
        row, column = np.divmod(distance % one.ring if one.ring else distance, stored.step)
        place = row * stored.row_words + column
        if (column >= stored.row_words).any() or sorted(place.tolist()) != list(range(count)):
            raise GraphError(f"{one.name} wrote other words of the map memory than its own")
        elements = np.empty((count, size), np.int64)
        elements[place] = octets[:, :size].view(np.int8)
        if stored.folding is not None:
            return self._windows(stored.folding, elements) + stored.offset
        pixels = elements.reshape((end - first) * stored.tensor.width, -1)[:, : stored.tensor.channels]
        return pixels + stored.offset

    def _windows(self, folding: Folding, elements: np.ndarray) -> np.ndarray:
        """Of words with all columns of a window, the elements: ``[windows, columns · channels]``."""
        assert folding.node.raster is not None
        columns = elements[:, : folding.channels].reshape(len(elements), folding.columns, -1)
        return columns[:, :, : folding.node.raster.channels].reshape(len(elements), -1)
