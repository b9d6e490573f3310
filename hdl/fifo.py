"""A queue of stream beats, of registers, of distributed RAM or of block RAM."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING, Cost, MemoryCost
from .counting import advance, step_level
from .family import GENERIC, Family
from .primitives import Ram, address_width


class Fifo(Component):
    """A queue of ``depth`` beats between two streams, one beat per cycle in and out.

    ::

        few beats          │ some, where LUTs can be RAM │ many
                           │                             │
        i ─┬────┬────┐     │     ┌─────────────────┐     │     ┌───────────┐   ┌───────────┐
           ▼    ▼    ▼     │ i ─►│ distributed RAM ├─► o │ i ─►│ block RAM ├──►│ registers ├─► o
        o ◄□◄── □◄── □     │     └─────────────────┘     │     └───────────┘   └───────────┘

    ``latency`` is the number of cycles from the acceptance of a beat by an empty queue to ``o.valid``: 1, or the
    memory's and 2 for block RAM. ``i.ready`` and ``o.valid`` come from registers.

    Cost: ``memory_bits``; in registers a LUT and a register for each bit and for each beat. The family says up to
    which depths (:meth:`~mbconv.hdl.family.Family.queue_in_registers`).

    Members:
        i: ``In(stream.Signature(shape))``
        o: ``Out(stream.Signature(shape))``

    Raises:
        ValueError: a depth below 1.
    """

    multipliers = 0

    def __init__(self, shape: ShapeLike, depth: int, *, family: Family = GENERIC):
        if depth < 1:
            raise ValueError(f"a queue holds at least one beat, not {depth}")
        self.shape, self.depth, self.family = shape, depth, family
        self.in_registers = family.queue_in_registers(depth)
        self.in_block_ram = family.queue_in_block_ram(depth)
        super().__init__({"i": In(Signature(shape)), "o": Out(Signature(shape))})
        if self.in_registers:
            self.registers = RegisterQueue(shape, depth)
        elif self.in_block_ram:
            self.ram = Ram(shape, depth, family=family)
            # Covers the block RAM's cycles, the push and the pop, so that a beat leaves every cycle.
            self.front = RegisterQueue(shape, family.memory_latency + 2)

    @property
    def cycles_per_beat(self) -> int:
        """2 for a single place, which is either full or empty."""
        return 2 if self.depth <= self.latency else 1

    @property
    def latency(self) -> int:
        return self.family.queue_latency(self.depth)

    @property
    def memory_bits(self) -> int:
        return Shape.cast(self.shape).width * self.depth

    @property
    def own_cost(self) -> Cost:
        """Distributed RAM and its counters; registers and block RAM are parts that state their own."""
        if self.in_registers:
            return NOTHING
        counters = Cost(3 * address_width(self.depth) + 5)
        if self.in_block_ram:
            return counters
        return counters + Cost(memories=(MemoryCost(Shape.cast(self.shape).width, self.depth, read_at_once=True),))

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.in_registers:
            m.submodules.registers = self.registers
            connect(m, flipped(self.i), self.registers.i)
            connect(m, self.registers.o, flipped(self.o))
            return m
        push = self.i.valid & self.i.ready
        pop = self.o.valid & self.o.ready
        write = Signal(address_width(self.depth))
        with m.If(push):
            advance(m, write, self.depth)
        # Places that are free, less one: the sign says that there is none.
        room = Signal(range(-1, self.depth), init=self.depth - 1)
        m.d.comb += self.i.ready.eq(~room[-1])
        m.d.sync += room.eq(room + pop - push)
        if self.in_block_ram:
            self._from_block_ram(m, write, push, pop)
        else:
            self._from_distributed_ram(m, write, push, pop)
        return m

    def _from_distributed_ram(self, m: Module, write: Signal, push: Value, pop: Value) -> None:
        m.submodules.memory = memory = Memory(shape=self.shape, depth=self.depth, init=[])
        write_port = memory.write_port()
        read_port = memory.read_port(domain="comb")
        read = Signal(address_width(self.depth))
        waiting = Signal(range(-1, self.depth), init=-1)  # beats that wait, less one
        m.d.sync += waiting.eq(waiting + push - pop)
        with m.If(pop):
            advance(m, read, self.depth)
        if self.depth > 1:
            m.d.comb += [write_port.addr.eq(write), read_port.addr.eq(read)]
        m.d.comb += [
            write_port.data.eq(self.i.payload),
            write_port.en.eq(push),
            self.o.payload.eq(read_port.data),
            self.o.valid.eq(~waiting[-1]),
        ]

    def _from_block_ram(self, m: Module, write: Signal, push: Value, pop: Value) -> None:
        m.submodules.ram, m.submodules.front = self.ram, self.front
        stored = Signal(range(-1, self.depth), init=-1)  # beats whose read has not been started, less one
        places = self.front.depth
        free = Signal(range(-1, places), init=places - 1)  # places in front neither taken nor promised, less one
        read = Signal(address_width(self.depth))
        start = ~stored[-1] & ~free[-1]
        started = Signal(self.ram.latency)
        with m.If(start):
            advance(m, read, self.depth)
        m.d.sync += [
            stored.eq(stored + push - start),
            free.eq(free + pop - start),
            started.eq(Cat(start, started)),
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


class RegisterQueue(Component):
    """A queue of a few beats, each in registers of its own; the first is always at ``o``.

    A beat goes to the lowest free place; when one leaves, all move down. A place keeps its beat while that stays, and
    takes what is above it, or the input, in every other cycle: a two-way selection and a register for each bit. A
    register for each place says whether it is taken, so that no counter stands in ``i.ready`` or ``o.valid``.

    Latency 1; a beat each cycle, or every second with a single place. Cost: a register and a table for each bit.

    Args:
        shape: of a beat.
        depth: beats that are held, at least 1.

    Members: as of :class:`Fifo`.

    Raises:
        ValueError: no place.
    """

    multipliers = 0
    latency = 1

    def __init__(self, shape: ShapeLike, depth: int):
        if depth < 1:
            raise ValueError(f"a queue holds at least one beat, not {depth}")
        self.shape, self.depth = shape, depth
        super().__init__({"i": In(Signature(shape)), "o": Out(Signature(shape))})

    @property
    def cycles_per_beat(self) -> int:
        return 2 if self.depth == 1 else 1

    @property
    def memory_bits(self) -> int:
        return Shape.cast(self.shape).width * self.depth

    @property
    def own_cost(self) -> Cost:
        """A register and a two-way selection for each bit of its places, and which are taken."""
        places = MemoryCost(Shape.cast(self.shape).width, self.depth, in_registers=True)
        return Cost(2 * self.depth + 2, (places,))

    def elaborate(self, platform) -> Module:
        m = Module()
        taken = Signal(self.depth)
        push, pop = Signal(), Signal()
        width = Shape.cast(self.shape).width
        places = [Signal(width, name=f"place_{place}", reset_less=True) for place in range(self.depth)]
        m.d.comb += [
            self.i.ready.eq(~taken[-1]),
            self.o.valid.eq(taken[0]),
            Value.cast(self.o.payload).eq(places[0]),
            push.eq(self.i.valid & self.i.ready),
            pop.eq(self.o.valid & self.o.ready),
        ]
        step_level(m, taken, push, pop)
        for place, held in enumerate(places):
            incoming = Value.cast(self.i.payload)
            if place + 1 < self.depth:
                incoming = Mux(taken[place + 1], places[place + 1], incoming)
            with m.If(pop | ~taken[place]):
                m.d.sync += held.eq(incoming)
        return m
