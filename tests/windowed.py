"""References and event counts for tests of multiplying circuits."""

import numpy as np

from mbconv.generators.stages.convolution import ConvolutionTiming, convolution_timing
from mbconv.generators.stages.depthwise import depthwise_timing
from mbconv.generators.stages.pointwise import PointwiseTiming, pointwise_timing
from mbconv.generators.stages.window_pool import window_pool_timing
from mbconv.generators.stages.windowed import WindowBlocksTiming
from mbconv.generators.timing.event_graph import EventGraph
from mbconv.generators.timing.events import Times
from mbconv.hdl.convolution import Convolution
from mbconv.hdl.depthwise import Depthwise
from mbconv.hdl.pointwise import Pointwise
from mbconv.hdl.window_geometry import AVAILABLE_DELAY, RELEASE_DELAY, WindowGeometry
from mbconv.hdl.window_pool import WindowPool


def windows(geometry: WindowGeometry, frames: np.ndarray, pad_value: int) -> np.ndarray:
    """``[frames, output rows, output columns, kernel taps, channels]`` of ``[frames, rows, columns, channels]``."""
    top, bottom, left, right = geometry.padding
    padded = np.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad_value)
    down, across = geometry.strides
    views = np.lib.stride_tricks.sliding_window_view(padded, geometry.kernel, (1, 2))[:, ::down, ::across]
    return views.reshape(*views.shape[:4], -1).swapaxes(3, 4)


EventModel = PointwiseTiming | WindowBlocksTiming | ConvolutionTiming


def event_model(stage: Pointwise | Depthwise | Convolution | WindowPool, pixels: int | None = None) -> EventModel:
    """The event model that the generator would schedule a circuit by, its window's ring included.

    Args:
        pixels: of a frame; without a window only the caller knows.
    """
    if isinstance(stage, Pointwise):
        return pointwise_timing(stage.parameters, pixels)
    if isinstance(stage, Depthwise):
        return depthwise_timing(stage.parameters, stage.parameters.window.capacity)
    if isinstance(stage, WindowPool):
        return window_pool_timing(stage.parameters, stage.parameters.window.capacity)
    return convolution_timing(stage.parameters, stage.parameters.window.capacity)


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
    stage: Pointwise | Depthwise | Convolution | WindowPool, frames: int, pixels: int | None = None
) -> tuple[int, int]:
    """Interval, between the last two of several frames, and latency, as
    :class:`mbconv.sim.circuits.testbench.Case` has them.

    Args:
        pixels: see :func:`event_model`.
    """
    accepted, left = counted_times(event_model(stage, pixels), None, frames)
    ends = left.reshape(frames, -1)[:, -1]
    return int(ends[-1] - ends[-2]), int(ends[0] - accepted[0])


def window_times(
    geometry: WindowGeometry, *, capacity: int, groups: int, steps: int, offered: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """When a window accepts its beats and starts its output pixels, if every issue is permitted.

    Args:
        capacity: pixels that the ring holds.
        groups: beats of a pixel.
        steps: issue cycles of a group.
        offered: ``[frames · pixels · groups]``, never decreasing: the cycle from which the source offers a beat.
        frames: frames back to back.

    Returns:
        The cycle in which each beat is accepted, and the cycle of each output pixel's first issue.

    Raises:
        ValueError: the capacity is too small for the geometry: the window would wait for ever.
    """
    per_frame = np.arange(frames)[:, None] * geometry.pixels
    required = (geometry.required + per_frame).ravel().tolist()
    released = (geometry.released + per_frame).ravel().tolist()
    pixels = geometry.pixels * frames
    accept: list[int] = []
    starts: list[int] = []
    freeing = 0  # the output pixel whose end makes room for the next pixel

    def take(pixel: int) -> None:
        nonlocal freeing
        earliest = 0
        if pixel >= capacity:
            while freeing < len(released) and released[freeing] < pixel + 1 - capacity:
                freeing += 1
            if freeing >= len(starts):
                raise ValueError(f"a ring of {capacity} pixels is too small for {geometry}")
            earliest = starts[freeing] + groups * steps - 1 + RELEASE_DELAY
        for beat in range(pixel * groups, (pixel + 1) * groups):
            earliest = max(earliest, int(offered[beat]), accept[-1] + 1 if accept else 0)
            accept.append(earliest)

    for need in required:
        while len(accept) < need * groups:
            take(len(accept) // groups)
        start = starts[-1] + groups * steps if starts else 0
        if need:
            start = max(start, accept[need * groups - 1] + AVAILABLE_DELAY)
        starts.append(start)
    while len(accept) < pixels * groups:
        take(len(accept) // groups)
    return np.array(accept), np.array(starts)
