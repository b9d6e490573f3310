"""The full convolution: a window whose taps a pointwise stage reads as inputs."""

from __future__ import annotations

from amaranth.hdl import Module, ShapeLike
from amaranth.lib.wiring import Component, connect, flipped

from .family import GENERIC, Family
from .mac import stage_ports
from .narrow import Narrow
from .pointwise import Pointwise
from .requantize import RequantizeFormat
from .widen import Widen
from .window_geometry import WindowGeometry
from .window_stream import WindowStream


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
        geometry: map, kernel, strides and padding.
        channels, outputs: C and Co.
        taps: K: 1, a kernel row, or the whole kernel; one of K·C and Pi divides the other.
        input_folding, output_folding: Pi and Po.
        data_shape, weight_shape: of an element and of a weight already less its zero point.
        format: the requantisation, accumulator width included.
        input_lanes, lanes: of the streams; the first divides C.
        pad_value: of taps in the padding.
        capacity: pixels of the window's ring; see :class:`~mbconv.hdl.window.Window`.
        interval, queue_depth, elastic: see :class:`~mbconv.hdl.mac.MacPipeline`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``

    Raises:
        ValueError: lanes, taps and folding that do not divide as above.
    """

    AVAILABLE_DELAY = WindowStream.AVAILABLE_DELAY
    RELEASE_DELAY = WindowStream.RELEASE_DELAY

    def __init__(
        self,
        geometry: WindowGeometry,
        *,
        channels: int,
        outputs: int,
        taps: int,
        input_folding: int,
        output_folding: int,
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
        given = taps * channels
        if given < 1 or input_folding < 1:
            raise ValueError(f"{taps} taps of {channels} channels cannot feed {input_folding} inputs a cycle")
        if given % input_folding and input_folding % given:
            raise ValueError(f"neither of {given} taps a beat and {input_folding} inputs a cycle divides the other")
        self.geometry, self.channels, self.outputs, self.taps = geometry, channels, outputs, taps
        self.widen = Widen(data_shape, channels, input_lanes, channels)
        self.window = WindowStream(
            geometry,
            shape=data_shape,
            channels=channels,
            taps=taps,
            capacity=capacity,
            pad_value=pad_value,
            family=family,
        )
        inputs = geometry.taps * channels
        fed = min(given, input_folding)
        self.narrow = Narrow(data_shape, inputs, given, fed)
        self.pointwise = Pointwise(
            inputs=inputs,
            outputs=outputs,
            input_folding=input_folding,
            output_folding=output_folding,
            data_shape=data_shape,
            weight_shape=weight_shape,
            format=format,
            input_lanes=fed,
            lanes=lanes,
            interval=interval,
            queue_depth=queue_depth,
            elastic=elastic,
            family=family,
        )
        super().__init__(stage_ports(self.pointwise.mac, input_lanes))

    @property
    def cycles_per_frame(self) -> int:
        return max(self.geometry.output_pixels * self.pointwise.cycles_per_pixel, self.window.cycles_per_frame)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        beats = self.geometry.taps // self.taps * (self.narrow.lanes_in // self.narrow.lanes_out)
        arrival = self.widen.latency + self.AVAILABLE_DELAY + self.window.latency + self.narrow.latency
        return arrival + beats - 1 + self.pointwise.latency

    @property
    def multipliers(self) -> int:
        return self.pointwise.multipliers

    @property
    def memory_bits(self) -> int:
        return self.window.memory_bits + self.pointwise.memory_bits

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
