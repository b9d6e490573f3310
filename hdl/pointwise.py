"""The pointwise (1×1) convolution: Pi inputs × Po outputs a cycle. A fully connected layer is one of a single pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, connect, flipped

from .cost import NOTHING
from .counting import advance, step_level
from .layouts import ArrayLayout
from .mac import MacPipeline, stage_ports
from .mac_parameters import MacParameters, MacStageParameters
from .primitives import Ram
from .widen import Widen


@dataclass(frozen=True)
class PointwiseParameters(MacStageParameters):
    """Parameters of a :class:`Pointwise`.

    Args:
        inputs, outputs: channels Ci and Co.
        input_folding, output_folding: Pi (a multiple of ``input_lanes``) and Po (a multiple of ``lanes``).
        input_lanes, lanes: of the streams.
        slots: pixels that the buffer holds.
        others: see :class:`~mbconv.hdl.mac_parameters.MacStageParameters`.

    Raises:
        ValueError: lanes do not divide a folding, or are too few to drain a group in its cycles.
    """

    inputs: int
    outputs: int
    input_folding: int
    output_folding: int
    slots: int = 2

    available_delay: ClassVar[int] = 1
    """Cycles from the write of a pixel's last word to the first step that may read it."""

    release_delay: ClassVar[int] = 1
    """Cycles from the last step of a pixel to the write that may take its slot."""

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs", "slots"):
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
        _ = self.mac

    @property
    def words(self) -> int:
        """Of a pixel in the buffer, each a step of a block."""
        return -(-self.inputs // self.input_folding)

    @property
    def word_bits(self) -> int:
        """Of a word's number, which is the lower part of its address."""
        return (self.words - 1).bit_length()

    @property
    def buffer_depth(self) -> int:
        return (self.slots - 1 << self.word_bits) + self.words

    @cached_property
    def mac(self) -> MacParameters:
        return MacParameters(
            outputs=self.output_folding,
            terms=self.input_folding,
            channels=self.outputs,
            steps=self.words,
            shared=True,
            data_latency=self.family.memory_latency,
            **self.common,
        )

    @property
    def cycles_per_pixel(self) -> int:
        return self.mac.cycles_per_pixel

    @property
    def widen_latency(self) -> int:
        """Cycles from taking a word's last beat to the word."""
        return int(self.input_lanes != self.input_folding)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat of a pixel to its first result at ``o``, when nothing waits."""
        return self.widen_latency + self.available_delay + self.words - 1 + self.mac.latency


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
        parameters: a :class:`PointwiseParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    own_cost = NOTHING

    def __init__(self, parameters: PointwiseParameters):
        self.parameters = p = parameters
        self.widen = Widen(p.data_shape, p.inputs, p.input_lanes, p.input_folding)
        self.buffer = Ram(ArrayLayout(p.data_shape, p.input_folding), p.buffer_depth, family=p.family)
        self.mac = MacPipeline(p.mac)
        super().__init__(stage_ports(self.mac, p.input_lanes))

    @property
    def cycles_per_pixel(self) -> int:
        return self.parameters.cycles_per_pixel

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat of a pixel to its first result at ``o``, when nothing waits."""
        return self.parameters.latency

    @property
    def multipliers(self) -> int:
        return self.parameters.multipliers

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

        # A bit for each pixel whose words are all in the buffer, the oldest lowest.
        complete = Signal(self.parameters.slots)
        arrived, released = Signal(), Signal()
        step_level(m, complete, arrived, released)
        self._write(m, complete[-1], arrived)
        self._read(m, complete[0], released)
        return m

    def _write(self, m: Module, full: Value, arrived: Signal) -> None:
        p = self.parameters
        word, slot = Signal(p.word_bits), Signal(range(p.slots))
        m.d.comb += [
            self.widen.o.ready.eq(~full),
            self.buffer.w_en.eq(self.widen.o.valid & self.widen.o.ready),
            self.buffer.w_addr.eq(Cat(word, slot)),
            self.buffer.w_data.eq(self.widen.o.payload),
            arrived.eq(self.buffer.w_en & (word == p.words - 1)),
        ]
        with m.If(self.buffer.w_en):
            advance(m, word, p.words)
        with m.If(arrived):
            advance(m, slot, p.slots)

    def _read(self, m: Module, available: Value, released: Signal) -> None:
        """Issue: for each group of outputs, for each word."""
        p, blocks = self.parameters, self.parameters.mac.blocks
        step, slot, block = Signal(p.word_bits), Signal(range(p.slots)), Signal(range(blocks))
        m.d.comb += [
            self.mac.first.eq(step == 0),
            self.mac.last.eq(step == p.words - 1),
            self.mac.last_block.eq(block == blocks - 1),
            self.mac.issue.eq(self.mac.can_issue & available),
            self.mac.data.eq(self.buffer.r_data),
            self.buffer.r_addr.eq(Cat(step, slot)),
            released.eq(self.mac.issue & self.mac.last & self.mac.last_block),
        ]
        with m.If(self.mac.issue):
            advance(m, step, p.words)
            with m.If(self.mac.last):
                advance(m, block, blocks)
        with m.If(released):
            advance(m, slot, p.slots)
