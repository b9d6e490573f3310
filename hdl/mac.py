"""The multiply-accumulate pipeline that pointwise and depthwise stages share, from issue to output stream."""

from __future__ import annotations

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .accumulate import AccumulateArray
from .fifo import Fifo, advance
from .pixel_group import PixelGroupResultPath
from .requantize import RequantizeFormat
from .result_path import ResultPath


def stage_ports(mac: MacPipeline, input_lanes: int) -> dict:
    """The ports of a stage around ``mac``: ``i`` of ``input_lanes``, ``weights``, ``requantization``, ``o``."""
    return {
        "i": In(Signature(ArrayLayout(mac.data_shape, input_lanes))),
        **{name: mac.signature.members[name] for name in ("weights", "requantization", "o")},
    }


class MacPipeline(Component):
    """Weights, multipliers, accumulators and requantisation of a stage; its owner supplies the data of each issued
    step.

    A group of ``pixels`` = Q pixels (1 by default) is ``blocks`` = ⌈channels/outputs⌉ blocks of ``steps`` × Q issue
    cycles: for each step, each of the Q pixels. The owner issues in any cycle with ``can_issue`` (and its data at hand)
    by ``issue``, and gives the data ``data_latency`` cycles later. A beat of ``weights`` serves the Q pixels of its
    step.

    Q = 1: the first beat of a block is valid at ``o`` ``latency`` cycles after the block's last issue, the others
    ``interval`` cycles apart. Q > 1: the first beat of a pixel group is valid ``latency`` cycles after the group's last
    issue, the others follow one each cycle. Cost: ``multipliers`` = outputs × terms.

    Args:
        outputs, terms: the folding: Po × Pi, or P × K.
        channels: output channels of a pixel.
        steps: issue cycles of a block, for each pixel.
        data_shape, weight_shape: of an element and of a weight (already less its zero point).
        format: the requantisation, accumulator width included.
        lanes: of the output stream; divides ``outputs`` and must drain a block in ``steps`` cycles.
        shared: the data of a step is one vector for all outputs (pointwise), not one for each (depthwise).
        interval: cycles a requantised beat may take; by default as many as the folding leaves.
        queue_depth: beats of the output queue (Q = 1); by default the least that never delays the stage.
        pixels: Q.

    Members:
        weights: ``In(stream.Signature(ArrayLayout(ArrayLayout(weight_shape, terms), outputs)))``
        requantization: ``In(stream.Signature(ArrayLayout(format.word_layout, lanes)))``
        can_issue: ``Out(1)``; issue: ``In(1)``; last_pixel, last_step, last_block: ``Out(1)``, of the issue that is
            next
        data: ``In(ArrayLayout(data_shape, terms))``, times ``outputs`` (output-major) when not ``shared``
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    def __init__(
        self,
        *,
        outputs: int,
        terms: int,
        channels: int,
        steps: int,
        data_shape: ShapeLike,
        weight_shape: ShapeLike,
        format: RequantizeFormat,
        lanes: int,
        shared: bool,
        data_latency: int,
        interval: int | None = None,
        queue_depth: int | None = None,
        pixels: int = 1,
    ):
        for name, value in (("outputs", outputs), ("terms", terms), ("channels", channels), ("steps", steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if data_latency < 1:
            raise ValueError(f"data come at least one cycle after their issue, not {data_latency}")
        if lanes < 1 or outputs % lanes:
            raise ValueError(f"{lanes} lanes do not divide a block's {outputs} outputs")
        if interval is None:
            interval = max(1, steps // (outputs // lanes))
        self.outputs, self.terms, self.channels, self.steps = outputs, terms, channels, steps
        self.blocks = -(-channels // outputs)
        self.data_latency, self.interval, self.lanes = data_latency, interval, lanes
        self.data_shape, self.weight_shape, self.format = data_shape, weight_shape, format
        self.pixels = pixels
        self.array = AccumulateArray(
            outputs, terms, data_shape, weight_shape, format.accumulator_bits, shared=shared, pixels=pixels
        )
        self.weights_queue = Fifo(self.array.weights.shape(), data_latency + 2)
        common = {"interval": interval, "spacing": steps}
        claim_to_done = steps * pixels - 1 + data_latency + self.array.latency
        if pixels == 1:
            self.result = ResultPath(
                outputs, lanes, channels, format, queue_depth=queue_depth, claim_to_done=claim_to_done, **common
            )
        else:
            self.result = PixelGroupResultPath(
                outputs, lanes, channels, format, pixels=pixels, claim_to_done=claim_to_done, **common
            )
        super().__init__(
            {
                "weights": In(Signature(self.array.weights.shape())),
                "requantization": In(Signature(ArrayLayout(format.word_layout, lanes))),
                "can_issue": Out(1),
                "issue": In(1),
                "last_pixel": Out(1),
                "last_step": Out(1),
                "last_block": Out(1),
                "data": In(self.array.data.shape()),
                "o": Out(Signature(ArrayLayout(format.output, lanes))),
            }
        )

    @property
    def multipliers(self) -> int:
        return self.outputs * self.terms

    @property
    def memory_bits(self) -> int:
        return self.weights_queue.memory_bits + self.result.memory_bits

    @property
    def latency(self) -> int:
        """Cycles from the last issue of a block (of a pixel group where Q > 1) to its first beat at ``o``."""
        return self.data_latency + self.array.latency + self.result.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.array, m.submodules.result = self.array, self.result
        connect(m, flipped(self.requantization), self.result.requantization)
        connect(m, self.result.o, flipped(self.o))
        pixel, step, block = (Signal(range(max(2, count))) for count in (self.pixels, self.steps, self.blocks))
        first = Signal()
        m.submodules.weights_queue = self.weights_queue
        connect(m, flipped(self.weights), self.weights_queue.i)
        # Beats of weights at hand that no issued step has claimed, less one: its sign says that there is none.
        spare = Signal(range(-1, self.weights_queue.depth), init=-1)
        arrived = self.weights.valid & self.weights.ready
        m.d.sync += spare.eq(spare + arrived - (self.issue & self.last_pixel))
        m.d.comb += [
            first.eq(step == 0),
            self.last_pixel.eq(pixel == self.pixels - 1),
            self.last_step.eq(step == self.steps - 1),
            self.last_block.eq(block == self.blocks - 1),
            self.can_issue.eq(~spare[-1] & (~(first & (pixel == 0)) | self.result.room)),
            self.result.claim.eq(self.issue & first & (pixel == 0)),
        ]
        with m.If(self.issue):
            advance(m, pixel, self.pixels)
            with m.If(self.last_pixel):
                advance(m, step, self.steps)
                with m.If(self.last_step):
                    advance(m, block, self.blocks)
        self._operands(m, first)
        m.d.comb += [self.result.done.eq(self.array.done), self.result.sums.eq(self.array.sums)]
        return m

    def _operands(self, m: Module, first: Signal) -> None:
        """Delay an issued step's control and weights until its data are there."""
        control = [self.issue, first, self.last_step, self.issue & self.last_pixel]
        for age in range(self.data_latency):
            if age == self.data_latency - 1:
                m.d.comb += self.weights_queue.o.ready.eq(control[3])
            delayed = [Signal(name=f"{name}_{age}") for name in ("valid", "first", "last", "take")]
            m.d.sync += [new.eq(old) for new, old in zip(delayed, control, strict=True)]
            control = delayed
        weights = Signal(self.weights.payload.shape(), reset_less=True)
        m.d.sync += weights.eq(self.weights_queue.o.payload)
        m.d.comb += [
            self.array.valid.eq(control[0]),
            self.array.first.eq(control[1]),
            self.array.last.eq(control[2]),
            self.array.weights.eq(weights),
            self.array.data.eq(self.data),
        ]
