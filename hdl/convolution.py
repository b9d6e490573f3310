"""The full convolution: a window whose taps a pointwise stage reads as inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib.wiring import Component, connect, flipped

from .cost import NOTHING
from .credit_queue import least_depth
from .mac import stage_ports
from .mac_parameters import MacParameters, MacStageParameters
from .narrow import Narrow
from .pointwise import Pointwise, PointwiseParameters
from .widen import Widen
from .window_geometry import AVAILABLE_DELAY, WindowGeometry
from .window_parameters import WindowParameters
from .window_stream import WindowStream


@dataclass(frozen=True)
class ConvolutionParameters(MacStageParameters):
    """Parameters of a :class:`Convolution`.

    Args:
        geometry: map, kernel, strides and padding.
        channels, outputs: C and Co.
        taps: K: 1, a kernel row, or the whole kernel; one of K·C and Pi divides the other.
        input_folding, output_folding: Pi and Po.
        input_lanes, lanes: of the streams; the first divides C.
        pad_value: of taps in the padding.
        capacity: pixels of the window's ring; see :class:`~mbconv.hdl.window_parameters.WindowParameters`.
        others: see :class:`~mbconv.hdl.mac_parameters.MacStageParameters`.

    Raises:
        ValueError: lanes, taps and folding that do not divide as above.
    """

    geometry: WindowGeometry
    channels: int
    outputs: int
    taps: int
    input_folding: int
    output_folding: int
    pad_value: int = 0
    capacity: int | None = None

    def __post_init__(self) -> None:
        given = self.given
        if given < 1 or self.input_folding < 1:
            raise ValueError(
                f"{self.taps} taps of {self.channels} channels cannot feed {self.input_folding} inputs a cycle"
            )
        if given % self.input_folding and self.input_folding % given:
            raise ValueError(
                f"neither of {given} taps a beat and {self.input_folding} inputs a cycle divides the other"
            )
        if self.input_lanes < 1 or self.channels % self.input_lanes:
            raise ValueError(f"{self.input_lanes} lanes do not divide the {self.channels} lanes to be collected")
        _ = self.window, self.pointwise

    @property
    def given(self) -> int:
        """Elements of a beat of the window."""
        return self.taps * self.channels

    @property
    def pieces(self) -> int:
        """Beats that each of the window's is narrowed to."""
        return self.given // self.pointwise.input_lanes

    @cached_property
    def window(self) -> WindowParameters:
        return WindowParameters(
            self.geometry,
            self.data_shape,
            self.channels,
            self.channels,
            self.taps,
            self.capacity,
            self.pad_value,
            self.family,
        )

    @property
    def window_queue_depth(self) -> int:
        return least_depth(self.window.latency, self.family)

    @property
    def window_latency(self) -> int:
        """Cycles from a step's issue to its beat behind the window's queue."""
        return self.window.latency + self.family.queue_latency(self.window_queue_depth)

    @cached_property
    def pointwise(self) -> PointwiseParameters:
        return PointwiseParameters(
            inputs=self.geometry.taps * self.channels,
            outputs=self.outputs,
            input_folding=self.input_folding,
            output_folding=self.output_folding,
            input_lanes=min(self.given, self.input_folding),
            **self.common,
        )

    @property
    def mac(self) -> MacParameters:
        return self.pointwise.mac

    @property
    def memory_bits(self) -> int:
        queue = self.window_queue_depth * self.given * self.data_shape.width
        return self.window.memory_bits + queue + self.pointwise.memory_bits

    @property
    def cycles_per_frame(self) -> int:
        return max(self.geometry.output_pixels * self.pointwise.cycles_per_group, self.window.cycles_per_frame)

    @property
    def widen_latency(self) -> int:
        """Cycles from taking a word's last beat to the word."""
        return int(self.input_lanes != self.channels)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        beats = self.geometry.taps // self.taps * self.pieces
        arrival = self.widen_latency + AVAILABLE_DELAY + self.window_latency + int(self.pieces > 1)
        return arrival + beats - 1 + self.pointwise.latency


class Convolution(Component):
    """Every output channel of a pixel is a dot product over the whole window: a network's first convolution.

    ::

                     ┌────────┐   ┌──────────────┐ taps  ┌──────────┐   ┌───────────────────┐
        i (Li lanes)─┤ Widen  ├──►│ WindowStream ├──────►│ Narrow   ├──►│ Pointwise, over   ├─► o (Lo lanes)
                     │ Li → C │   │ ring of rows │ [K·C] │ K·C → Pi │   │ k²·C inputs       │
                     └────────┘   └──────────────┘       └──────────┘   │ Pi × Po           │
                      weights [Po][Pi], requantization [Lo] ───────────►└───────────────────┘

    A depthwise convolution of one input channel with a depth multiplier is one too.

    Cycles per frame: output pixels · ⌈k²·C/Pi⌉ · ⌈Co/Po⌉, or, where more, the window's output pixels · k²/K. The order
    of weights is that of :class:`~mbconv.hdl.pointwise.Pointwise` with the kernel's taps in row-major order, the
    channels of each together.

    Cost: Pi × Po multipliers; the window's ring and queue; two output pixels' taps; requantisation for Lo results.

    Args:
        parameters: a :class:`ConvolutionParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    own_cost = NOTHING

    def __init__(self, parameters: ConvolutionParameters):
        self.parameters = p = parameters
        self.widen = Widen(p.data_shape, p.channels, p.input_lanes, p.channels)
        self.window = WindowStream(p.window, p.window_queue_depth)
        self.narrow = Narrow(p.data_shape, p.pointwise.inputs, p.given, p.pointwise.input_lanes)
        self.pointwise = Pointwise(p.pointwise)
        super().__init__(stage_ports(self.pointwise.mac, p.input_lanes))

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
        return self.parameters.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        for name in ("widen", "window", "narrow", "pointwise"):
            m.submodules[name] = getattr(self, name)
        connect(m, flipped(self.i), self.widen.i)
        connect(m, self.widen.o, self.window.i)
        connect(m, self.window.o, self.narrow.i)
        connect(m, self.narrow.o, self.pointwise.i)
        connect(m, flipped(self.weights), self.pointwise.weights)
        connect(m, flipped(self.requantization), self.pointwise.requantization)
        connect(m, self.pointwise.o, flipped(self.o))
        return m
