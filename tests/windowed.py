"""References and event counts for tests of multiplying circuits."""

import numpy as np

from mbconv.generators.timing.stage_timing import convolution_timing, depthwise_timing, pointwise_timing
from mbconv.generators.timing.timing import (
    ConvolutionTiming,
    DepthwiseTiming,
    PointwiseTiming,
    StageTimes,
    Times,
    spaced,
)
from mbconv.hdl.convolution import Convolution
from mbconv.hdl.depthwise import Depthwise
from mbconv.hdl.pointwise import Pointwise
from mbconv.hdl.window_geometry import WindowGeometry


def windows(geometry: WindowGeometry, frames: np.ndarray, pad_value: int) -> np.ndarray:
    """``[frames, output rows, output columns, kernel taps, channels]`` of ``[frames, rows, columns, channels]``."""
    top, bottom, left, right = geometry.padding
    padded = np.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad_value)
    down, across = geometry.strides
    views = np.lib.stride_tricks.sliding_window_view(padded, geometry.kernel, (1, 2))[:, ::down, ::across]
    return views.reshape(*views.shape[:4], -1).swapaxes(3, 4)


EventModel = PointwiseTiming | DepthwiseTiming | ConvolutionTiming


def event_model(stage: Pointwise | Depthwise | Convolution) -> EventModel:
    """The event model that the generator would schedule a circuit by, its window's ring included."""
    if isinstance(stage, Pointwise):
        return pointwise_timing(stage)
    if isinstance(stage, Depthwise):
        return depthwise_timing(stage, stage.window.capacity)
    return convolution_timing(stage, stage.window.window.capacity)


def _unstalled(model: EventModel, beats: int) -> StageTimes:
    """The events for beats offered from cycle 0 on, one in each cycle, with a reader that is always ready."""
    offered = np.arange(beats, dtype=np.int64)
    taken: Times | None = None
    while True:
        times = model.run([offered], taken)
        leaving = spaced(times.valid, 1)
        if taken is not None and np.array_equal(leaving, taken):
            return times
        taken = leaving


def counted_cycles(
    stage: Pointwise | Depthwise | Convolution, frames: int, pixels: int | None = None
) -> tuple[int, int]:
    """Interval, between the last two of several frames, and latency, as :class:`mbconv.sim.bench.bench.Case` has them.

    Args:
        pixels: of a frame; without a window only the caller knows.
    """
    model = event_model(stage)
    packing = model.packing if isinstance(model, PointwiseTiming) else model.window.packing
    times = _unstalled(model, frames * (pixels or model.window.pixels) * packing.beats)
    ends = spaced(times.valid, 1).reshape(frames, -1)[:, -1]
    return int(ends[-1] - ends[-2]), int(ends[0] - times.accepted[0][0])
