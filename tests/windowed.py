"""References and event counts for tests of multiplying circuits."""

import numpy as np

from mbconv.generators.timing.event_graph import EventGraph, Times
from mbconv.generators.timing.stage_timing import convolution_timing, depthwise_timing, pointwise_timing
from mbconv.generators.timing.timing import ConvolutionTiming, DepthwiseTiming, PointwiseTiming
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


def event_model(stage: Pointwise | Depthwise | Convolution, pixels: int | None = None) -> EventModel:
    """The event model that the generator would schedule a circuit by, its window's ring included.

    Args:
        pixels: of a frame; without a window only the caller knows.
    """
    if isinstance(stage, Pointwise):
        return pointwise_timing(stage, pixels)
    if isinstance(stage, Depthwise):
        return depthwise_timing(stage, stage.window.capacity)
    return convolution_timing(stage, stage.window.window.capacity)


def counted_times(model: EventModel, offered: Times | None, frames: int) -> tuple[Times, Times]:
    """When a stage alone takes beats, offered as given or one in each cycle, and when its own leave to a reader that is
    always ready."""
    graph = EventGraph()
    ports = model.events(graph, "the stage", frames)
    (accepted,) = ports.accepted
    times = np.arange(accepted.count, dtype=np.int64) if offered is None else offered
    accepted.after(graph.add("a beat is offered", accepted.count, None, times))
    left = graph.add("a beat leaves", ports.valid.count)
    left.after(ports.valid)
    ports.hold(left)
    graph.settle()
    return accepted.times, left.times


def counted_cycles(
    stage: Pointwise | Depthwise | Convolution, frames: int, pixels: int | None = None
) -> tuple[int, int]:
    """Interval, between the last two of several frames, and latency, as :class:`mbconv.sim.bench.bench.Case` has them.

    Args:
        pixels: see :func:`event_model`.
    """
    accepted, left = counted_times(event_model(stage, pixels), None, frames)
    ends = left.reshape(frames, -1)[:, -1]
    return int(ends[-1] - ends[-2]), int(ends[0] - accepted[0])
