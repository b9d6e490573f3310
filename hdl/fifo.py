"""Queues of stream beats: a FIFO of any depth, and one whose space is reserved before its beats are made."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, ShapeLike, Signal
from amaranth.lib.memory import Memory
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .primitives import Ram, address_width

LARGEST_DISTRIBUTED = 32
"""Up to this depth a queue is distributed RAM (or registers), beyond it block RAM behind a small prefetch queue."""

_PREFETCH = 4  # covers the block RAM's two cycles, the push and the pop, so that a beat leaves every cycle


def advance(m: Module, pointer: Signal, depth: int) -> None:
    """Step a pointer into a ring of any depth."""
    with m.If(pointer == depth - 1):
        m.d.sync += pointer.eq(0)
    with m.Else():
        m.d.sync += pointer.eq(pointer + 1)


class Fifo(Component):
    """A queue of ``depth`` beats between two streams, one beat per cycle in and out.

    ``latency`` is the number of cycles from the acceptance of a beat by an empty queue to ``o.valid``: 1 up to
    :data:`LARGEST_DISTRIBUTED` beats, 4 beyond. Cost: ``memory_bits``, in distributed RAM or block RAM.

    Members:
        i: ``In(stream.Signature(shape))``
        o: ``Out(stream.Signature(shape))``

    Raises:
        ValueError: a depth below 1.
    """

    multipliers = 0

    def __init__(self, shape: ShapeLike, depth: int):
        if depth < 1:
            raise ValueError(f"a queue holds at least one beat, not {depth}")
        self.shape, self.depth = shape, depth
        super().__init__({"i": In(Signature(shape)), "o": Out(Signature(shape))})
        if self.in_block_ram:
            self.ram = Ram(shape, depth)
            self.front = Fifo(shape, _PREFETCH)

    @property
    def in_block_ram(self) -> bool:
        return self.depth > LARGEST_DISTRIBUTED

    @property
    def cycles_per_beat(self) -> int:
        """2 for a single place, which is either full or empty."""
        return 2 if self.depth <= self.latency else 1

    @property
    def latency(self) -> int:
        return 4 if self.in_block_ram else 1

    @property
    def memory_bits(self) -> int:
        return Shape.cast(self.shape).width * self.depth

    def elaborate(self, platform) -> Module:
        m = Module()
        level = Signal(range(self.depth + 1))
        push = self.i.valid & self.i.ready
        pop = self.o.valid & self.o.ready
        m.d.comb += self.i.ready.eq(level != self.depth)
        m.d.sync += level.eq(level + push - pop)
        write = Signal(address_width(self.depth))
        with m.If(push):
            advance(m, write, self.depth)
        if self.in_block_ram:
            self._from_block_ram(m, write, push, pop)
        else:
            self._from_registers(m, write, push, pop, level)
        return m

    def _from_registers(self, m: Module, write: Signal, push, pop, level: Signal) -> None:
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth, init=[])
        write_port = memory.write_port()
        read_port = memory.read_port(domain="comb")
        read = Signal(address_width(self.depth))
        with m.If(pop):
            advance(m, read, self.depth)
        if self.depth > 1:
            m.d.comb += [write_port.addr.eq(write), read_port.addr.eq(read)]
        m.d.comb += [
            write_port.data.eq(self.i.payload),
            write_port.en.eq(push),
            self.o.payload.eq(read_port.data),
            self.o.valid.eq(level != 0),
        ]

    def _from_block_ram(self, m: Module, write: Signal, push, pop) -> None:
        m.submodules.ram, m.submodules.front = self.ram, self.front
        stored = Signal(range(self.depth + 1))  # beats whose read has not been started
        claimed = Signal(range(_PREFETCH + 1))  # places of the front queue that are taken or promised
        read = Signal(address_width(self.depth))
        start = (stored != 0) & (claimed != _PREFETCH)
        started = Signal(Ram.LATENCY)
        with m.If(start):
            advance(m, read, self.depth)
        m.d.sync += [
            stored.eq(stored + push - start),
            claimed.eq(claimed + start - pop),
            started.eq((started << 1) | start),
        ]
        m.d.comb += [
            self.ram.w_en.eq(push),
            self.ram.w_addr.eq(write),
            self.ram.w_data.eq(self.i.payload),
            self.ram.r_addr.eq(read),
            self.front.i.payload.eq(self.ram.r_data),
            self.front.i.valid.eq(started[-1]),
        ]
        connect(m, self.front.o, flipped(self.o))


class CreditQueue(Component):
    """The queue at the end of a pipeline without enables: space is reserved where work is issued, so a push never
    fails.

    ``room`` says that ``step`` beats are unreserved; in a cycle with ``room``, ``reserve`` takes ``reserve_count`` of
    them. A beat taken from ``o`` gives one back, visible in the next cycle. ``o.valid`` rises ``latency`` cycles after
    ``push``.

    Members:
        room: ``Out(1)``
        reserve: ``In(1)``, only where ``room``
        reserve_count: ``In(range(step + 1))``, ``step`` unless driven
        push: ``In(1)``, payload: ``In(shape)``
        o: ``Out(stream.Signature(shape))``

    Raises:
        ValueError: a depth below ``step``, or a step below 1.
    """

    multipliers = 0

    def __init__(self, shape: ShapeLike, depth: int, step: int = 1):
        if step < 1:
            raise ValueError(f"at least one beat is reserved at a time, not {step}")
        if depth < step:
            raise ValueError(f"a queue of {depth} beats cannot hold the {step} beats reserved at a time")
        self.depth, self.step = depth, step
        self.fifo = Fifo(shape, depth)
        super().__init__(
            {
                "room": Out(1),
                "reserve": In(1),
                "reserve_count": In(range(step + 1), init=step),
                "push": In(1),
                "payload": In(shape),
                "o": Out(Signature(shape)),
            }
        )

    @property
    def cycles_per_beat(self) -> int:
        return self.fifo.cycles_per_beat

    @property
    def latency(self) -> int:
        return self.fifo.latency

    @property
    def memory_bits(self) -> int:
        return self.fifo.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fifo = self.fifo
        free = Signal(range(self.depth + 1), init=self.depth)
        taken = Signal(range(self.step + 1))
        with m.If(self.reserve):
            m.d.comb += taken.eq(self.reserve_count)
        m.d.comb += [
            self.room.eq(free >= self.step),
            self.fifo.i.valid.eq(self.push),
            self.fifo.i.payload.eq(self.payload),
        ]
        m.d.sync += free.eq(free - taken + (self.o.valid & self.o.ready))
        connect(m, self.fifo.o, flipped(self.o))
        return m
