"""The pointwise (1×1) convolution: Pi inputs × Po outputs a cycle. A fully connected layer is one of a single pixel."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, ShapeLike, Signal, Value
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, connect, flipped

from .counting import advance, step_level
from .family import GENERIC, Family
from .mac import MacPipeline, stage_ports
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

    A pixel arrives whole (⌈Ci/Pi⌉ words), is then read once for each of ⌈Co/Po⌉ groups of outputs while the next
    arrives.

    Cycles per pixel: ⌈Ci/Pi⌉ · ⌈Co/Po⌉, every one of them a use of all Po × Pi multipliers; the stage holds that rate
    when its input arrives in as many cycles. The order of weights is that of the loops: for each group of Po outputs,
    for each group of Pi inputs, one beat [Po][Pi]; the period is a pixel. Weights of channels that do not exist must
    be 0.

    Cost: Po × Pi multipliers; a buffer of ``slots`` pixels, whose words are rounded up to a power of two so that an
    address is a slot beside a step; requantisation for Lo results.

    Args:
        inputs, outputs: channels Ci and Co.
        input_folding, output_folding: Pi (a multiple of ``input_lanes``) and Po (a multiple of ``lanes``).
        data_shape, weight_shape: of an element and of a weight already less its zero point.
        format: the requantisation, accumulator width included.
        input_lanes, lanes: of the streams.
        slots: pixels that the buffer holds.
        interval, queue_depth, elastic: see :class:`~mbconv.hdl.mac.MacPipeline`.

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
        elastic: bool = False,
        family: Family = GENERIC,
    ):
        for name, value in (("inputs", inputs), ("outputs", outputs), ("slots", slots)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if input_folding < 1 or input_lanes < 1 or input_folding % input_lanes:
            raise ValueError(f"{input_lanes} input lanes do not divide the {input_folding} inputs a cycle")
        if input_folding >= inputs + input_lanes or not 1 <= output_folding < outputs + lanes:
            raise ValueError(
                f"the folding {input_folding} × {output_folding} exceeds the {inputs} × {outputs} channels"
            )
        self.inputs, self.outputs, self.slots = inputs, outputs, slots
        self.input_folding, self.output_folding = input_folding, output_folding
        self.input_lanes, self.lanes = input_lanes, lanes
        self.words = -(-inputs // input_folding)
        self.widen = Widen(data_shape, inputs, input_lanes, input_folding)
        self._word_bits = (self.words - 1).bit_length()
        depth = (slots - 1 << self._word_bits) + self.words
        self.buffer = Ram(ArrayLayout(data_shape, input_folding), depth, family=family)
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
            data_latency=self.buffer.latency,
            interval=interval,
            queue_depth=queue_depth,
            elastic=elastic,
            family=family,
        )
        super().__init__(stage_ports(self.mac, input_lanes))

    @property
    def cycles_per_pixel(self) -> int:
        return self.words * self.mac.blocks

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat of a pixel to its first result at ``o``, when nothing waits."""
        return self.widen.latency + self.AVAILABLE_DELAY + self.words - 1 + self.mac.latency

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

        complete = Signal(self.slots)  # a bit for each pixel whose words are all in the buffer, the oldest lowest
        arrived, released = Signal(), Signal()
        step_level(m, complete, arrived, released)
        self._write(m, complete[-1], arrived)
        self._read(m, complete[0], released)
        return m

    def _write(self, m: Module, full: Value, arrived: Signal) -> None:
        word, slot = Signal(self._word_bits), Signal(range(self.slots))
        m.d.comb += [
            self.widen.o.ready.eq(~full),
            self.buffer.w_en.eq(self.widen.o.valid & self.widen.o.ready),
            self.buffer.w_addr.eq(Cat(word, slot)),
            self.buffer.w_data.eq(self.widen.o.payload),
            arrived.eq(self.buffer.w_en & (word == self.words - 1)),
        ]
        with m.If(self.buffer.w_en):
            advance(m, word, self.words)
        with m.If(arrived):
            advance(m, slot, self.slots)

    def _read(self, m: Module, available: Value, released: Signal) -> None:
        """Issue: for each group of outputs, for each word."""
        step, slot, block = Signal(self._word_bits), Signal(range(self.slots)), Signal(range(self.mac.blocks))
        m.d.comb += [
            self.mac.first.eq(step == 0),
            self.mac.last.eq(step == self.words - 1),
            self.mac.last_block.eq(block == self.mac.blocks - 1),
            self.mac.issue.eq(self.mac.can_issue & available),
            self.mac.data.eq(self.buffer.r_data),
            self.buffer.r_addr.eq(Cat(step, slot)),
            released.eq(self.mac.issue & self.mac.last & self.mac.last_block),
        ]
        with m.If(self.mac.issue):
            advance(m, step, self.words)
            with m.If(self.mac.last):
                advance(m, block, self.mac.blocks)
        with m.If(released):
            advance(m, slot, self.slots)
