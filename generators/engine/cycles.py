"""How many cycles an instruction takes, exactly, where nothing outside the engine waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.latencies import Latencies

from .memory_timing import Loads, MemoryTiming


def _freed(engine: Latencies) -> int:
    """Cycles from a group's last slot to the first that sees the room of its weights."""
    return engine.address + 1


def block_slots(engine: Latencies, values: Mapping[str, int]) -> tuple[int, int]:
    """Slots of a block of a DENSE or DEPTHWISE, and how many of them follow its last element."""
    p = engine.parameters
    taps = (values["rows"] + 1) * (values["columns"] + 1)
    if values["operation"] == Operation.DEPTHWISE:
        return taps + p.free_slots, values["columns"] - values["taps"] + p.free_slots
    tail = values["tail"] + 1
    last = max(tail, p.word_slots)
    return taps * (values["words"] * max(p.channels, p.word_slots) + last), last - tail


def block_results(engine: Latencies, values: Mapping[str, int]) -> int:
    """Cycles in which a block's results are requantised."""
    p = engine.parameters
    return p.word_cycles * (p.pixels if values["operation"] == Operation.DENSE else p.depthwise_lanes)


def instruction_cycles(engine: Latencies, values: Mapping[str, int]) -> int:
    """Cycles from the end of the instruction before, or a frame's beginning, to the end of this one."""
    p, operation = engine.parameters, values["operation"]
    start = engine.control
    behind_last = p.result_cycles - 1  # cycles that nothing waits for after the last result
    if operation == Operation.INPUT:
        return start + _input_beats(engine, values) + 1
    if operation == Operation.END:
        return start + 1
    if operation == Operation.OUTPUT:
        words = (values["pixels"] + 1) * (values["words"] + 1)
        return start + _elements(engine, values) + words * (1 + engine.maps)
    if operation == Operation.TABLE:
        period = max(p.word_cycles, 1 + values["binary"] + p.free_slots)
        return start + values["pixels"] * period + p.word_cycles - behind_last + engine.table
    slots, behind = block_slots(engine, values)
    results = block_results(engine, values)
    blocks = (values["blocks"] + 1) * (values["groups"] + 1)
    return start + (blocks - 1) * max(slots, results) + slots - behind + results - behind_last + engine.compute


def _input_beats(engine: Latencies, values: Mapping[str, int]) -> int:
    """Beats of a frame, and those of its padding where they are counted."""
    if values.get("folded"):
        return (values["height"] + 1) * (values["row_step"] + 1)
    word = -(-engine.parameters.channels // engine.parameters.input_elements)
    return (values["pixels"] + 1) * (values["words"] * word + values["tail"] + 1)


def _elements(engine: Latencies, values: Mapping[str, int]) -> int:
    """Elements of a packet."""
    return (values["pixels"] + 1) * (values["words"] * engine.parameters.channels + values["tail"] + 1)


class FrameClock:
    """Adds up a frame's instructions, or those of a part of it, with the waiting for weights that are streamed.

    Args:
        timing: of the memory, where ``streamed`` words of weights come through the port; room: of the ring.
        begin: cycle in which the memory is restarted.
    """

    def __init__(
        self, engine: Latencies, timing: MemoryTiming | None, streamed: int, room: int, begin: int | None = None
    ) -> None:
        self.engine = engine
        self.ended = 0  # the instruction before
        self.now = 0  # all those after it that were passed over, too
        self.used = 0  # words
        self.loads = None
        if engine.parameters.port_bytes and timing is not None:
            self.loads = Loads(engine.parameters, timing, engine.control if begin is None else begin, streamed, room)

    def pass_over(self) -> None:
        """An instruction that is fetched and not executed."""
        self.now += self.engine.control

    def add(self, values: Mapping[str, int]) -> tuple[int, int]:
        """An instruction's cycles, from the end of the one before, and how many of them it waits for weights."""
        computed = instruction_cycles(self.engine, values)
        end = self.now + computed
        if self.loads is not None and values.get("streamed") and values["operation"] == Operation.TABLE:
            end += self._tables(self.loads)
        elif self.loads is not None and values["operation"] in (Operation.DENSE, Operation.DEPTHWISE):
            end = self._streamed(values, self.loads) if values.get("streamed") else end
        elif values.get("last") and self.loads is not None:
            first = self.now + self.engine.control + 1 + self.engine.maps + 1  # the cycle of its first byte
            part = self.engine.parameters.overlaps
            checked = self.loads.checked(self.used) if part else self.loads.end()
            end += max(0, checked + 1 + self.engine.parameters.further_spares - first)
        cycles, waits = end - self.ended, end - self.now - computed
        self.ended = self.now = end
        return cycles, waits

    def _tables(self, loads: Loads) -> int:
        """Cycles until a TABLE's tables are there."""
        words = self.engine.parameters.table_stream_words
        freed = _freed(self.engine)
        now = self.now + self.engine.control + 1
        read = _not_before(np.array(loads.usable(self.used, words), np.int64), np.arange(words), now)
        loads.free(read + freed)
        self.used += words
        return int(read[-1]) + 1 - now

    def _streamed(self, values: Mapping[str, int], loads: Loads) -> int:
        """The end of an instruction whose weights are streamed: each word of the map that a group's first block reads
        waits for its weights, the other blocks follow at their pace."""
        engine, freed = self.engine, _freed(self.engine)
        slots, behind = block_slots(engine, values)
        results = block_results(engine, values)
        places, counts = (np.array(found, np.int64) for found in _map_words(engine, values))
        constants, words = engine.parameters.constant_stream_words, int(counts.sum())
        first_words = np.cumsum(counts) - counts
        reads = np.repeat(places, counts) + np.arange(words) - np.repeat(first_words, counts)  # slots of weights
        now = self.now + engine.control + 1  # the next slot
        begins = now  # the next block, at the earliest
        last = now - 1
        for _ in range(values["groups"] + 1):
            found = np.array(loads.usable(self.used, constants + words), np.int64)
            # a slot that waits holds up all that follow
            read = _not_before(found[:constants], np.arange(constants), now)
            begins = max(begins, int(read[-1]) + 1)
            loads.free(read + freed)
            waited = _not_before(found[constants:][first_words + counts - 1], places, begins)
            last_block = np.repeat(waited - places, counts) + reads
            last = int(waited[-1] - places[-1]) + slots - 1
            begins = int(waited[-1] - places[-1]) + max(slots, results)
            if values["blocks"]:
                begins += (values["blocks"] - 1) * max(slots, results)
                last_block = begins + reads
                last = begins + slots - 1
                begins += max(slots, results)
            loads.free(last_block + freed)
            self.used += constants + words
            now = last + 1
        return last - behind + results - (engine.parameters.result_cycles - 1) + engine.compute


def _not_before(usable: np.ndarray, places: np.ndarray, first: int) -> np.ndarray:
    """The slots at these places from ``first`` on, each of which, with all that follow, waits until it is usable."""
    return np.maximum(np.maximum.accumulate(usable - places), first) + places


def _map_words(engine: Latencies, values: Mapping[str, int]) -> tuple[Sequence[int], Sequence[int]]:
    """The slots of a block in which words of the map are read, and the words of weights for each of them."""
    p = engine.parameters
    taps = (values["rows"] + 1) * (values["columns"] + 1)
    if values["operation"] == Operation.DEPTHWISE:
        if p.depthwise_lanes == 1:
            return range(taps), [1] * taps
        rows = values["rows"] + 1  # a row of the kernel waits for its weights
        return range(0, taps, values["columns"] + 1), [values["taps"] + 1] * rows
    counts = ([p.channels] * values["words"] + [values["tail"] + 1]) * taps
    slots = np.maximum(counts, p.word_slots)
    return np.cumsum(slots) - slots, counts
