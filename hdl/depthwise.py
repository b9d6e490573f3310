"""The depthwise convolution: P channels × K taps a cycle."""

from __future__ import annotations

from amaranth.hdl import Module, ShapeLike
from amaranth.lib.wiring import Component, connect, flipped

from .family import GENERIC, Family
from .mac import MacPipeline, stage_ports
from .requantize import RequantizeFormat
from .widen import Widen
from .window import Window
from .window_geometry import WindowGeometry


class Depthwise(Component):
    """Every channel of an output pixel is a dot product of its own window and filter.

    ::

                     ┌────────┐   ┌──────────────┐  taps  ┌─────────────────────────────┐
        i (Li lanes)─┤ Widen  ├──►│ Window       ├───────►│ MacPipeline                 ├─► o (Lo lanes)
                     │ Li → P │   │ ring of rows │ [P][K] │ P × K, accumulate, drain,   │
                     └────────┘   └──────────────┘        │ requantise, queue           │
                      weights [P][K] ────────────────────►│                             │
                      requantization [Lo] ───────────────►└─────────────────────────────┘

    Cycles per frame: output pixels · ⌈C/P⌉ · ⌈k²/K⌉, every one of them a use of all P × K multipliers; row ends, frame
    ends and requantisation cost none. The order of weights is that of the loops: for each group of P channels, for
    each group of K taps (row-major), one beat [P][K]; the period is an output pixel. Weights of channels that do not
    exist must be 0.

    Cost: P × K multipliers; the window's ring; requantisation for Lo results.

    Args:
        geometry: map, kernel, strides and padding.
        channels: C.
        channel_folding: P, a multiple of both ``input_lanes`` and ``lanes``.
        taps: K: 1, a kernel row, or the whole kernel.
        data_shape, weight_shape: of an element and of a weight already less its zero point.
        format: the requantisation, accumulator width included.
        input_lanes, lanes: of the streams.
        pad_value: of taps in the padding.
        capacity: pixels of the window's ring; see :class:`~mbconv.hdl.window.Window`.
        interval, queue_depth, elastic: see :class:`~mbconv.hdl.mac.MacPipeline`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``

    Raises:
        ValueError: lanes do not divide the folding or are too few to drain a group in its cycles, or the window's
            parameters are refused.
    """

    AVAILABLE_DELAY = Window.AVAILABLE_DELAY
    RELEASE_DELAY = Window.RELEASE_DELAY

    def __init__(
        self,
        geometry: WindowGeometry,
        *,
        channels: int,
        channel_folding: int,
        taps: int,
        data_shape: ShapeLike,
        weight_shape: ShapeLike,
        format: RequantizeFormat,
        input_lanes: int,
        lanes: int,
        pad_value: int = 0,
        capacity: int | None = None,
        interval: int | None = None,
        queue_depth: int | None = None,
        elastic: bool = False,
        family: Family = GENERIC,
    ):
        if input_lanes < 1 or channel_folding < 1 or channel_folding % input_lanes:
            raise ValueError(f"{input_lanes} input lanes do not divide the {channel_folding} channels a cycle")
        self.geometry, self.channels = geometry, channels
        self.channel_folding, self.taps = channel_folding, taps
        self.input_lanes, self.lanes = input_lanes, lanes
        self.widen = Widen(data_shape, channels, input_lanes, channel_folding)
        self.window = Window(
            geometry,
            shape=data_shape,
            channels=channels,
            lanes=channel_folding,
            taps=taps,
            capacity=capacity,
            pad_value=pad_value,
            family=family,
        )
        self.mac = MacPipeline(
            outputs=channel_folding,
            terms=taps,
            channels=channels,
            steps=self.window.steps,
            data_shape=data_shape,
            weight_shape=weight_shape,
            format=format,
            lanes=lanes,
            shared=False,
            data_latency=self.window.latency,
            interval=interval,
            queue_depth=queue_depth,
            elastic=elastic,
            family=family,
        )
        super().__init__(stage_ports(self.mac, input_lanes))

    @property
    def cycles_per_frame(self) -> int:
        return self.window.cycles_per_frame

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return self.widen.latency + self.AVAILABLE_DELAY + self.mac.steps - 1 + self.mac.latency

    @property
    def multipliers(self) -> int:
        return self.mac.multipliers

    @property
    def memory_bits(self) -> int:
        return self.window.memory_bits + self.mac.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.widen, m.submodules.window, m.submodules.mac = self.widen, self.window, self.mac
        connect(m, flipped(self.i), self.widen.i)
        connect(m, self.widen.o, self.window.i)
        connect(m, flipped(self.weights), self.mac.weights)
        connect(m, flipped(self.requantization), self.mac.requantization)
        connect(m, self.mac.o, flipped(self.o))
        m.d.comb += [
            self.window.permit.eq(self.mac.can_issue),
            self.mac.issue.eq(self.window.issued),
            self.mac.first.eq(self.window.first),
            self.mac.last.eq(self.window.last),
            self.mac.last_block.eq(self.window.last_group),
            self.mac.data.as_value().eq(self.window.o.as_value()),
        ]
        return m
