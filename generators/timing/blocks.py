"""The blocks of outputs of a multiply-accumulate stage, as its event model has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..planning.folding import ceil_div
from .event_graph import EventGraph
from .events import Events

_FEW = 16  # beats of a pixel that are counted one after the other, each for all pixels


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
