"""The weights' port on a quad SPI NOR flash, read from one address on, four bits a cycle."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import Rom
from .weight_port import weight_port

FLASH_LINES = {"select_n": Out(1, init=1), "clock": Out(1), "out": Out(4), "drive": Out(4), "in_": In(4)}
"""Towards the pads."""

_NIBBLES = 2
_LONGEST_DELAY = 8
_STEP = StructLayout({"out": 4, "quad": 1, "silent": 1, "deselected": 1, "clock": 1})
"""What the lines do in a cycle. Without ``quad`` and ``silent`` line 0 gives a command's bits, lines 2 and 3 are high:
they are write protection and hold as long as four lines are not enabled."""

_SERIAL_LINES = 0b1101
_IDLE = {"deselected": 1, "out": 0b1101}


@dataclass(frozen=True)
class FlashCommands:
    """What a flash is told; the defaults are those of Winbond's W25Q…JV and of most others.

    Attributes:
        wake, volatile, write, value: leave the power-down in which an FPGA's configuration leaves the flash; allow the
            status register to be written until power is off; write it, with this value, which enables four lines.
        read: with address and data on four lines; mode: the byte behind the address, that no further read without a
            command follows; dummy: clocks from there to the first data.
        wake_ns: from leaving the power-down to the next command; rest_ns: between commands.
    """

    wake: int = 0xAB
    volatile: int = 0x50
    write: int = 0x31
    value: int = 0x02
    read: int = 0xEB
    mode: int = 0xFF
    dummy: int = 4
    wake_ns: float = 3000.0
    rest_ns: float = 50.0


class FlashReader(Component):
    """Prepares the flash once after a reset, then reads from ``address`` on at each restart, and stops the clock where
    bytes are not taken.

    ``clock`` is a pulse of the flash's clock in the second half of a cycle: the flash takes ``out`` at its beginning
    and gives the next four bits at its end. Pads and board give them to ``in_`` ``delay`` cycles after the pulse's
    cycle.

    Bits are asked for only while ``ready`` is high, which must not wait for ``valid``; those that are under way when it
    falls have a place.

    Cycles: four bits each, half a byte, as long as bytes are taken. From a restart to the first byte ``latency``, where
    the preparation is over; that takes ``preparation`` from the reset.

    Cost: a small ROM for what is sent, a queue of a byte and of as many as can be under way, a counter.

    Args:
        address: of the first byte, 24 bits.
        clock: Hz, of the circuit and the flash.
        delay: cycles from a pulse to its bits, at least 1.
        commands: of the flash.
        name: of the ROM's file.
        family: of FPGAs.

    Members:
        port: ``In`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`, a byte wide.
        select_n, clock: ``Out(1)``; out, drive: ``Out(4)``; in_: ``In(4)``

    Raises:
        ValueError: an address beyond 24 bits, or a delay below 1 or above 8.
    """

    def __init__(
        self,
        address: int,
        clock: float,
        delay: int = 2,
        commands: FlashCommands | None = None,
        name: str = "flash",
        *,
        family: Family = GENERIC,
    ):
        if not 0 <= address < 1 << 24:
            raise ValueError(f"the address in a flash has 24 bits, not {address:#x}")
        if not 1 <= delay <= _LONGEST_DELAY:
            raise ValueError(f"the bits of a flash come 1 to {_LONGEST_DELAY} cycles later, not {delay}")
        self.commands, self.delay = commands or FlashCommands(), delay
        self._cycle_ns = 1e9 / clock
        prepare, read = self._prepared(), self._read(address)
        self.prepared, self.steps = len(prepare), len(prepare) + len(read)
        self.rom = Rom([_word(step) for step in (*prepare, *read)], _STEP.size, name, family=family)
        super().__init__({"port": In(weight_port(1)), **FLASH_LINES})

    @property
    def memory_bits(self) -> int:
        return self.rom.memory_bits

    @property
    def preparation(self) -> int:
        """Cycles from a reset to the first restart that is served at once."""
        return self.prepared

    @property
    def latency(self) -> int:
        """Cycles from a restart to the first byte."""
        return 1 + self.rom.latency + self.steps - self.prepared + self.delay + _NIBBLES

    def _rest(self, ns: float) -> list[dict[str, int]]:
        return [_IDLE] * (int(ns / self._cycle_ns) + 1)

    def _prepared(self) -> list[dict[str, int]]:
        c, rest = self.commands, self._rest(self.commands.rest_ns)
        # eight ones end a read without a command in which the flash may have been left
        awake = [*rest, *_serial(0xFF), *rest, *_serial(c.wake), *self._rest(c.wake_ns)]
        return [*awake, *_serial(c.volatile), *rest, *_serial(c.write, c.value), *rest]

    def _read(self, address: int) -> list[dict[str, int]]:
        c = self.commands
        octets = address << 8 | c.mode
        return [
            *self._rest(c.rest_ns),
            *_serial(c.read),
            *({"out": octets >> shift & 15, "quad": 1, "clock": 1} for shift in range(28, -4, -4)),
            *[{"silent": 1, "clock": 1}] * c.dummy,
        ]

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rom = rom = self.rom
        restart = self.port.restart
        place = Signal(range(self.steps + 1))
        reading, asked = Signal(), Signal()  # a restart came; it did before all was prepared
        moves = Signal()
        m.d.comb += [
            rom.en.eq(1),
            rom.addr.eq(place),
            moves.eq((place != self.steps) & (reading | (place != self.prepared))),
        ]
        begins = Signal()  # the head of a read
        m.d.comb += begins.eq((restart | asked) & (reading | (place == self.prepared)))
        with m.If(begins):
            m.d.sync += [place.eq(self.prepared), reading.eq(1), asked.eq(0)]
        with m.Elif(restart):
            m.d.sync += asked.eq(1)
        with m.If(~begins & moves):
            m.d.sync += place.eq(place + 1)
        active = delayed(m, moves & ~begins, rom.latency, "active", reset=True)
        headed = delayed(m, reading & (place == self.steps) & ~begins, rom.latency, "headed", reset=True)
        streams = Signal()
        m.d.comb += streams.eq(headed & (place == self.steps) & ~restart)

        step = Signal(_STEP)
        m.d.comb += step.eq(rom.data)
        issue = self._bytes(m, streams)
        with m.If(active):
            m.d.comb += [
                self.select_n.eq(step.deselected),
                self.clock.eq(step.clock),
                self.out.eq(step.out),
                self.drive.eq(_selected(step)),
            ]
        with m.Else():
            m.d.comb += [
                self.select_n.eq(~streams),
                self.clock.eq(issue),
                self.out.eq(_SERIAL_LINES),
                self.drive.eq(Mux(streams, 0, _SERIAL_LINES)),
            ]
        return m

    def _bytes(self, m: Module, streams: Signal) -> Signal:
        """Bytes of what the flash gives; returns whether the next four bits are asked for."""
        words, restart = self.port.words, self.port.restart
        issue, taken, pushed = Signal(), Signal(), Signal()
        under_way = Signal(self.delay)
        half, high = Signal(), Signal(4, reset_less=True)  # the first four bits of a byte came
        places = 1 + -(-self.delay // _NIBBLES)
        queue = [Signal(8, name=f"queue_{place}", reset_less=True) for place in range(places)]  # the oldest first
        level = Signal(range(places + 1))
        arrives = under_way[-1]
        m.d.comb += [
            issue.eq(streams & words.ready),
            taken.eq(words.valid & words.ready),
            pushed.eq(arrives & half),
            words.valid.eq(level != 0),
            words.payload.eq(queue[0]),
        ]
        m.d.sync += [under_way.eq(Cat(issue, under_way)), level.eq(level + pushed - taken)]
        with m.If(arrives):
            m.d.sync += [half.eq(~half), high.eq(self.in_)]
        for place, byte in enumerate(queue):
            with m.If(pushed & (level == place + taken)):
                m.d.sync += byte.eq(Cat(self.in_, high))
            if place + 1 < places:
                with m.Elif(taken):
                    m.d.sync += byte.eq(queue[place + 1])
        with m.If(restart):
            m.d.sync += [under_way.eq(0), level.eq(0), half.eq(0)]
        return issue


def _selected(step):
    """The lines that are driven in a step."""
    return Mux(step.silent, 0, Mux(step.quad, 0b1111, _SERIAL_LINES))


def _serial(*octets: int) -> list[dict[str, int]]:
    """The clocks of bytes on line 0, the highest bit first."""
    return [{"out": octet >> bit & 1 | 0b1100, "clock": 1} for octet in octets for bit in reversed(range(8))]


def _word(step: dict[str, int]) -> int:
    """A step as the ROM holds it."""
    word, offset = 0, 0
    for name, width in (("out", 4), ("quad", 1), ("silent", 1), ("deselected", 1), ("clock", 1)):
        word |= step.get(name, 0) << offset
        offset += width
    return word
