"""What event models of circuits are made of: what each port of a stage waits for.

The model of each circuit stands in its file (:mod:`mbconv.generators.stages`).

A stage adds its classes of events to an :class:`~mbconv.generators.timing.event_graph.EventGraph` and returns its
:class:`Ports`: when it takes beats, which may be made to wait for their arrival, and when its output beats are valid.
:meth:`Ports.hold` makes it wait for its reader; without it the output is a queue without limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from ..planning.folding import ceil_div
from .event_graph import EventGraph, Events, Times

_FEW = 16  # beats of a pixel that are counted one after the other, each for all pixels


def spaced(earliest: Times, spacing: int) -> Times:
    """The earliest times ``t[n] >= earliest[n]`` with ``t[n] >= t[n - 1] + spacing``."""
    ramp = np.arange(earliest.size, dtype=np.int64) * spacing
    return np.maximum.accumulate(earliest - ramp) + ramp


@dataclass(frozen=True)
class Ring:
    """The pixels that a window holds: those whose first beat was taken, less those that ended output pixels released.

    Attributes:
        taken: when beats are taken, ``beats`` a pixel.
        ended: when output pixels are issued, ``steps`` events each.
        released: pixels of a frame released in all once each of its output pixels is done.
        pixels: of a frame.
        delay: cycles from an output pixel's last event to its pixels' places being free.
    """

    taken: Events
    beats: int
    ended: Events
    steps: int
    released: np.ndarray
    pixels: int
    delay: int

    def times(self, frames: int) -> tuple[Times, Times]:
        """When each pixel takes its place, and when each is released."""
        counts = (np.arange(frames)[:, None] * self.pixels + self.released).ravel()
        freeing = np.searchsorted(counts, np.arange(1, frames * self.pixels + 1))
        return self.taken.times[:: self.beats], self.ended.times[self.steps - 1 :: self.steps][freeing] + self.delay


@dataclass(frozen=True)
class Ports:
    """A stage's events.

    Attributes:
        accepted: for each input when its beats are taken.
        valid: when output beats would be valid if earlier ones had left.
        hold: makes the stage wait for the departure of its output beats.
        ring: of its window, if it has one.
    """

    accepted: Sequence[Events]
    valid: Events
    hold: Callable[[Events], None]
    ring: Ring | None = None


class StageTiming(Protocol):
    """What the schedule asks of a stage."""

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        """Add the classes of a stage of this name to a graph, for so many frames."""

    def bounded(self, capacity: int) -> Self:
        """The stage with a window that holds so many pixels; asked only of one that has a ring."""


@dataclass(frozen=True)
class Blocks:
    """The blocks of outputs of a multiply-accumulate stage.

    Attributes:
        steps: issue cycles of a block; per_pixel: blocks of a pixel.
        beats, last_beats: output beats of a block and of a pixel's short block, ``interval`` cycles apart.
        latency: from the issue of a block's last step to its first beat being valid.
        queue_depth: beats claimed and not yet taken by the consumer, at most.
        short: which block of a pixel is the short one; None: its last.
    """

    steps: int
    per_pixel: int
    beats: int
    last_beats: int
    interval: int
    latency: int
    queue_depth: int
    short: int | None = None

    def issue(self, graph: EventGraph, name: str, pixels: int) -> Events:
        """The issue of each block's first step."""
        return graph.add(f"{name} begins a block of outputs", pixels * self.per_pixel, self.steps)

    def first_blocks(self, pixels: int) -> range:
        return range(0, pixels * self.per_pixel, self.per_pixel)

    def last_blocks(self, pixels: int) -> range:
        return range(self.per_pixel - 1, pixels * self.per_pixel, self.per_pixel)

    def outputs(self, graph: EventGraph, name: str, issued: Events) -> Events:
        """When each output beat becomes valid."""
        sizes = self._sizes(self.per_pixel)
        block = np.repeat(np.arange(self.per_pixel), sizes)  # of each beat of a pixel
        within = np.arange(block.size) - (np.cumsum(sizes) - sizes)[block]
        delay = self.steps - 1 + self.latency + within * self.interval
        pixels = issued.count // self.per_pixel
        valid = graph.add(f"{name} has a beat of outputs", pixels * block.size, None)
        if block.size <= _FEW:
            for beat, (source, cycles) in enumerate(zip(block.tolist(), delay.tolist(), strict=True)):
                beats = range(beat, valid.count, block.size)
                valid.after_some(issued, cycles, beats, range(source, issued.count, self.per_pixel))
        else:
            sources = (np.arange(pixels)[:, None] * self.per_pixel + block).ravel()
            valid.after_some(issued, np.tile(delay, pixels), range(valid.count), sources)
        return valid

    def hold(self, issued: Events, taken: Events) -> None:
        """A block begins only with room in the queue for all its beats.

        The space of a whole block is asked for, also for a short block that fills less.
        """
        lead = self.queue_depth + 1 - self.beats  # from the beat whose departure makes the room to the block's first
        if self.last_beats == self.beats:
            first = max(ceil_div(lead, self.beats), 0)
            freeing = range(first * self.beats - lead, issued.count * self.beats - lead, self.beats)
        else:
            sizes = self._sizes(issued.count)
            begins = np.cumsum(sizes) - sizes
            first = int(np.searchsorted(begins, lead))
            freeing = begins[first:] - lead
        issued.after_some(taken, 1, range(first, issued.count), freeing)

    def _sizes(self, blocks: int) -> np.ndarray:
        sizes = np.full(self.per_pixel, self.beats, np.int64)
        sizes[self.per_pixel - 1 if self.short is None else self.short] = self.last_beats
        return np.tile(sizes, blocks // self.per_pixel)


@dataclass(frozen=True)
class Packing:
    """Beats of a stream collected into words: ``beats`` a pixel, ``per_word`` of them a word (the last may have
    fewer)."""

    beats: int
    per_word: int
    delay: int  # from the acceptance of a word's last beat to the word

    def accept(self, graph: EventGraph, name: str, pixels: int) -> Events:
        """The acceptance of each beat."""
        return graph.add(f"{name} takes a beat", pixels * self.beats)

    def last_beats(self, pixels: np.ndarray) -> np.ndarray:
        return pixels * self.beats + self.beats - 1

    def wait(self, accepted: Events, pixels: range, source: Events, sources: np.ndarray | range, delay: int) -> None:
        """The first word of each of these pixels enters no earlier than the given events.

        A word that waits is held in the register that collects it, so that the beat after it waits, not its own last.
        """
        held = min(self.per_word, self.beats) if self.delay else 0
        beats = range(pixels.start * self.beats + held, accepted.count, self.beats)[: len(pixels)]
        accepted.after_some(source, delay, beats, sources[: len(beats)])


@dataclass(frozen=True)
class WindowTiming:
    """Event model of a window's ring: ``required`` and ``released`` pixels for each output pixel of a frame."""

    packing: Packing
    required: np.ndarray
    released: np.ndarray
    pixels: int  # of an input frame
    available_delay: int
    release_delay: int
    capacity: int | None  # pixels; None: unlimited

    def connect(self, accepted: Events, issued: Events, starts: range, ends: range, steps: int, frames: int) -> None:
        """Output pixels begin when their pixels are there, which enter when there is room.

        Args:
            starts, ends: the events of ``issued`` that begin an output pixel, and that end it.
            steps: cycles of an event of ``issued``.
        """
        pixels = np.arange(frames)[:, None] * self.pixels + self.required
        waiting = np.broadcast_to(self.required > 0, pixels.shape).ravel()
        last = pixels.ravel()[waiting] - 1
        starts_waiting = starts if waiting.all() else np.array(starts)[waiting]
        issued.after_some(
            accepted, self.packing.delay + self.available_delay, starts_waiting, self.packing.last_beats(last)
        )
        if self.capacity is None or self.capacity >= frames * self.pixels:
            return
        release = steps - 1 + self.release_delay
        entering = np.arange(self.capacity, frames * self.pixels)
        counts = (np.arange(frames)[:, None] * self.pixels + self.released).ravel()
        freeing = np.array(ends)[np.searchsorted(counts, entering - self.capacity + 1)]
        self.packing.wait(accepted, range(self.capacity, frames * self.pixels), issued, freeing, release)
        bound = np.searchsorted(last, self.capacity)
        issued.after_some(
            issued,
            release + self.available_delay,
            starts_waiting[bound:],
            freeing[last[bound:] - self.capacity],
        )

    def ring(self, accepted: Events, issued: Events, issues: int, steps: int) -> Ring:
        """What the window holds, ``issues`` events of ``issued``, each of ``steps`` cycles, making an output pixel."""
        delay = steps - 1 + self.release_delay
        return Ring(accepted, self.packing.beats, issued, issues, self.released, self.pixels, delay)


@dataclass(frozen=True, eq=False)
class ChosenTiming:
    """Event model of a circuit that takes a beat each cycle and makes one of some of them: of these beats, which need
    room in its queue.

    Attributes:
        beats: of an input frame.
        chosen: those of which a beat of the output is made, ascending.
        latency: from the acceptance of one to its result being valid.
    """

    beats: int
    chosen: np.ndarray
    latency: int
    queue_depth: int

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        accepted = graph.add(f"{name} takes a beat", frames * self.beats)
        places = (np.arange(frames)[:, None] * self.beats + self.chosen).ravel()
        valid = graph.add(f"{name} has a beat of outputs", places.size, None)
        valid.after_some(accepted, self.latency, range(places.size), places)

        def hold(taken: Events) -> None:
            room = places[self.queue_depth :]
            accepted.after_some(taken, 1, room, range(room.size))

        return Ports([accepted], valid, hold)


@dataclass(frozen=True, eq=False)
class ElementwiseTiming:
    """Event model of :class:`mbconv.hdl.elementwise.Elementwise`: one beat of one beat of each input.

    Attributes:
        beats: of a frame.
        inputs: for each input the beats of a frame with which its own are taken; None where all are.
        interval: cycles from one beat to the next, at least.
    """

    latency: int
    queue_depth: int
    beats: int
    inputs: tuple[np.ndarray | None, ...] = (None,)
    interval: int = 1

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        taken = graph.add(f"{name} takes a beat of each input", frames * self.beats, self.interval)
        accepted = [
            taken if positions is None else self._own(graph, f"{name} takes a beat to repeat", frames, positions, taken)
            for positions in self.inputs
        ]
        valid = graph.add(f"{name} has a beat of outputs", taken.count, None)
        valid.after(taken, self.latency)
        return Ports(accepted, valid, lambda left: taken.after(left, 1, lag=self.queue_depth))

    def _own(self, graph: EventGraph, what: str, frames: int, positions: np.ndarray, taken: Events) -> Events:
        """The beats of an input that is shorter: each is taken in the cycle of its first use."""
        own = graph.add(what, frames * positions.size)
        uses = (np.arange(frames)[:, None] * self.beats + positions).ravel()
        own.after_some(taken, 0, range(own.count), uses)
        taken.after_some(own, 0, uses, range(own.count))
        return own
