"""The depthwise convolution: P channels × K taps a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, connect, flipped

from .cost import NOTHING
from .mac import MacPipeline, stage_ports
from .mac_parameters import MacParameters, MacStageParameters
from .widen import Widen
from .window import Window
from .window_geometry import AVAILABLE_DELAY, WindowGeometry
from .window_parameters import WindowParameters


@dataclass(frozen=True)
class DepthwiseParameters(MacStageParameters):
    """Parameters of a :class:`Depthwise`.

    Args:
        geometry: map, kernel, strides and padding.
        channels: C.
        channel_folding: P, a multiple of both ``input_lanes`` and ``lanes``.
        taps: K: 1, a kernel row, or the whole kernel.
        input_lanes, lanes: of the streams.
        pad_value: of taps in the padding.
        capacity: pixels of the window's ring; see :class:`~mbconv.hdl.window_parameters.WindowParameters`.
        others: see :class:`~mbconv.hdl.mac_parameters.MacStageParameters`.

    Raises:
        ValueError: lanes do not divide the folding or are too few to drain a group in its cycles, or the window's
            parameters are refused.
    """

    geometry: WindowGeometry
    channels: int
    channel_folding: int
    taps: int
    pad_value: int = 0
    capacity: int | None = None

    def __post_init__(self) -> None:
        if self.input_lanes < 1 or self.channel_folding < 1 or self.channel_folding % self.input_lanes:
            raise ValueError(
                f"{self.input_lanes} input lanes do not divide the {self.channel_folding} channels a cycle"
            )
        _ = self.window, self.mac

    @cached_property
    def window(self) -> WindowParameters:
        return WindowParameters(
            self.geometry,
            self.data_shape,
            self.channels,
            self.channel_folding,
            self.taps,
            self.capacity,
            self.pad_value,
            self.family,
        )

    @cached_property
    def mac(self) -> MacParameters:
        return MacParameters(
            outputs=self.channel_folding,
            terms=self.taps,
            channels=self.channels,
            steps=self.window.steps,
            shared=False,
            data_latency=self.window.latency,
            **self.common,
        )

    @property
    def cycles_per_frame(self) -> int:
        return self.window.cycles_per_frame

    @property
    def widen_latency(self) -> int:
        """Cycles from taking a word's last beat to the word."""
        return int(self.input_lanes != self.channel_folding)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return self.widen_latency + AVAILABLE_DELAY + self.mac.steps - 1 + self.mac.latency


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
        parameters: a :class:`DepthwiseParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    own_cost = NOTHING

    def __init__(self, parameters: DepthwiseParameters):
        self.parameters = p = parameters
        self.widen = Widen(p.data_shape, p.channels, p.input_lanes, p.channel_folding)
        self.window = Window(p.window)
        self.mac = MacPipeline(p.mac)
        super().__init__(stage_ports(self.mac, p.input_lanes))

    @property
    def cycles_per_frame(self) -> int:
        return self.parameters.cycles_per_frame

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return self.parameters.latency

    @property
    def multipliers(self) -> int:
        return self.parameters.multipliers

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
