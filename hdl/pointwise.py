"""The pointwise (1×1) convolution: Pi inputs × Po outputs a cycle. A fully connected layer is one of a single pixel."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, connect, flipped

from .fifo import advance
from .mac import MacPipeline, stage_ports
from .primitives import Ram, address_width
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

    A group of Q pixels arrives whole (⌈Ci/Pi⌉ words each), is then read once for each of ⌈Co/Po⌉ groups of outputs
    while the next arrives.

    Cycles per pixel: ⌈Ci/Pi⌉ · ⌈Co/Po⌉, every one of them a use of all Po × Pi multipliers; the stage holds that rate
    when its input arrives in as many cycles. The order of weights is that of the loops: for each group of Po outputs,
    for each group of Pi inputs, one beat [Po][Pi], which serves Q pixels; the period is a pixel group. Weights of
    channels that do not exist must be 0.

    Cost: Po × Pi multipliers; a buffer of 2·Q pixels; requantisation for Lo results; for Q > 1 a memory of 2·Q pixels
    of results.

    Args:
        inputs, outputs: channels Ci and Co.
        input_folding, output_folding: Pi (a multiple of ``input_lanes``) and Po (a multiple of ``lanes``).
        data_shape, weight_shape: of an element and of a weight already less its zero point.
        format: the requantisation, accumulator width included.
        input_lanes, lanes: of the streams.
        pixels: Q, pixels computed with each weight; divides the pixels of a frame.
        slots: pixel groups that the buffer holds.
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
        pixels: int = 1,
        slots: int = 2,
        interval: int | None = None,
        queue_depth: int | None = None,
    ):
        for name, value in (("inputs", inputs), ("outputs", outputs), ("pixels", pixels), ("slots", slots)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if input_folding < 1 or input_lanes < 1 or input_folding % input_lanes:
            raise ValueError(f"{input_lanes} input lanes do not divide the {input_folding} inputs a cycle")
        if input_folding >= inputs + input_lanes or not 1 <= output_folding < outputs + lanes:
            raise ValueError(
                f"the folding {input_folding} × {output_folding} exceeds the {inputs} × {outputs} channels"
            )
        self.inputs, self.outputs, self.pixels, self.slots = inputs, outputs, pixels, slots
        self.input_folding, self.output_folding = input_folding, output_folding
        self.input_lanes, self.lanes = input_lanes, lanes
        self.words = -(-inputs // input_folding)
        self.widen = Widen(data_shape, inputs, input_lanes, input_folding)
        self.buffer = Ram(ArrayLayout(data_shape, input_folding), slots * pixels * self.words)
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
            pixels=pixels,
        )
        super().__init__(stage_ports(self.mac, input_lanes))

    @property
    def cycles_per_pixel(self) -> int:
        return self.words * self.mac.blocks

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat of a pixel (of a group of Q pixels) to its first result at ``o``, when
        nothing waits."""
        steps = self.words if self.pixels == 1 else self.pixels * self.words * self.mac.blocks
        return self.widen.latency + self.AVAILABLE_DELAY + steps - 1 + self.mac.latency

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

        complete = Signal(range(self.slots + 1))  # pixel groups whose words are all in the buffer, not yet released
        arrived, released = Signal(), Signal()
        m.d.sync += complete.eq(complete + arrived - released)
        self._write(m, complete, arrived)
        self._read(m, complete, released)
        return m

    def _write(self, m: Module, complete: Signal, arrived: Signal) -> None:
        group = self.pixels * self.words
        address, word = Signal(address_width(self.buffer.depth)), Signal(range(max(2, group)))
        m.d.comb += [
            self.widen.o.ready.eq(complete != self.slots),
            self.buffer.w_en.eq(self.widen.o.valid & self.widen.o.ready),
            self.buffer.w_addr.eq(address),
            self.buffer.w_data.eq(self.widen.o.payload),
            arrived.eq(self.buffer.w_en & (word == group - 1)),
        ]
        with m.If(self.buffer.w_en):
            advance(m, address, self.buffer.depth)
            advance(m, word, group)

    def _read(self, m: Module, complete: Signal, released: Signal) -> None:
        """Issue: for each group of outputs, for each word, for each pixel; the address is kept ready for the next
        issue."""
        group = self.pixels * self.words
        width = address_width(self.buffer.depth)
        base, word, address = Signal(width), Signal(width), Signal(width)  # of the group, of its pixel 0, of the issue
        m.d.comb += [
            self.mac.issue.eq(self.mac.can_issue & (complete != 0)),
            self.mac.data.eq(self.buffer.r_data),
            self.buffer.r_addr.eq(address),
            released.eq(self.mac.issue & self.mac.last_pixel & self.mac.last_step & self.mac.last_block),
        ]
        with m.If(self.mac.issue):
            m.d.sync += address.eq(address + self.words)
            with m.If(self.mac.last_pixel):
                m.d.sync += [word.eq(word + 1), address.eq(word + 1)]
                with m.If(self.mac.last_step):
                    m.d.sync += [word.eq(base), address.eq(base)]
        with m.If(released):
            following = Mux(base == (self.slots - 1) * group, 0, base + group)
            m.d.sync += [base.eq(following), word.eq(following), address.eq(following)]
