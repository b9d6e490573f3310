"""When things happen: event times of stages as arrays, from which everything of a schedule is counted.

Times are cycles, int64, one for each beat (or block, or pixel) of all frames in a row. Every rule is a maximum of
earlier events plus constants, so that a stage's times are a running maximum (max-plus algebra; F. Baccelli et al.,
"Synchronization and Linearity", 1992) and a whole network is counted in numpy without simulating a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Times = np.ndarray
NEVER_BLOCKED = None


def spaced(earliest: Times, spacing: int) -> Times:
    """The earliest times ``t[n] >= earliest[n]`` with ``t[n] >= t[n - 1] + spacing``."""
    ramp = np.arange(earliest.size, dtype=np.int64) * spacing
    return np.maximum.accumulate(earliest - ramp) + ramp


def at_least(times: Times, limit: Times | None) -> Times:
    return times if limit is None else np.maximum(times, limit)


def delayed_by(events: Times, count: int, lag: int, delay: int) -> Times:
    """For each of ``count`` items the time of event ``item - lag``, plus ``delay``; long ago where there is none."""
    limit = np.full(count, -(1 << 40), np.int64)
    if lag < count:
        limit[lag:] = events[: count - lag] + delay
    return limit


@dataclass(frozen=True)
class Blocks:
    """The blocks of outputs of a multiply-accumulate stage.

    Attributes:
        steps: issue cycles of a block; per_pixel: blocks of a pixel.
        beats, last_beats: output beats of a block and of a pixel's last block, ``interval`` cycles apart.
        latency: from the issue of a block's last step to its first beat being valid.
        queue_depth: beats claimed and not yet taken by the consumer, at most.
    """

    steps: int
    per_pixel: int
    beats: int
    last_beats: int
    interval: int
    latency: int
    queue_depth: int

    @property
    def beats_per_pixel(self) -> int:
        return (self.per_pixel - 1) * self.beats + self.last_beats

    def issue(self, pixel_ready: Times, taken: Times | None) -> Times:
        """Issue times of the blocks' first steps, given when each pixel is there and (if known) when output beats are
        taken."""
        earliest = np.full((pixel_ready.size, self.per_pixel), -(1 << 40), np.int64)
        earliest[:, 0] = pixel_ready
        earliest = earliest.ravel()
        if taken is not None:
            ends = self._beat_ends(pixel_ready.size)  # beats claimed once a block is claimed
            # ``room`` asks for the space of a whole block, also for a last block that fills less.
            begins = np.concatenate(([0], ends[:-1]))
            freeing = begins + self.beats - self.queue_depth - 1  # the beat whose departure makes the room
            known = freeing >= 0
            earliest[known] = np.maximum(earliest[known], taken[freeing[known]] + 1)
        return spaced(earliest, self.steps)

    def _beat_ends(self, pixels: int) -> np.ndarray:
        sizes = np.full(self.per_pixel, self.beats, np.int64)
        sizes[-1] = self.last_beats
        return np.cumsum(np.tile(sizes, pixels))

    def outputs(self, issued: Times) -> Times:
        """When each output beat becomes valid, given the blocks' first issues."""
        first = (issued + (self.steps - 1 + self.latency)).reshape(-1, self.per_pixel)
        parts = []
        for block in range(self.per_pixel):
            beats = self.last_beats if block == self.per_pixel - 1 else self.beats
            parts.append(first[:, block, None] + np.arange(beats) * self.interval)
        return np.concatenate(parts, axis=1).ravel()


@dataclass(frozen=True)
class Packing:
    """Beats of a stream collected into words: ``beats`` a pixel, ``per_word`` of them a word (the last may have
    fewer)."""

    beats: int
    per_word: int
    delay: int  # from the acceptance of a word's last beat to the word

    @property
    def words(self) -> int:
        return -(-self.beats // self.per_word)

    def pixel_complete(self, accepted: Times, pixel_limit: Times | None) -> Times:
        """When each pixel's last word is passed on, given when its beats are accepted and, where there is a limit, the
        time before which its first word is not."""
        return at_least(accepted[self.beats - 1 :: self.beats] + self.delay, pixel_limit)

    def limit_beats(self, pixel_limit: Times) -> Times:
        """The time before which no beat of a pixel can enter, from that of its first word.

        A word that waits is held in the register that collects it, so that the beat after it waits, not its own last.
        """
        limit = np.full(pixel_limit.size * self.beats, -(1 << 40), np.int64)
        held = min(self.per_word, self.beats) if self.delay else 0
        where = np.arange(pixel_limit.size) * self.beats + held
        inside = where < limit.size
        limit[where[inside]] = pixel_limit[inside]
        return limit


@dataclass
class StageTimes:
    """What counting a stage gives: acceptance of each input's beats, validity of each output beat, and marks for
    sizing."""

    accepted: list[Times]
    valid: Times
    marks: dict[str, int] = field(default_factory=dict)


ROUNDS = 64  # a stage's own loop settles in two or three; more means a buffer too small to make progress


@dataclass(frozen=True)
class PointwiseTiming:
    """Event model of :class:`mbconv.hdl.pointwise.Pointwise`."""

    packing: Packing
    blocks: Blocks
    slots: int
    available_delay: int
    release_delay: int

    def run(self, valid: list[Times], taken: Times | None) -> StageTimes:
        free = None  # from when there is a slot for each pixel
        for _ in range(ROUNDS):
            limit = None if free is None else self.packing.limit_beats(free)
            accepted = spaced(at_least(valid[0], limit), 1)
            ready = self.packing.pixel_complete(accepted, free) + self.available_delay
            issued = self.blocks.issue(ready, taken)
            ends = issued[self.blocks.per_pixel - 1 :: self.blocks.per_pixel] + self.blocks.steps - 1
            before, free = free, delayed_by(ends, ready.size, self.slots, self.release_delay)
            if before is not None and np.array_equal(before, free):
                break
        return StageTimes([accepted], self.blocks.outputs(issued))


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

    def pixel_ready(self, accepted: Times, frames: int, pixel_limit: Times | None) -> Times:
        complete = self.packing.pixel_complete(accepted, pixel_limit).reshape(frames, self.pixels)
        padded = np.concatenate([np.full((frames, 1), -(1 << 40), np.int64), complete], axis=1)
        return (padded[:, self.required] + self.available_delay).ravel()

    def counts(self, frames: int) -> np.ndarray:
        """Pixels released in all once each output pixel is done."""
        return (np.arange(frames)[:, None] * self.pixels + self.released).ravel()

    def pixel_limit(self, ends: Times, frames: int) -> Times | None:
        """When there is room for each pixel, given the last issue of each output pixel; None: always."""
        if self.capacity is None:
            return None
        pixels = np.arange(frames * self.pixels)
        needed = pixels - self.capacity + 1  # pixels that must be released before this one is written
        done = np.searchsorted(self.counts(frames), needed)
        limit = np.full(pixels.size, -(1 << 40), np.int64)
        known = needed > 0
        limit[known] = ends[np.minimum(done[known], ends.size - 1)] + self.release_delay
        return limit

    def live(self, accepted: Times, ends: Times, frames: int) -> int:
        """The most pixels in the ring at once."""
        arrived = accepted[:: self.packing.beats]  # a pixel takes its place with its first beat
        freed = np.searchsorted(ends + self.release_delay, arrived, side="right")
        counts = np.concatenate(([0], self.counts(frames)))
        return int((np.arange(1, arrived.size + 1) - counts[freed]).max())


@dataclass(frozen=True)
class DepthwiseTiming:
    """Event model of :class:`mbconv.hdl.depthwise.Depthwise`."""

    window: WindowTiming
    blocks: Blocks

    def run(self, valid: list[Times], taken: Times | None) -> StageTimes:
        frames = valid[0].size // (self.window.packing.beats * self.window.pixels)
        room = None
        for _ in range(ROUNDS):
            limit = None if room is None else self.window.packing.limit_beats(room)
            accepted = spaced(at_least(valid[0], limit), 1)
            issued = self.blocks.issue(self.window.pixel_ready(accepted, frames, room), taken)
            ends = issued[self.blocks.per_pixel - 1 :: self.blocks.per_pixel] + self.blocks.steps - 1
            before, room = room, self.window.pixel_limit(ends, frames)
            if room is None or (before is not None and np.array_equal(before, room)):
                break
        return StageTimes(
            [accepted], self.blocks.outputs(issued), {"live_pixels": self.window.live(accepted, ends, frames)}
        )


@dataclass(frozen=True)
class ConvolutionTiming:
    """Event model of :class:`mbconv.hdl.convolution.Convolution`: a window that streams its taps, narrowed, then a
    pointwise stage."""

    window: WindowTiming
    steps: int  # issues of an output pixel
    latency: int  # from an issue to the beat being valid
    queue_depth: int
    pieces: int  # beats that each of the window's is narrowed to; 1: wires
    pointwise: PointwiseTiming

    def run(self, valid: list[Times], taken: Times | None) -> StageTimes:
        frames = valid[0].size // (self.window.packing.beats * self.window.pixels)
        room, entered, issued = None, None, None
        for _ in range(ROUNDS):
            limit = None if room is None else self.window.packing.limit_beats(room)
            accepted = spaced(at_least(valid[0], limit), 1)
            earliest = np.full((self.window.required.size * frames, self.steps), -(1 << 40), np.int64)
            earliest[:, 0] = self.window.pixel_ready(accepted, frames, room)
            earliest = earliest.ravel()
            if entered is not None:
                left = self._left_queue(issued, entered)
                earliest = at_least(earliest, delayed_by(left, earliest.size, self.queue_depth, 1))
            issued = spaced(earliest, 1)
            inner = self.pointwise.run([self._narrowed(issued, entered)], taken)
            before = room, entered
            room, entered = self.window.pixel_limit(issued[self.steps - 1 :: self.steps], frames), inner.accepted[0]
            if (
                before[1] is not None
                and np.array_equal(before[1], entered)
                and (room is None or np.array_equal(before[0], room))
            ):
                break
        ends = issued[self.steps - 1 :: self.steps]
        return StageTimes([accepted], inner.valid, {"live_pixels": self.window.live(accepted, ends, frames)})

    def _left_queue(self, issued: Times, entered: Times | None) -> Times:
        """When the window's beats leave its queue, given when the pointwise stage took what they became."""
        if self.pieces == 1:
            return issued + self.latency if entered is None else entered
        earliest = issued + self.latency
        if entered is not None:
            earliest = at_least(earliest, delayed_by(entered[self.pieces - 1 :: self.pieces], earliest.size, 1, 0))
        return spaced(earliest, self.pieces)

    def _narrowed(self, issued: Times, entered: Times | None) -> Times:
        """When the pointwise stage's input beats become valid."""
        if self.pieces == 1:
            return issued + self.latency
        return np.repeat(self._left_queue(issued, entered) + 1, self.pieces)


@dataclass(frozen=True)
class ElementwiseTiming:
    """Event model of a stage that makes one beat of one beat of each input: an addition, a table."""

    latency: int
    queue_depth: int

    def run(self, valid: list[Times], taken: Times | None) -> StageTimes:
        earliest = np.maximum.reduce(valid)
        if taken is not None:
            earliest = at_least(earliest, delayed_by(taken, earliest.size, self.queue_depth, 1))
        accepted = spaced(earliest, 1)
        return StageTimes([accepted] * len(valid), accepted + self.latency)


@dataclass(frozen=True)
class PoolTiming:
    """Event model of :class:`mbconv.hdl.average_pool.AveragePool`."""

    beats: int  # of a pixel
    pixels: int
    latency: int  # from the acceptance of a last pixel's beat to its result being valid
    queue_depth: int

    def run(self, valid: list[Times], taken: Times | None) -> StageTimes:
        frame = self.beats * self.pixels
        frames = valid[0].size // frame
        earliest = valid[0].copy()
        if taken is not None:
            last = earliest.reshape(frames, self.pixels, self.beats)[:, -1]
            limit = delayed_by(taken, frames * self.beats, self.queue_depth, 1).reshape(last.shape)
            np.maximum(last, limit, out=last)
        accepted = spaced(earliest, 1)
        results = accepted.reshape(frames, self.pixels, self.beats)[:, -1]
        return StageTimes([accepted], results.ravel() + self.latency)
