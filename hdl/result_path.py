"""From a block's sums to a stream: drained lane by lane through the requantisation into a queue."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .counting import advance
from .credit_queue import CreditQueue
from .family import GENERIC, Family
from .requantize import Requantize, RequantizeFormat


class ResultPath(Component):
    """Drains the sums of a block ``lanes`` at a time, requantises them, and queues them as a stream.

    A pixel's ``channels`` outputs come in ⌈channels/outputs⌉ blocks; the last block drains only the beats that hold a
    channel. A block is *claimed* when its first step is issued, which needs ``room``: space for its beats in the queue.
    From then on nothing can stall it.

    Beat b of a block is valid at ``o`` ``latency + b · interval`` cycles after the block's sums, unless earlier ones
    wait. A block of one beat is requantised where it stands, and its accumulators begin with the bias. Cost: that of
    the requantisation and of the queue; where a block is several beats, registers of its sums and a two-way selection
    for each of their bits.

    Args:
        outputs: sums of a block (Po, or P of a depthwise stage).
        lanes: sums requantised at once and lanes of the output stream; divides ``outputs``.
        channels: output channels of a pixel.
        format: the requantisation; its accumulator is the sums' width.
        interval: cycles between the beats of a block (more than 1 lets the requantisation be serial).
        spacing: the least number of cycles between two blocks; at least ``beats × interval``.
        queue_depth: beats of the output queue, counted from claim to departure.
        claim_to_sums: cycles from a claim to the block's sums, which sizes the queue.

    Members:
        requantization: ``In(stream.Signature(ArrayLayout(format.word_layout, lanes), always_valid=True))``,
            ⌈channels/lanes⌉ beats a period
        room: ``Out(1)``; claim, claim_last: ``In(1)``, the second with a claim of a pixel's last block
        claimed_beats: ``Out(range(beats + 1))``, how many words and places the claim of this cycle takes
        ends: ``In(1)``, in the cycle before the sums; last: ``In(1)``, with the sums, of a pixel's last block
        sums: ``In(ArrayLayout(signed(bits), outputs))``, where bits are ``sum_bits``
        bias: ``Out(ArrayLayout(signed(bias_bits), outputs))``, of the block that is next to end, where ``biased``
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    multipliers = 0

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
        claim_to_sums: int,
        family: Family = GENERIC,
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
        self.requantize = Requantize(format, lanes, interval, biased=self.beats == 1)
        self.format, self.family = format, family
        self.claim_to_sums = claim_to_sums
        self.spacing = spacing
        self.queue_depth = self.least_queue_depth if queue_depth is None else queue_depth
        beat = ArrayLayout(format.output, lanes)
        self.queue = CreditQueue(beat, self.queue_depth, self.beats, family=family)
        word = ArrayLayout(format.word_layout, lanes)
        super().__init__(
            {
                "requantization": In(Signature(word, always_valid=True)),
                "room": Out(1),
                "claim": In(1),
                "claim_last": In(1),
                "claimed_beats": Out(range(self.beats + 1)),
                "ends": In(1),
                "last": In(1),
                "sums": In(ArrayLayout(signed(self.sum_bits), outputs)),
                "bias": Out(ArrayLayout(Shape(self.bias_bits, self.bias_bits > 0), outputs)),
                "o": Out(Signature(beat)),
            }
        )

    @property
    def biased(self) -> bool:
        """The accumulators begin with the bias: a block's words are one beat, which is there with its first step."""
        return self.beats == 1

    @property
    def sum_bits(self) -> int:
        return self.format.sum_bits if self.biased else self.format.accumulator_bits

    @property
    def bias_bits(self) -> int:
        """Of what the accumulators begin with; 0: nothing."""
        return self.format.bias_bits if self.biased else 0

    @property
    def _to_queue(self) -> int:
        """Cycles from the sums to the push of the block's first beat."""
        return self.requantize.latency + (-1 if self.biased else 1)

    @property
    def latency(self) -> int:
        """Cycles from the sums to the block's first beat at ``o``."""
        return self._to_queue + self.queue.latency

    @property
    def cycles_per_beat(self) -> int:
        return self.interval

    @property
    def least_queue_depth(self) -> int:
        """The least whole number of blocks with which one can be claimed every ``spacing`` cycles while the consumer
        takes each beat at once."""
        to_push = self.claim_to_sums + self._to_queue + (self.beats - 1) * self.interval  # of the last beat
        depth = 0
        while True:  # a deeper queue may be another memory, slower, and then deeper still
            # A place is taken until the cycle after its beat leaves.
            held = to_push + self.family.queue_latency(max(1, depth)) + 1
            if (needed := -(-held // self.spacing) * self.beats) <= depth:
                return depth
            depth = needed

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits

    @property
    def uneven(self) -> bool:
        """The last block of a pixel has fewer beats than the others."""
        return self.last_beats != self.beats

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize, m.submodules.queue = self.requantize, self.queue
        connect(m, self.queue.o, flipped(self.o))
        m.d.comb += [
            self.claimed_beats.eq(self._beats(self.claim_last)),
            self.room.eq(self.queue.room),
            self.queue.reserve.eq(self.claim),
            self.queue.reserve_count.eq(self.claimed_beats),
            self.requantize.words.eq(self.requantization.payload),
            self.requantization.ready.eq(self.requantize.valid),
            self.queue.push.eq(self.requantize.o_valid),
            self.queue.payload.eq(self.requantize.o),
        ]
        if self.biased:
            m.d.comb += [
                self.requantize.valid.eq(self.ends),
                self.requantize.accumulators.eq(self.sums),
                *(self.bias[lane].eq(self.requantization.payload[lane].bias) for lane in range(self.lanes)),
            ]
        else:
            self._drain(m)
        return m

    def _beats(self, last: Value) -> Value | int:
        return Mux(last, self.last_beats, self.beats) if self.uneven else self.beats

    def _drain(self, m: Module) -> None:
        """Hold a finished block's sums and pass them on, ``lanes`` every ``interval`` cycles."""
        held = Signal(self.sums.shape(), reset_less=True)
        left = Signal(range(-1, self.beats), init=-1)  # beats of the held block that are still to go, less one
        go, done = Signal(), Signal()
        m.d.sync += done.eq(self.ends)
        width = self.format.accumulator_bits * self.lanes
        if self.interval == 1:
            m.d.comb += go.eq(~left[-1])
        else:
            phase = Signal(range(self.interval))
            m.d.comb += go.eq(~left[-1] & (phase == 0))
            with m.If(done):
                m.d.sync += phase.eq(0)
            with m.Else():
                advance(m, phase, self.interval)
        with m.If(done):
            m.d.sync += [held.eq(self.sums), left.eq(self._beats(self.last) - 1)]
        with m.Elif(go):
            m.d.sync += [left.eq(left - 1), held.as_value().eq(held.as_value() >> width)]
        m.d.comb += [
            self.requantize.valid.eq(go),
            *(self.requantize.accumulators[lane].eq(held[lane]) for lane in range(self.lanes)),
        ]
