"""The pointwise (1×1) convolution: Pi inputs × Po outputs a cycle. A fully connected layer is one of a single pixel."""

from __future__ import annotations

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .fifo import advance
from .mac import MacPipeline
from .primitives import Ram
from .requantize import RequantizeFormat
from .widen import Widen


class Pointwise(Component):
    """Every output channel of a pixel is a dot product over its input channels.

    ::

                     ┌────────┐   ┌───────────────┐   ┌─────────────────────────────┐
        i (Li lanes)─┤ Widen  ├──►│ pixel buffer  ├──►│ MacPipeline                 ├─► o (Lo lanes)
                     │ Li → Pi│   │ slots × words │   │ Po × Pi, accumulate, drain, │
                     └────────┘   └───────────────┘   │ requantise, queue           │
                      weights [Po][Pi] ──────────────►│                             │
                      requantization [Lo] ───────────►└─────────────────────────────┘

    A pixel arrives whole (⌈Ci/Pi⌉ words), is then read once for each of ⌈Co/Po⌉ groups of outputs while the next arrives.

    Cycles per pixel: ⌈Ci/Pi⌉ · ⌈Co/Po⌉, every one of them a use of all Po × Pi multipliers; the stage holds that rate when its
    input arrives in as many cycles. The order of weights is that of the loops: for each group of Po outputs, for each
    group of Pi inputs, one beat [Po][Pi]; the period is a pixel. Weights of channels that do not exist must be 0.

    Cost: Po × Pi multipliers; a buffer of 2 pixels; requantisation for Lo results.

    Args:
        inputs, outputs: channels Ci and Co.
        input_folding, output_folding: Pi (a multiple of ``input_lanes``) and Po (a multiple of ``lanes``).
        data_shape, weight_shape: of an element and of a weight already less its zero point.
        format: the requantisation, accumulator width included.
        input_lanes, lanes: of the streams.
        slots: pixels that the buffer holds.
        interval, queue_depth: see :class:`~mbconv.hdl.mac.MacPipeline`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``

    Raises:
        ValueError: lanes do not divide a folding, or are too few to drain a group in its cycles.
    """

    AVAILABLE_DELAY = 1
    """Cycles from the write of a pixel's last word to the first step that may read it."""

    RELEASE_DELAY = 1
    """Cycles from the last step of a pixel to the write that may take its slot."""

    def __init__(
        self,
        *,
        inputs: int,
        outputs: int,
        input_folding: int,
        output_folding: int,
        data_shape: ShapeLike,
        weight_shape: ShapeLike,
        format: RequantizeFormat,
        input_lanes: int,
        lanes: int,
        slots: int = 2,
        interval: int | None = None,
        queue_depth: int | None = None,
    ):
        for name, value in (("inputs", inputs), ("outputs", outputs), ("slots", slots)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if not 1 <= input_folding <= inputs or not 1 <= output_folding <= outputs:
            raise ValueError(
                f"the folding {input_folding} × {output_folding} must lie within the {inputs} × {outputs} channels"
            )
        if input_lanes < 1 or input_folding % input_lanes:
            raise ValueError(f"{input_lanes} input lanes do not divide the {input_folding} inputs a cycle")
        self.inputs, self.outputs, self.slots = inputs, outputs, slots
        self.input_folding, self.output_folding = input_folding, output_folding
        self.input_lanes, self.lanes = input_lanes, lanes
        self.words = -(-inputs // input_folding)
        self.widen = Widen(data_shape, inputs, input_lanes, input_folding)
        self.buffer = Ram(ArrayLayout(data_shape, input_folding), slots * self.words)
        self.mac = MacPipeline(
            outputs=output_folding,
            terms=input_folding,
            channels=outputs,
            steps=self.words,
            data_shape=data_shape,
            weight_shape=weight_shape,
            format=format,
            lanes=lanes,
            shared=True,
            data_latency=Ram.LATENCY,
            interval=interval,
            queue_depth=queue_depth,
        )
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(data_shape, input_lanes))),
                "weights": In(Signature(self.mac.weights.payload.shape())),
                "requantization": In(Signature(ArrayLayout(format.word_layout, lanes))),
                "o": Out(Signature(ArrayLayout(format.output, lanes))),
            }
        )

    @property
    def cycles_per_pixel(self) -> int:
        return self.words * self.mac.blocks

    @property
    def latency(self) -> int:
        """Cycles from the first step of a pixel to its first beat at ``o``, when nothing stalls."""
        return self.words - 1 + self.mac.latency

    @property
    def multipliers(self) -> int:
        return self.mac.multipliers

    @property
    def memory_bits(self) -> int:
        return self.buffer.memory_bits + self.mac.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.widen, m.submodules.buffer, m.submodules.mac = self.widen, self.buffer, self.mac
        connect(m, flipped(self.i), self.widen.i)
        connect(m, flipped(self.weights), self.mac.weights)
        connect(m, flipped(self.requantization), self.mac.requantization)
        connect(m, self.mac.o, flipped(self.o))

        complete = Signal(range(self.slots + 1))  # pixels in the buffer, all of their words written, not yet released
        arrived, released = Signal(), Signal()
        m.d.sync += complete.eq(complete + arrived - released)

        write, last_word = Signal(range(self.buffer.depth)), Signal()
        word = Signal(range(max(2, self.words)))
        m.d.comb += [
            self.widen.o.ready.eq(complete != self.slots),
            self.buffer.w_en.eq(self.widen.o.valid & self.widen.o.ready),
            self.buffer.w_addr.eq(write),
            self.buffer.w_data.eq(self.widen.o.payload),
            last_word.eq(word == self.words - 1),
            arrived.eq(self.buffer.w_en & last_word),
        ]
        with m.If(self.buffer.w_en):
            advance(m, write, self.buffer.depth)
            advance(m, word, self.words)

        base, offset = Signal(range(self.buffer.depth)), Signal(range(max(2, self.words)))
        m.d.comb += [
            self.mac.issue.eq(self.mac.can_issue & (complete != 0)),
            self.mac.data.eq(self.buffer.r_data),
            self.buffer.r_addr.eq(base + offset),
            released.eq(self.mac.issue & self.mac.last_step & self.mac.last_block),
        ]
        with m.If(self.mac.issue):
            advance(m, offset, self.words)
        with m.If(released):
            with m.If(base == (self.slots - 1) * self.words):
                m.d.sync += base.eq(0)
            with m.Else():
                m.d.sync += base.eq(base + self.words)
        return m
