"""The inverted residual block: expansion, depthwise convolution, linear projection, and the residual around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape, ShapeLike
from amaranth.lib.wiring import Component

from .add import Add, AddConstants
from .depthwise import Depthwise
from .fifo import Fifo
from .pointwise import Pointwise
from .requantize import RequantizeFormat
from .stream_graph import Port, Stream, StreamGraph
from .window_geometry import WindowGeometry


@dataclass(frozen=True)
class PointwiseStage:
    """The expansion or the projection.

    Args:
        outputs: channels Co.
        input_folding, output_folding: Pi and Po.
        weight_shape: of a weight already less its zero point.
        format: the requantisation; its ``output`` is an element of the next stage's input.
        lanes: of the output stream.
        queue: beats of the FIFO before the stage; 0: none.
    """

    outputs: int
    input_folding: int
    output_folding: int
    weight_shape: ShapeLike
    format: RequantizeFormat
    lanes: int
    queue: int = 0


@dataclass(frozen=True)
class DepthwiseStage:
    """The depthwise convolution.

    Args:
        geometry: map, kernel, strides and padding.
        channel_folding, taps: P and K.
        weight_shape, format, lanes, queue: as of :class:`PointwiseStage`.
        pad_value: of taps in the padding: the zero point of the stage's input.
        capacity: pixels of the window's ring; the least that works unless given.
    """

    geometry: WindowGeometry
    channel_folding: int
    taps: int
    weight_shape: ShapeLike
    format: RequantizeFormat
    lanes: int
    queue: int = 0
    pad_value: int = 0
    capacity: int | None = None


@dataclass(frozen=True)
class Residual:
    """The join of the block's input (the addition's first operand) with the projection (its second).

    Args:
        constants: of the addition.
        output: an element of the block's output.
        delay: beats that the FIFO holds which the block's input waits in; by default ``sufficient_delay`` of the
            block.
        name: begins the names of the addition's memory files.
    """

    constants: AddConstants
    output: ShapeLike
    delay: int | None = None
    name: str = "add"


class InvertedResidual(StreamGraph):
    """A block of MobileNetV2 (M. Sandler et al., 2018): narrow to wide to narrow, all stages at work at once.

    ::

                          weights          weights         weights
                             ▼                ▼               ▼
                       ┌───────────┐    ┌───────────┐   ┌────────────┐
        i ──┬─────────►│ expansion ├───►│ depthwise ├──►│ projection ├──►┌─────┐
        (L) │          │ Pointwise │t·C │ Depthwise │t·C│ Pointwise  │Co │ Add ├─► o (L)
            │          └───────────┘    └───────────┘   └────────────┘ ┌►│     │
            │          ┌─────────────────────────────────────────────┐ │ └─────┘
            └─────────►│ delay: FIFO of C channels                   ├─┘
                       └─────────────────────────────────────────────┘

    Without an expansion (t = 1) the depthwise stage reads ``i``; without a residual the projection gives ``o``. The
    wide tensor exists only in the ring of the depthwise stage.

    Cycles per frame: those of its slowest stage, or the beats of a stream where they are more
    (``cycles_per_frame``). That rate is held by a ring, queues and a delay that hold the bursts between stages; each
    of them may be smaller, down to the least that works, and costs time only.

    The delay holds a pixel of C channels from its arrival until the projection has its counterpart. The block needs
    ``least_delay`` beats to make progress: what the first window of a row reaches ahead. With ``sufficient_delay``,
    which is what the other branch can hold, it never makes the others wait, under any stalls; for a given rate
    a schedule counts what is needed in between, about a kernel's lower half of rows and the stages' latency.

    Cost: ``multipliers`` of the three MAC arrays, ``memory_bits`` of ring, buffers, queues and delay. ``latency`` is
    that of an output pixel.

    Args:
        data_shape: of an element of the block's input.
        channels: C.
        lanes: of the block's input; with a residual also those of projection and output.
        expansion: None for t = 1.
        depthwise, projection: the other stages.
        residual: None for none.
        monitor: see :class:`~mbconv.hdl.stream_graph.StreamGraph`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, lanes)))``
        expansion_weights, depthwise_weights, projection_weights: ``In``, the stage's ``weights``
        expansion_requantization, depthwise_requantization, projection_requantization: ``In``, likewise
        o: ``Out(stream.Signature(ArrayLayout(output, lanes)))``

    Raises:
        ValueError: a stage's own parameters are refused; a residual around a stride, another number of channels or
            other lanes; a delay that would deadlock.
    """

    def __init__(
        self,
        *,
        data_shape: ShapeLike,
        channels: int,
        lanes: int,
        expansion: PointwiseStage | None,
        depthwise: DepthwiseStage,
        projection: PointwiseStage,
        residual: Residual | None = None,
        monitor=None,
    ):
        self.geometry, self.channels, self.lanes = depthwise.geometry, channels, lanes
        chain = {"expansion": expansion, "depthwise": depthwise, "projection": projection}
        chain = {name: parameters for name, parameters in chain.items() if parameters is not None}
        stages: dict[str, Component] = {}
        data = Shape.cast(data_shape), channels, lanes
        for name, parameters in chain.items():
            stages[name] = _stage(parameters, *data)
            data = parameters.format.output, getattr(parameters, "outputs", data[1]), parameters.lanes
        self.queues_before = {name: parameters.queue for name, parameters in chain.items()}
        self.mac_stages, self.delay = dict(stages), 0
        if residual is not None:
            self._check_residual(*data[1:])
            self.delay = self.sufficient_delay if residual.delay is None else residual.delay
            if self.delay < self.least_delay:
                raise ValueError(
                    f"a residual delay of {self.delay} beats deadlocks: this block needs {self.least_delay}"
                )
            shapes = data_shape, data[0], residual.output
            stages["add"] = Add(*shapes, lanes, residual.constants, name=residual.name)
        sources = [f"{name}_{port}" for name in chain for port in ("weights", "requantization")]
        super().__init__(stages, self._streams(list(chain), sources, residual), ("i", *sources), ("o",), monitor)

    def _check_residual(self, outputs: int, lanes: int) -> None:
        geometry = self.geometry
        before, after = (geometry.height, geometry.width), (geometry.output_height, geometry.output_width)
        if before != after:
            raise ValueError(f"a residual joins maps of the same size, not {before} and {after}")
        if self.channels != outputs:
            raise ValueError(f"a residual joins tensors of as many channels, not {self.channels} and {outputs}")
        if self.lanes != lanes:
            raise ValueError(f"a residual joins streams of as many lanes, not {self.lanes} and {lanes}")

    def _streams(self, chain: list[str], sources: list[str], residual: Residual | None) -> list[Stream]:
        def following(index: int) -> Port:
            if index < len(chain):
                return Port(chain[index], "i")
            return Port("", "o") if residual is None else Port("add", "second")

        readers, depths = [following(0)], [self.queues_before[chain[0]]]
        if residual is not None:
            readers.append(Port("add", "first"))
            depths.append(self.delay)
        streams = [Stream("input", Port("", "i"), tuple(readers), tuple(depths))]
        for index, name in enumerate(chain, 1):
            depth = self.queues_before[chain[index]] if index < len(chain) else 0
            streams.append(Stream(name, Port(name, "o"), (following(index),), (depth,)))
        if residual is not None:
            streams.append(Stream("add", Port("add", "o"), (Port("", "o"),)))
        for source in sources:
            name, _, port = source.partition("_")
            streams.append(Stream(source, Port("", source), (Port(name, port),)))
        return streams

    @property
    def cycles_per_frame(self) -> int:
        geometry = self.geometry
        cycles = [geometry.pixels * self._beats_per_pixel, self.mac_stages["depthwise"].cycles_per_frame]
        cycles.append(geometry.output_pixels * self.mac_stages["projection"].cycles_per_pixel)
        if "expansion" in self.mac_stages:
            cycles.append(geometry.pixels * self.mac_stages["expansion"].cycles_per_pixel)
        return max(cycles)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits: each stage begins a pixel with the last beat of the stage before it."""
        cycles = 0
        for name, stage in self.mac_stages.items():
            queue = self.queues_before[name]
            cycles += stage.latency + (Fifo(1, queue).latency if queue else 0)
            if name != "projection":
                mac = stage.mac
                cycles += (mac.blocks - 1) * mac.steps + (mac.result.last_beats - 1) * mac.interval
        return cycles + (self.stages["add"].latency if "add" in self.stages else 0)

    @property
    def _beats_per_pixel(self) -> int:
        """Of the block's input."""
        return -(-self.channels // self.lanes)

    @property
    def least_delay(self) -> int:
        """Beats of the residual's delay without which it would wait for ever.

        To be computed, output pixel n needs the pixels that its window requires, while n pixels have left the delay;
        the last beat may be ahead of it in the fork.
        """
        ahead = self.geometry.required - np.arange(self.geometry.output_pixels)
        return int(ahead.max()) * self._beats_per_pixel - 1

    @property
    def sufficient_delay(self) -> int:
        """Beats of the residual's delay with which it never makes the other branch wait: what that branch can hold.

        A multiply-accumulate stage holds a word being collected, its buffer, and the pixels of which its output queue
        holds a beat; every beat is counted as the part of a pixel that it is of the block's input, rounded up.
        """
        pixels = 0
        for name, stage in self.mac_stages.items():
            if isinstance(stage, Pointwise):
                held, queued, beats_in = (
                    stage.slots,
                    stage.mac.result.queue_depth,
                    -(-stage.inputs // stage.input_lanes),
                )
                beats_out = -(-stage.outputs // stage.lanes)
            else:
                before = np.append(0, self.geometry.released[:-1]) - np.arange(self.geometry.output_pixels)
                held, queued = stage.window.capacity + int(before.max()), stage.mac.result.queue_depth
                beats_in, beats_out = -(-stage.channels // stage.input_lanes), -(-stage.channels // stage.lanes)
            pixels += 1 + held + -(-queued // beats_out) + 1 + -(-self.queues_before[name] // beats_in)
        return pixels * self._beats_per_pixel


def _stage(parameters: PointwiseStage | DepthwiseStage, data_shape: Shape, channels: int, lanes: int) -> Component:
    common = {
        "data_shape": data_shape,
        "weight_shape": parameters.weight_shape,
        "format": parameters.format,
        "input_lanes": lanes,
        "lanes": parameters.lanes,
    }
    if isinstance(parameters, PointwiseStage):
        return Pointwise(
            inputs=channels,
            outputs=parameters.outputs,
            input_folding=parameters.input_folding,
            output_folding=parameters.output_folding,
            **common,
        )
    return Depthwise(
        parameters.geometry,
        channels=channels,
        channel_folding=parameters.channel_folding,
        taps=parameters.taps,
        pad_value=parameters.pad_value,
        capacity=parameters.capacity,
        **common,
    )
