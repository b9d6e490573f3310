"""A line buffer whose taps are a stream."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING
from .credit_queue import CreditQueue, least_depth
from .layouts import ArrayLayout
from .window import Window
from .window_parameters import WindowParameters


class WindowStream(Component):
    """A window whose taps leave as a stream: what a convolution's pointwise stage reads.

    All C channels of a pixel are one beat (P = C). An output beat holds K taps of C channels, tap-major: element t·C +
    c is channel c of the beat's tap t. An output pixel is ⌈taps of the kernel/K⌉ beats.

    Cycles per frame: output height × output width × ⌈taps of the kernel/K⌉. A step is issued when its pixels are there
    and the queue has room; its beat is valid at ``o`` ``latency`` cycles later. Cost: that of :class:`Window`, and a
    queue of ``queue_depth`` beats.

    Args:
        parameters: a :class:`~mbconv.hdl.window_parameters.WindowParameters` of as many lanes as channels.
        queue_depth: beats; by default the least that does not delay a consumer that is always ready.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, C)))``
        o: ``Out(stream.Signature(ArrayLayout(shape, K · C)))``
    """

    multipliers = 0
    own_cost = NOTHING

    def __init__(self, parameters: WindowParameters, queue_depth: int | None = None):
        self.parameters = p = parameters
        if p.lanes != p.channels:
            raise ValueError(f"the {p.channels} channels of a pixel are one beat, not beats of {p.lanes}")
        self.window = Window(p)
        beat = ArrayLayout(p.shape, p.taps * p.channels)
        self.queue_depth = least_depth(p.latency, p.family) if queue_depth is None else queue_depth
        self.queue = CreditQueue(beat, self.queue_depth, family=p.family)
        super().__init__({"i": In(Signature(ArrayLayout(p.shape, p.channels))), "o": Out(Signature(beat))})

    @property
    def cycles_per_frame(self) -> int:
        return self.window.cycles_per_frame

    @property
    def latency(self) -> int:
        """Cycles from a step's issue to its beat being valid."""
        return self.window.latency + self.queue.latency

    @property
    def memory_bits(self) -> int:
        return self.window.memory_bits + self.queue.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.window, m.submodules.queue = self.window, self.queue
        connect(m, flipped(self.i), self.window.i)
        connect(m, self.queue.o, flipped(self.o))
        m.d.comb += [
            self.window.permit.eq(self.queue.room),
            self.queue.reserve.eq(self.window.issued),
            self.queue.push.eq(self.window.o_valid),
        ]
        channels = self.parameters.channels
        for tap in range(self.parameters.taps):
            for channel in range(channels):
                element = self.queue.payload[tap * channels + channel]
                m.d.comb += element.eq(self.window.o[channel][tap])
        return m
