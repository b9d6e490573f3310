"""Event models of what circuits keep: beats collected into words, and a window's ring of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .event_graph import EventGraph
from .events import Events
from .ports import Ring


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
