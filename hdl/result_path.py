"""From a block's sums to a stream: drained lane by lane through the requantisation into a queue."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .fifo import LARGEST_DISTRIBUTED, CreditQueue, Fifo, advance
from .requantize import Requantize, RequantizeFormat


class ResultPath(Component):
    """Drains the sums of a block ``lanes`` at a time, requantises them, and queues them as a stream.

    A pixel's ``channels`` outputs come in ⌈channels/outputs⌉ blocks; the last block drains only the beats that hold a
    channel. A block is *claimed* when its first step is issued, which needs ``room``: space for its beats in the queue
    and as many requantisation words at hand. From then on nothing can stall it.

    Beat b of a block is valid at ``o`` ``latency + b · interval`` cycles after the block's ``done``, unless earlier
    ones wait.

    Args:
        outputs: sums of a block (Po, or P of a depthwise stage).
        lanes: sums requantised at once and lanes of the output stream; divides ``outputs``.
        channels: output channels of a pixel.
        format: the requantisation; its accumulator is the sums' width.
        interval: cycles between the beats of a block (more than 1 lets the requantisation be serial).
        spacing: the least number of cycles between two blocks' ``done``; at least ``beats × interval``.
        queue_depth: beats of the output queue, counted from claim to departure.
        claim_to_done: cycles from a claim to its ``done``, which sizes the queue of words.

    Members:
        requantization: ``In(stream.Signature(ArrayLayout(format.word_layout, lanes)))``, ⌈channels/lanes⌉ beats a
            period
        room: ``Out(1)``; claim: ``In(1)``
        done, sums: the finished block
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    def __init__(
        self,
        outputs: int,
        lanes: int,
        channels: int,
        format: RequantizeFormat,
        *,
        interval: int,
        spacing: int,
        queue_depth: int | None = None,
        claim_to_done: int,
    ):
        if lanes < 1 or outputs % lanes:
            raise ValueError(f"{lanes} lanes do not divide a block's {outputs} outputs")
        if outputs // lanes * interval > spacing:
            raise ValueError(
                f"{outputs} outputs in beats of {lanes} lanes every {interval} cycles do not drain within the block's "
                f"{spacing} cycles: more lanes are needed"
            )
        self.outputs, self.lanes, self.channels, self.interval = outputs, lanes, channels, interval
        self.beats = outputs // lanes
        self.blocks = -(-channels // outputs)
        self.last_beats = -(-(channels - (self.blocks - 1) * outputs) // lanes)
        self.requantize = Requantize(format, lanes, interval)
        self.format = format
        self.claim_to_done = claim_to_done
        self.spacing = spacing
        self.queue_depth = self.least_queue_depth if queue_depth is None else queue_depth
        beat = ArrayLayout(format.output, lanes)
        self.queue = CreditQueue(beat, self.queue_depth, self.beats)
        word = ArrayLayout(format.word_layout, lanes)
        self.words = Fifo(word, self._blocks_in_flight(claim_to_done + 1) * self.beats + 2)
        super().__init__(
            {
                "requantization": In(Signature(word)),
                "room": Out(1),
                "claim": In(1),
                "done": In(1),
                "sums": In(ArrayLayout(signed(format.accumulator_bits), outputs)),
                "o": Out(Signature(beat)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from ``done`` to the block's first beat at ``o``."""
        return 1 + self.requantize.latency + self.queue.latency

    def _blocks_in_flight(self, cycles: int) -> int:
        """Blocks claimed within ``cycles`` + the draining of one, when one is claimed every ``spacing`` cycles."""
        return -(-(cycles + self.beats * self.interval) // self.spacing) + 1

    @property
    def least_queue_depth(self) -> int:
        """The least depth with which a block can be claimed every ``spacing`` cycles while the consumer takes each
        beat at once."""
        cycles = self.claim_to_done + 1 + self.requantize.latency + 1
        for latency in (1, 4):  # of a queue in distributed RAM; of one in block RAM, which is deeper for that
            depth = self._blocks_in_flight(cycles + latency) * self.beats
            if depth <= LARGEST_DISTRIBUTED:
                break
        return depth

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits + self.words.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize, m.submodules.queue, m.submodules.words = self.requantize, self.queue, self.words
        connect(m, flipped(self.requantization), self.words.i)
        connect(m, self.queue.o, flipped(self.o))
        self._claim(m)
        self._drain(m)
        return m

    def _claim(self, m: Module) -> None:
        """Reserve queue space and words for the block whose first step is issued."""
        claimed_beats = Signal(range(self.beats + 1))
        if self.last_beats == self.beats:
            m.d.comb += claimed_beats.eq(self.beats)
        else:
            block = Signal(range(self.blocks))
            with m.If(self.claim):
                advance(m, block, self.blocks)
            m.d.comb += claimed_beats.eq(Mux(block == self.blocks - 1, self.last_beats, self.beats))
        arrived = self.words.i.valid & self.words.i.ready
        words = Signal(range(self.words.depth + 1))  # words at hand and not claimed
        m.d.sync += words.eq(words + arrived - Mux(self.claim, claimed_beats, 0))
        m.d.comb += [
            self.room.eq(self.queue.room & (words >= claimed_beats)),
            self.queue.reserve.eq(self.claim),
            self.queue.reserve_count.eq(claimed_beats),
        ]

    def _drain(self, m: Module) -> None:
        """Hold a finished block's sums and pass them on, ``lanes`` every ``interval`` cycles."""
        held = Signal(ArrayLayout(signed(self.format.accumulator_bits), self.outputs))
        left = Signal(range(self.beats + 1))  # beats of the held block that are still to go
        tick = Signal(1, init=1) if self.interval == 1 else Signal()
        blocks_done = Signal(range(max(2, self.blocks)))
        width = self.format.accumulator_bits * self.lanes
        go = Signal()
        m.d.comb += go.eq((left != 0) & tick)
        if self.interval > 1:
            phase = Signal(range(self.interval))
            m.d.comb += tick.eq(phase == 0)
            with m.If(self.done):
                m.d.sync += phase.eq(0)
            with m.Else():
                advance(m, phase, self.interval)
        with m.If(go):
            m.d.sync += [left.eq(left - 1), held.as_value().eq(held.as_value() >> width)]
        with m.If(self.done):
            m.d.sync += held.eq(self.sums)
            if self.last_beats == self.beats:
                m.d.sync += left.eq(self.beats)
            else:
                m.d.sync += left.eq(Mux(blocks_done == self.blocks - 1, self.last_beats, self.beats))
                advance(m, blocks_done, self.blocks)
        m.d.comb += [
            self.words.o.ready.eq(go),
            self.requantize.valid.eq(go),
            self.requantize.words.eq(self.words.o.payload),
            self.queue.push.eq(self.requantize.o_valid),
            self.queue.payload.eq(self.requantize.o),
        ]
        for lane in range(self.lanes):
            m.d.comb += self.requantize.accumulators[lane].eq(held[lane])
