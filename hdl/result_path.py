"""From a block's sums to a stream: drained lane by lane through the requantisation into a queue."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .counting import advance
from .credit_queue import CreditQueue
from .layouts import ArrayLayout
from .mac_parameters import MacParameters
from .requantize import Requantize


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
        parameters: a :class:`~mbconv.hdl.mac_parameters.MacParameters`.

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

    def __init__(self, parameters: MacParameters):
        self.parameters = p = parameters
        beat, word = ArrayLayout(p.format.output, p.lanes), ArrayLayout(p.format.word_layout, p.lanes)
        self.requantize = Requantize(p.requantize)
        self.queue = CreditQueue(beat, p.queue_depth, p.beats, family=p.family)
        super().__init__(
            {
                "requantization": In(Signature(word, always_valid=True)),
                "room": Out(1),
                "claim": In(1),
                "claim_last": In(1),
                "claimed_beats": Out(range(p.beats + 1)),
                "ends": In(1),
                "last": In(1),
                "sums": In(ArrayLayout(signed(p.sum_bits), p.outputs)),
                "bias": Out(ArrayLayout(Shape(p.bias_bits, p.bias_bits > 0), p.outputs)),
                "o": Out(Signature(beat)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the sums to the block's first beat at ``o``."""
        return self.parameters.sums_to_queue + self.queue.latency

    @property
    def cycles_per_beat(self) -> int:
        return self.parameters.interval

    @property
    def memory_bits(self) -> int:
        return self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A two-way selection for each bit of the held sums, where they leave in turns, and control."""
        p = self.parameters
        return Cost((0 if p.biased else p.outputs * p.sum_bits) + 40)

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
        if self.parameters.biased:
            m.d.comb += [
                self.requantize.valid.eq(self.ends),
                self.requantize.accumulators.eq(self.sums),
                *(self.bias[lane].eq(self.requantization.payload[lane].bias) for lane in range(self.parameters.lanes)),
            ]
        else:
            self._drain(m)
        return m

    def _beats(self, last: Value) -> Value | int:
        p = self.parameters
        return Mux(last, p.last_beats, p.beats) if p.uneven else p.beats

    def _drain(self, m: Module) -> None:
        """Hold a finished block's sums and pass them on, ``lanes`` every ``interval`` cycles."""
        held = Signal(self.sums.shape(), reset_less=True)
        p = self.parameters
        left = Signal(range(-1, p.beats), init=-1)  # beats of the held block that are still to go, less one
        go, done = Signal(), Signal()
        m.d.sync += done.eq(self.ends)
        width = p.sum_bits * p.lanes
        if p.interval == 1:
            m.d.comb += go.eq(~left[-1])
        else:
            phase = Signal(range(p.interval))
            m.d.comb += go.eq(~left[-1] & (phase == 0))
            with m.If(done):
                m.d.sync += phase.eq(0)
            with m.Else():
                advance(m, phase, p.interval)
        with m.If(done):
            m.d.sync += [held.eq(self.sums), left.eq(self._beats(self.last) - 1)]
        with m.Elif(go):
            m.d.sync += [left.eq(left - 1), held.as_value().eq(held.as_value() >> width)]
        m.d.comb += [
            self.requantize.valid.eq(go),
            *(self.requantize.accumulators[lane].eq(held[lane]) for lane in range(self.parameters.lanes)),
        ]
