"""The pointwise (1×1) convolution: Pi inputs × Po outputs a cycle. A fully connected layer is one of a single pixel.

With ``pixels`` more than one it takes so many pixels together: what Po leaves over of their outputs they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, connect, flipped

from .cost import NOTHING, Cost
from .counting import advance, delayed, step_level
from .layouts import ArrayLayout
from .mac import MacPipeline, stage_ports
from .mac_parameters import MacParameters, MacStageParameters
from .primitives import Ram
from .rest_queue import RestQueue
from .widen import Widen


@dataclass(frozen=True)
class PointwiseParameters(MacStageParameters):
    """Parameters of a :class:`Pointwise`.

    Args:
        inputs, outputs: channels Ci and Co.
        input_folding, output_folding: Pi (a multiple of ``input_lanes``) and Po (a multiple of ``lanes``).
        input_lanes, lanes: of the streams.
        pixels: Q, computed together; with more than one, Po leaves a rest of the outputs, and ``lanes`` divide it.
        slots: times so many pixels that the buffer holds.
        others: see :class:`~mbconv.hdl.mac_parameters.MacStageParameters`.

    Raises:
        ValueError: lanes do not divide a folding, or are too few to drain a group in its cycles; several pixels that
            have nothing to share, or whose outputs need more cycles to leave than to be made.
    """

    inputs: int
    outputs: int
    input_folding: int
    output_folding: int
    pixels: int = 1
    slots: int = 2

    available_delay: ClassVar[int] = 1
    """Cycles from the write of a pixel's last word to the first step that may read it."""

    release_delay: ClassVar[int] = 1
    """Cycles from the last step of a pixel to the write that may take its slot."""

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs", "pixels", "slots"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.input_folding < 1 or self.input_lanes < 1 or self.input_folding % self.input_lanes:
            raise ValueError(f"{self.input_lanes} input lanes do not divide the {self.input_folding} inputs a cycle")
        if self.input_folding >= self.inputs + self.input_lanes or not (
            1 <= self.output_folding < self.outputs + self.lanes
        ):
            raise ValueError(
                f"the folding {self.input_folding} × {self.output_folding} exceeds the {self.inputs} × {self.outputs} "
                "channels"
            )
        if self.pixels > 1 and (self.output_folding > self.outputs or not self.rest or self.rest % self.lanes):
            raise ValueError(
                f"{self.pixels} pixels share nothing: {self.output_folding} outputs a cycle leave no rest of "
                f"{self.outputs} outputs that fills beats of {self.lanes} lanes"
            )
        if self.cycles_per_group < self.leaving_cycles:
            raise ValueError(
                f"the outputs of {self.pixels} pixels leave over {self.lanes} lanes in {self.leaving_cycles} cycles, "
                f"but are made in {self.cycles_per_group}: more lanes are needed"
            )

    @property
    def words(self) -> int:
        """Of a pixel in the buffer, each a step of a block."""
        return -(-self.inputs // self.input_folding)

    @property
    def word_bits(self) -> int:
        """Of a word's number, which is the lower part of its address."""
        return (self.words - 1).bit_length()

    @property
    def rest(self) -> int:
        """Outputs of a pixel, its first ones, that are computed together with those of other pixels."""
        return self.outputs % self.output_folding if self.pixels > 1 else 0

    @property
    def own_blocks(self) -> int:
        """Blocks of outputs that a pixel has for itself."""
        return -(-(self.outputs - self.rest) // self.output_folding)

    @property
    def rest_blocks(self) -> int:
        """Blocks that the pixels share."""
        return -(-self.pixels * self.rest // self.output_folding)

    def rest_pixel(self, block: int, output: int) -> int:
        """The pixel that an output of a shared block belongs to; beyond the last rest any."""
        return min((block * self.output_folding + output) // max(self.rest, 1), self.pixels - 1)

    @property
    def buffer_depth(self) -> int:
        return (self.slots - 1 << self.word_bits) + self.words

    @cached_property
    def mac(self) -> MacParameters:
        mac = self._mac(self.queue_depth)
        if self.queue_depth is None and self.rest:
            # Own beats wait while rests leave in front of them, and longer where a pixel leaves more slowly than its
            # own blocks come.
            own_beats = self.own_blocks * mac.beats
            late = self.pixels * (self.rest_beats + own_beats - self.own_blocks * self.words)
            return self._mac(mac.queue_depth - -(max(0, late) + self.rest_beats) // mac.beats * mac.beats)
        return mac

    def _mac(self, queue_depth: int | None) -> MacParameters:
        common = {**self.common, "queue_depth": queue_depth}
        return MacParameters(
            outputs=self.output_folding,
            terms=self.input_folding,
            channels=self.pixels * self.outputs,
            steps=self.words,
            shared=self.pixels == 1,
            data_latency=self.family.memory_latency,
            **common,
        )

    @property
    def memory_bits(self) -> int:
        buffers = self.pixels * self.buffer_depth * self.input_folding * self.data_shape.width
        rests = self.pixels * self.rest * self.format.output.width
        return buffers + self.mac.memory_bits + rests

    @property
    def cycles_per_group(self) -> int:
        """Cycles of ``pixels`` pixels."""
        return self.mac.cycles_per_pixel

    @property
    def leaving_cycles(self) -> int:
        """Cycles in which the outputs of several pixels can leave: those of their beats, and those in which the rests
        of all but the first pixel, as large as they may be, only pass into their queue; 0 of one pixel, whose blocks
        see to it."""
        if self.pixels == 1:
            return 0
        return self.pixels * self.outputs // self.lanes + (self.pixels - 1) * (self.output_folding // self.lanes - 1)

    @property
    def widen_latency(self) -> int:
        """Cycles from taking a word's last beat to the word."""
        return int(self.input_lanes != self.input_folding)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat of ``pixels`` pixels to their first result at ``o``, when nothing waits."""
        waiting = self.rest_latency if self.rest else 0
        return self.widen_latency + self.available_delay + self.words - 1 + self.mac.latency + waiting

    @property
    def rest_beats(self) -> int:
        """Beats of a pixel's rest."""
        return self.rest // self.lanes

    @property
    def rest_latency(self) -> int:
        """Of the queue in which rests wait for their pixels."""
        return self.family.queue_latency(self.pixels * self.rest_beats)


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

    Where Po leaves a rest of the outputs, Q ``pixels`` may be taken together: the buffer is Q memories, one for each of
    them. First the rests of all Q pixels are computed, their first Co mod Po outputs, as one row of outputs in blocks
    of Po, of which each reads the pixel that it belongs to; then every pixel's other outputs, in whole blocks. Rests
    wait in a :class:`~mbconv.hdl.rest_queue.RestQueue` for their pixels.

    Cycles of Q pixels: ⌈Ci/Pi⌉ · ⌈Q·Co/Po⌉, every one of them a use of all Po × Pi multipliers; the stage holds that
    rate when its input arrives in as many cycles. The order of weights is that of the loops: for each group of Po
    outputs, for each group of Pi inputs, one beat [Po][Pi]; the period is Q pixels, of requantisation words too.
    Weights of channels that do not exist must be 0.

    Cost: Po × Pi multipliers; a buffer of ``slots`` · Q pixels, whose words are rounded up to a power of two so that an
    address is a slot beside a step; requantisation for Lo results; with Q > 1 for each operand of the multipliers a
    selection among Q, and the queue of the rests.

    Args:
        parameters: a :class:`PointwiseParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    def __init__(self, parameters: PointwiseParameters):
        self.parameters = p = parameters
        self.widen = Widen(p.data_shape, p.inputs, p.input_lanes, p.input_folding)
        word = ArrayLayout(p.data_shape, p.input_folding)
        self.buffers = [Ram(word, p.buffer_depth, family=p.family) for _ in range(p.pixels)]
        self.mac = MacPipeline(p.mac)
        self.rests = None
        if p.rest:
            beat = self.mac.o.payload.shape()
            own = p.own_blocks * p.mac.beats
            self.rests = RestQueue(beat, p.rest_beats, own, p.pixels, family=p.family)
        super().__init__(stage_ports(self.mac, p.input_lanes))

    @property
    def own_cost(self) -> Cost:
        """Of several pixels the selection of each operand."""
        p = self.parameters
        if p.pixels == 1:
            return NOTHING
        return Cost(p.multipliers * p.data_shape.width * (p.pixels - 1) + 20)

    @property
    def cycles_per_group(self) -> int:
        """Cycles of ``pixels`` pixels."""
        return self.parameters.cycles_per_group

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat of ``pixels`` pixels to their first result at ``o``, when nothing waits."""
        return self.parameters.latency

    @property
    def multipliers(self) -> int:
        return self.parameters.multipliers

    @property
    def memory_bits(self) -> int:
        return self.parameters.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.widen, m.submodules.mac = self.widen, self.mac
        for pixel, buffer in enumerate(self.buffers):
            m.submodules["buffer" if len(self.buffers) == 1 else f"buffer_{pixel}"] = buffer
        connect(m, flipped(self.i), self.widen.i)
        connect(m, flipped(self.weights), self.mac.weights)
        connect(m, flipped(self.requantization), self.mac.requantization)
        if self.rests is None:
            connect(m, self.mac.o, flipped(self.o))
        else:
            m.submodules.rests = self.rests
            connect(m, self.mac.o, self.rests.i)
            connect(m, self.rests.o, flipped(self.o))

        # A bit for each pixel, or so many together, whose words are all in the buffer, the oldest lowest.
        complete = Signal(self.parameters.slots)
        arrived, released = Signal(), Signal()
        step_level(m, complete, arrived, released)
        self._write(m, complete[-1], arrived)
        self._read(m, complete[0], released)
        return m

    def _write(self, m: Module, full: Value, arrived: Signal) -> None:
        p = self.parameters
        word, slot, pixel = Signal(p.word_bits), Signal(range(p.slots)), Signal(range(p.pixels))
        taken, whole = Signal(), Signal()  # a word, a pixel's last one
        m.d.comb += [
            self.widen.o.ready.eq(~full),
            taken.eq(self.widen.o.valid & self.widen.o.ready),
            whole.eq(taken & (word == p.words - 1)),
            arrived.eq(whole & (pixel == p.pixels - 1)),
        ]
        for index, buffer in enumerate(self.buffers):
            m.d.comb += [
                buffer.w_en.eq(taken & (pixel == index)),
                buffer.w_addr.eq(Cat(word, slot)),
                buffer.w_data.eq(self.widen.o.payload),
            ]
        with m.If(taken):
            advance(m, word, p.words)
        with m.If(whole):
            advance(m, pixel, p.pixels)
        with m.If(arrived):
            advance(m, slot, p.slots)

    def _read(self, m: Module, available: Value, released: Signal) -> None:
        """Issue: for each group of outputs, for each word; the blocks of the rests first, then pixel after pixel."""
        p = self.parameters
        step, slot, pixel = Signal(p.word_bits), Signal(range(p.slots)), Signal(range(p.pixels))
        block = Signal(range(max(p.own_blocks, p.rest_blocks)))  # of those of the rests, or of a pixel's own
        resting = Signal(init=1) if p.rest else Const(0)
        last_rest, last_own, ends = Signal(), Signal(), Signal()
        m.d.comb += [
            last_rest.eq(resting & (block == p.rest_blocks - 1)),
            last_own.eq(~resting & (block == p.own_blocks - 1)),
            ends.eq(last_own & (pixel == p.pixels - 1)),
            self.mac.first.eq(step == 0),
            self.mac.last.eq(step == p.words - 1),
            # The short block is the last of the rests; without them, of the pixel.
            self.mac.last_block.eq(last_rest if p.rest else ends),
            self.mac.issue.eq(self.mac.can_issue & available),
            *(buffer.r_addr.eq(Cat(step, slot)) for buffer in self.buffers),
            released.eq(self.mac.issue & self.mac.last & ends),
        ]
        self._operands(m, resting, block, pixel)
        with m.If(self.mac.issue):
            advance(m, step, p.words)
            with m.If(self.mac.last):
                if not p.rest:
                    advance(m, block, p.own_blocks)
                else:
                    m.d.sync += [
                        block.eq(Mux(last_rest | last_own, 0, block + 1)),
                        resting.eq(resting & ~last_rest | ends),
                    ]
                with m.If(last_own):
                    advance(m, pixel, p.pixels)
        with m.If(released):
            advance(m, slot, p.slots)

    def _operands(self, m: Module, resting: Signal, block: Signal, pixel: Signal) -> None:
        """The words of the pixels that the outputs of a step belong to."""
        p = self.parameters
        words = [buffer.r_data for buffer in self.buffers]
        if p.pixels == 1:
            m.d.comb += self.mac.data.eq(words[0])
            return
        # Of outputs that always read the same pixel one choice, registered as late as the data.
        chosen: dict[tuple[int, ...], Value] = {}
        width = len(Value.cast(words[0]))
        for output in range(p.output_folding):
            of = tuple(p.rest_pixel(rest, output) for rest in range(p.rest_blocks))
            if of not in chosen:
                choice = Signal(range(p.pixels), name=f"pixel_of_{output}")
                m.d.comb += choice.eq(Mux(resting, Array(of)[block] if len(of) > 1 else of[0], pixel))
                chosen[of] = delayed(m, choice, p.mac.data_latency, f"pixel_of_{output}_late")
            data = Value.cast(self.mac.data)[output * width : (output + 1) * width]
            m.d.comb += data.eq(Array(Value.cast(word) for word in words)[chosen[of]])
