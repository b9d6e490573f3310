"""The memory of weights outside an engine: how fast it is, and when each word of weights is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.weight_port import CHECK_BYTES, COUNT_BYTES, TILE_WORDS

from .named import parameters_of

WRITTEN = 2
"""Cycles from a word's last beat to the first slot that may use it."""


@dataclass(frozen=True)
class MemoryTiming:
    """A memory that gives its bytes in order, at a steady rate.

    After a restart in cycle t the first beat is valid in cycle t + 1 + latency. Between beats j and j + 1 lie
    ⌊(j + 1) · p⌋ − ⌊j · p⌋ cycles, p = bytes of a beat ÷ rate, from the one in which beat j was taken.

    Args:
        rate: bytes a cycle, at most those of a beat.
        latency: cycles.
    """

    rate: Fraction
    latency: int = 16

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 4:
            raise ValueError(f"memory_bytes is more than 0 and at most 4 bytes a cycle, not {self.rate}")
        if not 0 <= self.latency <= 4095:
            raise ValueError(f"memory_latency is 0 to 4095 cycles, not {self.latency}")

    def period(self, port_bytes: int) -> Fraction:
        """Cycles from beat to beat, on average."""
        if self.rate > port_bytes:
            raise ValueError(f"memory_bytes = {self.rate} needs a port of so many bytes, not port_bytes = {port_bytes}")
        return Fraction(port_bytes) / self.rate


def parse_engine(text: str) -> tuple[EngineParameters, MemoryTiming | None]:
    """Parameters as :meth:`~mbconv.hdl.engine.parameters.EngineParameters.parse` reads them, and ``memory_bytes`` (a
    cycle, a fraction) and ``memory_latency`` of the memory behind the port, which has ``port_bytes`` where no other
    number is given.

    Raises:
        ValueError: as the two are raised; a memory is given and no port, or a latency without bytes a cycle.
    """
    text = parameters_of(text)
    items = [item.strip() for item in text.split(",")]
    memory = {}
    for item in items:
        name, _, number = (part.strip() for part in item.partition("="))
        if name in ("memory_bytes", "memory_latency"):
            if name in memory:
                raise ValueError(f"{name} is given twice")
            try:
                memory[name] = Fraction(number) if name == "memory_bytes" else Fraction(int(number))
            except (ValueError, ZeroDivisionError):
                what = "a number or fraction" if name == "memory_bytes" else "a whole number"
                raise ValueError(f"{name} is {what}, not {number!r}") from None
    if "memory_latency" in memory and "memory_bytes" not in memory:
        raise ValueError("memory_latency needs memory_bytes, the bytes a cycle that a memory outside gives")
    timing = MemoryTiming(memory["memory_bytes"], int(memory.get("memory_latency", 16))) if memory else None
    others = [item for item in items if item.partition("=")[0].strip() not in memory]
    if timing is not None and not any(item.partition("=")[0].strip() == "port_bytes" for item in others):
        others.append(f"port_bytes={next(size for size in (1, 2, 4) if size >= timing.rate)}")
    parameters = EngineParameters.parse(",".join(others))
    if timing is not None:
        if not parameters.port_bytes:
            raise ValueError("memory_bytes is of a memory behind a port, and port_bytes=0 is none")
        timing.period(parameters.port_bytes)
    return parameters, timing


class Loads:
    """When words are there: what :class:`~mbconv.hdl.engine.weight_loader.WeightLoader` does in a frame.

    Args:
        begin: the cycle of the loader's ``begin``.
        words: of the frame; room: of the ring.
    """

    def __init__(self, parameters: EngineParameters, timing: MemoryTiming, begin: int, words: int, room: int) -> None:
        self._beats, self._period = parameters.word_beats, timing.period(parameters.port_bytes)
        self._check = CHECK_BYTES // parameters.port_bytes
        self._words = words
        self._usable: list[int] = []  # of every word so far, the first cycle of a slot that may use it
        self._room = room
        self._freed: list[int] = []  # of every word that is used no more, the cycle that sees its room
        self._beat = 0
        self._checks: list[int] = []  # of each tile, the last beat of its check
        self._valid = begin + 1 + timing.latency  # when the next beat is
        self._last = begin  # the latest beat
        self._pass(COUNT_BYTES // parameters.port_bytes)

    def usable(self, first: int, count: int) -> list[int]:
        """The cycles from which on so many words may be used; they have room."""
        self._fill(first + count)
        return self._usable[first : first + count]

    def free(self, cycles: Iterable[int]) -> None:
        """Words that are used no more, the first ones that were not freed: the cycles that see their room."""
        self._freed += [int(cycle) for cycle in cycles]

    def end(self) -> int:
        """The cycle of the last beat."""
        self._fill(self._words)
        return self._last

    def checked(self, words: int) -> int:
        """The cycle of the last beat of the check behind so many words."""
        tile = (words - 1) // TILE_WORDS
        self._fill((tile + 1) * TILE_WORDS)
        return self._checks[tile] if words else 0

    def _fill(self, until: int) -> None:
        for number in range(len(self._usable), min(until, self._words)):
            assert number < self._room + len(self._freed), "a word is waited for that has no room"
            self._pass(self._beats, self._freed[number - self._room] if number >= self._room else 0)
            self._usable.append(self._last + WRITTEN)
            if (number + 1) % TILE_WORDS == 0 or number + 1 == self._words:
                self._pass(self._check)
                self._checks.append(self._last)

    def _pass(self, beats: int, first: int = 0) -> None:
        """Take beats without waiting, the first one not before a cycle."""
        start = max(self._valid, first)
        number, parts = self._period.numerator, self._period.denominator  # whole numbers, as there are many words
        before = self._beat * number // parts
        self._last = start + (self._beat + beats - 1) * number // parts - before
        self._valid = start + (self._beat + beats) * number // parts - before
        self._beat += beats
