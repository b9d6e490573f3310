"""What a simulated engine did, read from what was recorded: each instruction's words beside the golden model's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mbconv.generators.engine.compile import Instruction, Program
from mbconv.generators.engine.folding import Folding
from mbconv.generators.engine.overlap import Part
from mbconv.generators.graph.graph import GraphError

from ..simulation.design_record import DesignRecord
from .engine_result import EngineResult, LayerResult


@dataclass
class _Seen:
    """An instruction once executed: of which frame, what it wrote or gave, what it should have; cycles."""

    frame: int
    tensor: int
    values: np.ndarray
    wanted: np.ndarray
    cycles: int = -1
    predicted: int = 0


class Reading:
    """What a simulation recorded, read from its beginning on."""

    def __init__(self, record: DesignRecord) -> None:
        self.written, self.retired, self.given = (record.streams[name] for name in ("written", "retired", "o"))
        self.word, self.beat, self.event = 0, 0, 0
        self.before = False  # there was an instruction of the same program

    def result(
        self, program: Program, frames: Sequence[Mapping[int, np.ndarray]], unstalled: bool, started: float
    ) -> EngineResult:
        self.before = False
        seen: dict[tuple[bool, int], list[_Seen]] = {}
        ends, marked = [], []
        outputs: dict[int, list[np.ndarray]] = {tensor: [] for tensor in program.outputs}
        for part, early, late in self._parts(program, len(frames)):
            for place, one in enumerate(program.instructions):
                if part not in one.times:
                    continue
                if one.ends_program and part == Part.LATE and self.event == len(self.retired.ends):
                    continue  # what follows the last result is not waited for
                measured = self._cycles(place, part)
                found = self._seen(program, one, frames[late if one.late else early], late if one.late else early)
                found.cycles, found.predicted = measured, one.times[part][0]
                seen.setdefault((part == Part.BOTH, place), []).append(found)
                if one.written is None and found.values.size:
                    outputs[found.tensor].append(found.values)
                if one.values["last"]:
                    ends.append(self.retired.ends[self.event - 1])
                    marked.append(bool(self.given.payloads[self.beat - 1, 0] >> 9))
        places: dict[tuple[bool, str], list[int]] = {}
        for two, place in sorted(seen):
            places.setdefault((two, program.instructions[place].name), []).append(place)
        layers = [
            self._layer(program, two, [(program.instructions[place], seen[two, place]) for place in of_layer])
            for (two, _), of_layer in places.items()
        ]
        return EngineResult(
            program.graph.name,
            len(frames),
            tuple(layers),
            program.cycles,
            program.interval,
            tuple(later - sooner for sooner, later in pairwise(ends)),
            program.intervals(len(frames)),
            unstalled,
            {tensor: np.stack(values) for tensor, values in outputs.items()},
            tuple(marked),
            time.monotonic() - started,
        )

    def _parts(self, program: Program, frames: int) -> Iterator[tuple[Part, int, int]]:
        """Parts of the program as they were executed, with the frame of its early instructions and of its late ones.
        Whether another frame waited is known from what came next."""
        early = 0
        while early < frames:
            yield Part.EARLY, early, early
            while program.overlaps:
                follows = early + 1 < frames and self._next() == 0
                if not follows:
                    yield Part.LATE, early, early
                    break
                yield Part.BOTH, early + 1, early
                early += 1
            early += 1

    def _next(self) -> int:
        """The number of the next instruction that was executed; −1: none was."""
        return int(self.retired.payloads[self.event, 0]) if self.event < len(self.retired.ends) else -1

    def _seen(self, program: Program, one: Instruction, values: Mapping[int, np.ndarray], frame: int) -> _Seen:
        """What an instruction wrote or gave, and what it should have."""
        if one.writes_weights or one.ends_program:
            nothing = np.zeros((0, 1), np.int64)
            return _Seen(frame, one.layer.reads[0] if one.layer.reads else -1, nothing, nothing)
        if one.written is None:
            (tensor,) = one.layer.reads
            found = self._given(program, tensor)
        elif one.layer.part is not None:
            tensor = one.written.tensor.index
            found, wanted = self._part_of(program, one, np.asarray(values[tensor]).astype(np.int64))
            return _Seen(frame, tensor, found, wanted)
        else:
            tensor = one.written.tensor.index
            found = self._stored(program, one)
        wanted = np.asarray(values[tensor]).astype(np.int64)
        if one.written is not None and one.written.folding is not None:
            stored = one.written.tensor
            image = wanted.reshape(stored.height, stored.width, stored.channels)
            wanted = one.written.folding.stored(image, one.written.zero_point + one.written.offset)
        if one.written is not None and one.rows[1]:
            wanted = wanted.reshape(one.written.tensor.height, -1)[slice(*one.rows)]
        if one.groups[1]:
            assert one.written is not None
            first, end = (groups * program.parameters.channels for groups in one.groups)
            wanted = wanted.reshape(-1, one.written.tensor.channels)[:, first:end]
        return _Seen(frame, tensor, found, wanted.reshape(found.shape))

    def _layer(
        self, program: Program, two_frames: bool, pieces: Sequence[tuple[Instruction, list[_Seen]]]
    ) -> LayerResult:
        first, mismatches, values, exact = "", 0, 0, True
        for one, found in pieces:
            for seen in found:
                values += seen.values.size
                wrong = np.argwhere(seen.values != seen.wanted)
                mismatches += len(wrong)
                exact = exact and seen.cycles in (-1, seen.predicted)
                if len(wrong) and not first:
                    pixel, channel = map(int, wrong[0])
                    width = seen.values.shape[0] // max(1, one.rows[1] - one.rows[0]) if one.rows[1] else 0
                    row, column = divmod(pixel, width or program.graph.tensors[seen.tensor].width)
                    first = (
                        f"frame {seen.frame}, row {row + one.rows[0]}, column {column}, channel "
                        f"{channel + one.groups[0] * program.parameters.channels}: {seen.values[pixel, channel]} "
                        f"instead of {seen.wanted[pixel, channel]}"
                    )
        times = range(min(len(found) for _, found in pieces))
        measured = [[found[time].cycles for _, found in pieces] for time in times]
        return LayerResult(
            pieces[0][0].name,
            two_frames,
            pieces[-1][1][0].tensor,
            values,
            mismatches,
            first,
            sum(found[0].predicted for _, found in pieces),
            tuple(sum(cycles) for cycles in measured if min(cycles) >= 0),
            exact,
        )

    def _cycles(self, place: int, part: Part) -> int:
        """Cycles of the next instruction, which is number ``place``; −1 where none of its program went before it.

        A frame that none was under way before begins a cycle after the one before has ended, which is no part of its
        first instruction.
        """
        if self.event >= len(self.retired.ends):
            raise GraphError(f"the simulated engine stood still in instruction {place}")
        number = int(self.retired.payloads[self.event, 0])
        if number != place:
            raise GraphError(f"the simulated engine executed instruction {number} where {place} was due")
        begins = part == Part.EARLY and place == 0
        follows, self.before = self.before, True
        end = self.retired.ends[self.event]
        before = self.retired.ends[self.event - 1]
        self.event += 1
        return end - before - begins if follows else -1

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
        rows = end - first
        group, groups_end = one.groups if one.groups[1] else (0, stored.words_of_pixel)
        count = rows * stored.row_words // stored.words_of_pixel * (groups_end - group)
        words = self.written.payloads[self.word : self.word + count]
        self.word += count
        octets = np.ascontiguousarray(words).view(np.uint8)
        addresses = octets[:, size : size + 4].astype(np.int64) @ (1 << 8 * np.arange(octets.shape[1] - size)[:4])
        distance = addresses - one.values["destination"] + group
        row, column = np.divmod(distance % one.ring if one.ring else distance, stored.step)
        pixel, channels = np.divmod(row * stored.row_words + column, stored.words_of_pixel)
        place = pixel * (groups_end - group) + channels - group
        inside = (column < stored.row_words) & (channels >= group) & (channels < groups_end)
        if not inside.all() or sorted(place.tolist()) != list(range(count)):
            raise GraphError(f"{one.name} wrote other words of the map memory than its own")
        elements = np.empty((count, size), np.int64)
        elements[place] = octets[:, :size].view(np.int8)
        if stored.folding is not None:
            return self._windows(stored.folding, elements) + stored.offset
        channels_left = stored.tensor.channels - group * size
        pixels = elements.reshape(rows * stored.tensor.width, -1)[:, :channels_left]
        return pixels + stored.offset

    def _part_of(self, program: Program, one: Instruction, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The elements that an instruction wrote of a map, by their addresses, and those that it should have:
        ``[pixels, channels]``."""
        stored, part = one.written, one.layer.part
        assert stored is not None and part is not None
        p, channels = program.parameters, stored.tensor.channels
        groups = part.groups[slice(*one.groups)] if one.groups[1] else part.groups
        steps = ((part.rows, stored.step), (part.columns, stored.words_of_pixel), (groups, 1))
        rows, columns, words = (step * (np.array(places) - places[0]) for places, step in steps)
        places = (rows[:, None, None] + columns[:, None] + words + one.values["destination"]).reshape(-1)
        places %= 1 << (p.map_words - 1).bit_length()
        written = self.written.payloads[self.word : self.word + len(places)]
        self.word += len(places)
        octets = np.ascontiguousarray(written).view(np.uint8)
        size = p.channels
        addresses = octets[:, size : size + 4].astype(np.int64) @ (1 << 8 * np.arange(octets.shape[1] - size)[:4])
        order, own = np.argsort(addresses, kind="stable"), np.argsort(places, kind="stable")
        if not np.array_equal(addresses[order], places[own]):
            raise GraphError(f"{one.name} wrote other words of the map memory than its own")
        elements = np.empty((len(places), size), np.int64)
        elements[own] = octets[order, :size].view(np.int8)
        first = groups[0] * size
        left = min(channels - first, len(groups) * size)
        pixels = elements.reshape(-1, len(groups) * size)[:, :left] + stored.offset
        right = wanted.reshape(stored.tensor.height, stored.tensor.width, channels)
        right = right[np.ix_(part.rows, part.columns, np.arange(first, first + left))]
        return pixels, right.reshape(pixels.shape)

    def _windows(self, folding: Folding, elements: np.ndarray) -> np.ndarray:
        """Of words with all columns of a window, the elements: ``[windows, columns · channels]``."""
        assert folding.node.raster is not None
        columns = elements[:, : folding.channels].reshape(len(elements), folding.columns, -1)
        return columns[:, :, : folding.node.raster.channels].reshape(len(elements), -1)
