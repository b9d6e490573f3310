"""The result path of a stage that computes Q pixels with every weight: results come channel-major and leave pixel by
pixel."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .fifo import Fifo, advance
from .primitives import Ram, address_width
from .requantize import Requantize, RequantizeFormat

_PREFETCH = 4


class PixelGroupResultPath(Component):
    """As :class:`~mbconv.hdl.result_path.ResultPath`, for groups of ``pixels`` = Q pixels.

    A block ends in Q ``done`` cycles, one for each pixel. Its sums wait in a memory of two blocks, and are drained beat
    by beat: for each group of ``lanes`` channels the Q pixels one after the other, so that one requantisation word
    serves them. The results of a pixel group are gathered in a memory of as many groups as are under way and leave it
    in stream order.

    The first beat of a pixel group is valid at ``o`` ``latency`` cycles after the last ``done`` of the group's last
    block; the others follow one each cycle. Cost: a memory of ``groups``·Q·⌈channels/lanes⌉ output beats and one of 2·Q
    blocks of sums.

    Args:
        outputs, lanes, channels, format, interval, spacing, claim_to_done: as for ``ResultPath``; ``spacing`` is a
            block's steps for one pixel.
        pixels: Q, at least 2.

    Members: as for ``ResultPath``.
    """

    def __init__(
        self,
        outputs: int,
        lanes: int,
        channels: int,
        format: RequantizeFormat,
        *,
        pixels: int,
        interval: int,
        spacing: int,
        claim_to_done: int,
    ):
        if pixels < 2:
            raise ValueError(f"a group has at least 2 pixels, not {pixels}")
        if lanes < 1 or outputs % lanes:
            raise ValueError(f"{lanes} lanes do not divide a block's {outputs} outputs")
        if outputs // lanes * interval > spacing:
            raise ValueError(
                f"{outputs} outputs in beats of {lanes} lanes every {interval} cycles do not drain within the block's "
                f"{spacing} cycles for each pixel: more lanes are needed"
            )
        self.outputs, self.lanes, self.channels, self.pixels = outputs, lanes, channels, pixels
        self.interval, self.spacing, self.format = interval, spacing, format
        self.beats = outputs // lanes
        self.blocks = -(-channels // outputs)
        self.last_beats = -(-(channels - (self.blocks - 1) * outputs) // lanes)
        self.pixel_beats = -(-channels // lanes)
        self.requantize = Requantize(format, lanes, interval)
        beat, word = ArrayLayout(format.output, lanes), ArrayLayout(format.word_layout, lanes)
        in_flight = -(-(claim_to_done + 1) // (spacing * pixels)) + 2
        self.words = Fifo(word, in_flight * self.beats + 2)
        self.front = Fifo(beat, _PREFETCH)
        group = spacing * pixels * self.blocks
        held = group - spacing * pixels + claim_to_done + self.latency + pixels * self.pixel_beats
        self.groups = -(-held // group) + 1
        self.gather = Ram(beat, self.groups * pixels * self.pixel_beats)
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
        """Cycles from the last ``done`` of a pixel group to its first beat at ``o``."""
        drain = (self.last_beats * self.pixels - 1) * self.interval
        return 1 + drain + self.requantize.latency + 1 + Ram.LATENCY + self.front.latency

    @property
    def memory_bits(self) -> int:
        sums = 2 * self.pixels * self.outputs * self.format.accumulator_bits
        return sums + self.gather.memory_bits + self.words.memory_bits + self.front.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize, m.submodules.words = self.requantize, self.words
        m.submodules.gather, m.submodules.front = self.gather, self.front
        connect(m, flipped(self.requantization), self.words.i)
        connect(m, self.front.o, flipped(self.o))
        group_left = Signal()  # the last beat of a pixel group has been read out of the gathering memory
        self._claim(m, group_left)
        self._drain(m)
        group_gathered = self._gather(m)
        self._emit(m, group_gathered, group_left)
        return m

    def _claim(self, m: Module, group_left: Signal) -> None:
        """Reserve a place in the gathering memory for a group, and words for each block."""
        block = Signal(range(max(2, self.blocks)))
        free = Signal(range(self.groups + 1), init=self.groups)
        first = block == 0
        claimed = Signal(range(self.beats + 1))
        m.d.comb += claimed.eq(Mux(block == self.blocks - 1, self.last_beats, self.beats))
        arrived = self.words.i.valid & self.words.i.ready
        words = Signal(range(self.words.depth + 1))
        m.d.sync += [
            words.eq(words + arrived - Mux(self.claim, claimed, 0)),
            free.eq(free + group_left - (self.claim & first)),
        ]
        m.d.comb += self.room.eq((words >= claimed) & (~first | (free != 0)))
        with m.If(self.claim):
            advance(m, block, self.blocks)

    def _drain(self, m: Module) -> None:
        """Pass a finished block's sums on: for each beat of lanes, pixel after pixel."""
        m.submodules.waiting = waiting = Memory(shape=self.sums.shape(), depth=2 * self.pixels, init=[])
        write_port, read_port = waiting.write_port(), waiting.read_port(domain="comb")
        write = Signal(range(2 * self.pixels))
        filled, emptied = Signal(), Signal()
        blocks_waiting = Signal(range(3))
        m.d.comb += [
            write_port.en.eq(self.done),
            write_port.addr.eq(write),
            write_port.data.eq(self.sums),
            filled.eq(self.done & ((write == self.pixels - 1) | (write == 2 * self.pixels - 1))),
        ]
        m.d.sync += blocks_waiting.eq(blocks_waiting + filled - emptied)
        with m.If(self.done):
            advance(m, write, 2 * self.pixels)

        pixel, beat = Signal(range(self.pixels)), Signal(range(max(2, self.beats)))
        half, block = Signal(), Signal(range(max(2, self.blocks)))
        phase = Signal(range(max(2, self.interval)))
        go, last_pixel = Signal(), Signal()
        last_beat = beat == Mux(block == self.blocks - 1, self.last_beats, self.beats) - 1
        m.d.comb += [
            go.eq((blocks_waiting != 0) & (phase == 0)),
            last_pixel.eq(pixel == self.pixels - 1),
            emptied.eq(go & last_pixel & last_beat),
            read_port.addr.eq(Mux(half, self.pixels, 0) + pixel),
            self.words.o.ready.eq(go & last_pixel),
            self.requantize.valid.eq(go),
            self.requantize.words.eq(self.words.o.payload),
        ]
        with m.If((phase != 0) | go):
            advance(m, phase, self.interval)
        with m.If(go):
            advance(m, pixel, self.pixels)
            with m.If(last_pixel):
                m.d.sync += beat.eq(Mux(last_beat, 0, beat + 1))
        with m.If(emptied):
            m.d.sync += half.eq(~half)
            advance(m, block, self.blocks)
        chunk = read_port.data.as_value().word_select(beat, self.lanes * self.format.accumulator_bits)
        m.d.comb += self.requantize.accumulators.as_value().eq(chunk)

    def _gather(self, m: Module) -> Signal:
        """Write results where their pixel wants them; high when a group is complete."""
        width = address_width(self.gather.depth)
        group, first, address = (
            Signal(width),
            Signal(width),
            Signal(width),
        )  # of the group, of its pixel 0's beat, of this one
        pixel, beat = Signal(range(self.pixels)), Signal(range(max(2, self.pixel_beats)))
        complete = Signal()
        last_pixel = pixel == self.pixels - 1
        m.d.comb += [
            self.gather.w_en.eq(self.requantize.o_valid),
            self.gather.w_addr.eq(address),
            self.gather.w_data.eq(self.requantize.o),
            complete.eq(self.gather.w_en & last_pixel & (beat == self.pixel_beats - 1)),
        ]
        with m.If(self.gather.w_en):
            advance(m, pixel, self.pixels)
            m.d.sync += address.eq(address + self.pixel_beats)
            with m.If(last_pixel):
                m.d.sync += [address.eq(first + 1), first.eq(first + 1)]
                advance(m, beat, self.pixel_beats)
        with m.If(complete):
            size = self.pixels * self.pixel_beats
            following = Mux(group == (self.groups - 1) * size, 0, group + size)
            m.d.sync += [group.eq(following), first.eq(following), address.eq(following)]
        return complete

    def _emit(self, m: Module, group_gathered: Signal, group_left: Signal) -> None:
        """Read complete groups in order, a few beats ahead of the consumer."""
        read = Signal(address_width(self.gather.depth))
        beat = Signal(range(self.pixels * self.pixel_beats))
        groups = Signal(range(self.groups + 1))
        claimed = Signal(range(_PREFETCH + 1))
        started = Signal(Ram.LATENCY)
        start = Signal()
        m.d.comb += [
            start.eq((groups != 0) & (claimed != _PREFETCH)),
            group_left.eq(start & (beat == self.pixels * self.pixel_beats - 1)),
            self.gather.r_addr.eq(read),
            self.front.i.payload.eq(self.gather.r_data),
            self.front.i.valid.eq(started[-1]),
        ]
        m.d.sync += [
            groups.eq(groups + group_gathered - group_left),
            claimed.eq(claimed + start - (self.o.valid & self.o.ready)),
            started.eq((started << 1) | start),
        ]
        with m.If(start):
            advance(m, read, self.gather.depth)
            advance(m, beat, self.pixels * self.pixel_beats)
