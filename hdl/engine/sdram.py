"""The weights' port on an SDR SDRAM: initialised, refreshed and read in order by hardware, filled through a stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..family import GENERIC, Family
from ..fifo import Fifo, RegisterQueue
from .weight_port import PLACE_BITS, PLACE_BYTES, weight_port

BURST = 8
"""Words of a read command."""

_QUEUE = 4 * BURST


@dataclass(frozen=True)
class SdramTiming:
    """A device and its times; the defaults suit the usual parts of 16 bits and 256 Mbit at 133 MHz or more.

    Attributes:
        data_bits: 16, or 32 of two parts side by side or one of 32 bits.
        row_bits, column_bits: of an address; there are four banks.
        cas: cycles from a read command to its first word.
        start_ns: from power to the first command; precharge_ns (tRP), activate_ns (tRCD), row_ns (tRC), open_ns (tRAS),
            refresh_ns (tRFC), written_ns (tWR); interval_ns: from refresh to refresh.
    """

    data_bits: int = 16
    row_bits: int = 13
    column_bits: int = 9
    cas: int = 2
    start_ns: float = 200_000.0
    precharge_ns: float = 20.0
    activate_ns: float = 20.0
    row_ns: float = 66.0
    open_ns: float = 45.0
    refresh_ns: float = 66.0
    written_ns: float = 15.0
    interval_ns: float = 7812.5

    def __post_init__(self) -> None:
        if self.data_bits not in (16, 32) or self.cas not in (2, 3):
            raise ValueError(f"an SDRAM has 16 or 32 bits and CAS latency 2 or 3, not {self.data_bits} and {self.cas}")

    @property
    def words(self) -> int:
        return 4 << (self.row_bits + self.column_bits)


class Command:
    """Row, column and write strobe, low when active, the row's highest."""

    MODE, REFRESH, PRECHARGE, ACTIVATE, WRITE, READ, NOTHING = 0b000, 0b001, 0b010, 0b011, 0b100, 0b101, 0b111


def sdram_lines(data_bits: int) -> dict:
    """The lines to a device's pads, without its clock. CKE is high, CS and DQM are low throughout."""
    return {
        "command": Out(3, init=Command.NOTHING),
        "bank": Out(2),
        "address": Out(13),
        "dq_out": Out(data_bits),
        "dq_drive": Out(1),
        "dq_in": In(data_bits),
    }


_REFRESHES = 8  # before the mode is set
_MODE_CYCLES = 2
_ALL_BANKS = 1 << 10


class SdramReader(Component):
    """Reads from the first word, or a place, on at each restart, in bursts of 8 from rows that stay open; refreshes
    between them.

    Words lie in a row, then in the next bank, then in the next row. While bytes are not taken nothing is read, and
    refreshes go on. ``fill`` writes words from a place on after ``fill_restart``, before anything is read.

    Cycles: a word each but where a row ends (precharge, activation: ``row_change`` cycles for 2^column_bits words) and
    where a refresh comes (``refreshing`` cycles every ``interval_ns``).

    Cost: queues of 32 words and of 2, an address of each kind, counters of times.

    Args:
        timing: of the device.
        clock: Hz, of circuit and device.
        delay: cycles that pads add between a command and its words.
        places: the port says where to read from, in whole bursts.
        family: of FPGAs.

    Members:
        port: ``In`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`, as wide as the device.
        fill_restart: ``In(1)``; fill_place: ``In``, with it, in units of 4 bytes; fill:
            ``In(stream.Signature(data_bits))``
        prepared: ``Out(1)``, the device takes words.
        command (of :class:`Command`), bank, address, dq_out, dq_drive, dq_in: those of :func:`sdram_lines`.

    Raises:
        ValueError: times that this clock does not keep.
    """

    def __init__(
        self, timing: SdramTiming, clock: float, delay: int = 2, *, places: bool = False, family: Family = GENERIC
    ):
        t = self.timing = timing
        self.delay, self.places = delay, places
        self.start, self.precharge, self.activate, self.refresh, self.written, self.open = (
            max(1, ceil(ns * clock / 1e9 - 1e-6))
            for ns in (
                t.start_ns,
                t.precharge_ns,
                t.activate_ns,
                t.refresh_ns,
                t.written_ns,
                max(t.open_ns, t.row_ns - t.precharge_ns),
            )
        )
        # a refresh may have to wait for a burst, a row that closes, and one that has to stay open
        self.interval = int(t.interval_ns * clock / 1e9) - BURST - self.open - self.precharge - self.activate
        if self.interval <= self.refresh + BURST:
            raise ValueError(f"at {clock / 1e6:g} MHz an SDRAM would do nothing but refresh")
        self.queue = Fifo(unsigned(t.data_bits), _QUEUE, family=family)
        self.front = RegisterQueue(unsigned(t.data_bits), 2)
        super().__init__(
            {
                "port": In(weight_port(t.data_bits // 8, places=places)),
                "fill_restart": In(1),
                "fill_place": In(PLACE_BITS),
                "fill": In(Signature(unsigned(t.data_bits))),
                "prepared": Out(1),
                **sdram_lines(t.data_bits),
            }
        )

    @property
    def row_change(self) -> int:
        """Cycles from the last read command of a row to the first of the next, beyond a burst's."""
        return self.precharge + self.activate

    @property
    def latency(self) -> int:
        """Cycles from a restart to the first word, less one, where no refresh comes between."""
        return self.row_change + 1 + self.delay + self.timing.cas + self.queue.latency + self.front.latency

    @property
    def rate(self) -> Fraction:
        """Bytes a cycle on average, rounded down to 1/64."""
        row = 1 << self.timing.column_bits
        share = Fraction(row, row + self.row_change) * (1 - Fraction(self.refreshing, self.interval + 1))
        return Fraction(int(share * self.timing.data_bits * 8), 64)

    @property
    def refreshing(self) -> int:
        """Cycles that a refresh takes from reading, a row's closing and opening among them."""
        return self.row_change + self.refresh

    def elaborate(self, platform) -> Module:
        m = Module()
        t = self.timing
        bits = t.row_bits + 2 + t.column_bits
        scale = (8 * PLACE_BYTES // t.data_bits).bit_length() - 1  # of a place in words
        read_at, write_at = Signal(bits), Signal(bits)
        start = Signal(range(self.start + 1), init=self.start)
        longest = max(self.precharge, self.activate, self.refresh, BURST, _MODE_CYCLES)
        wait = Signal(range(longest + 1))
        hold = Signal(range(max(self.open, self.written) + 1))  # until the row may be closed
        turn = Signal(range(BURST + t.cas + 3))  # until the device drives no more
        steps = Signal(range(_REFRESHES + 3))  # of the preparation
        interval, due = Signal(range(self.interval + 1), init=self.interval), Signal()
        opened, row = Signal(), Signal(t.row_bits + 2)
        reading = Signal()
        issue = Signal(3, init=Command.NOTHING)
        reads, writes, closes = Signal(), Signal(), Signal()
        room = self._words(m, reads)

        wanted = Signal(len(row))
        column = Signal(t.column_bits)
        at = Mux(self.fill.valid, write_at, read_at)
        free = Signal()
        m.d.comb += [
            wanted.eq(at[t.column_bits :]),
            column.eq(at[: t.column_bits]),
            free.eq((start == 0) & (wait == 0)),
            self.prepared.eq(steps == _REFRESHES + 2),
            self.fill.ready.eq(writes),
        ]
        m.d.comb += issue.eq(Command.NOTHING)
        address = Signal(13)
        for counter in (start, wait, hold, turn, interval):
            with m.If(counter != 0):
                m.d.sync += counter.eq(counter - 1)
        with m.If((interval == 0) & self.prepared):
            m.d.sync += [due.eq(1), interval.eq(self.interval)]

        with m.If(free & ~self.prepared):
            m.d.sync += steps.eq(steps + 1)
            with m.If(steps == 0):
                m.d.comb += closes.eq(1)
            with m.Elif(steps == _REFRESHES + 1):
                m.d.comb += [issue.eq(Command.MODE), address.eq(1 << 9 | t.cas << 4 | BURST.bit_length() - 1)]
                m.d.sync += [wait.eq(_MODE_CYCLES - 1), interval.eq(self.interval)]
            with m.Else():
                m.d.comb += issue.eq(Command.REFRESH)
                m.d.sync += wait.eq(self.refresh - 1)
        with m.Elif(free & due):
            with m.If(opened):
                m.d.comb += closes.eq(hold == 0)
            with m.Else():
                m.d.comb += issue.eq(Command.REFRESH)
                m.d.sync += [wait.eq(self.refresh - 1), due.eq(0)]
        with m.Elif(free & (self.fill.valid | (reading & (room >= BURST)))):
            with m.If(opened & (row == wanted)):
                with m.If(~self.fill.valid):
                    m.d.comb += [issue.eq(Command.READ), address.eq(column), reads.eq(~self.port.restart)]
                    m.d.sync += [wait.eq(BURST - 1), turn.eq(BURST + t.cas + 2), read_at.eq(read_at + BURST)]
                with m.Elif(turn == 0):
                    m.d.comb += [issue.eq(Command.WRITE), address.eq(column), writes.eq(1)]
                    m.d.sync += write_at.eq(write_at + 1)
                    with m.If(hold <= self.written):
                        m.d.sync += hold.eq(self.written)
            with m.Elif(opened):
                m.d.comb += closes.eq(hold == 0)
            with m.Else():
                m.d.comb += [issue.eq(Command.ACTIVATE), address.eq(wanted[2:])]
                m.d.sync += [opened.eq(1), row.eq(wanted), wait.eq(self.activate - 1), hold.eq(self.open - 1)]
        with m.If(closes):
            m.d.comb += [issue.eq(Command.PRECHARGE), address.eq(_ALL_BANKS)]
            m.d.sync += [opened.eq(0), wait.eq(self.precharge - 1)]
        with m.If(self.port.restart):
            m.d.sync += [read_at.eq(self.port.place << scale if self.places else 0), reading.eq(1)]
        with m.If(self.fill_restart):
            m.d.sync += write_at.eq(self.fill_place << scale)
        m.d.sync += [
            self.command.eq(issue),
            self.address.eq(address),
            self.bank.eq(Mux(issue == Command.MODE, 0, wanted[:2])),
            self.dq_out.eq(self.fill.payload),
            self.dq_drive.eq(writes),
        ]
        return m

    def _words(self, m: Module, reads: Signal) -> Signal:
        """The queue of words that were read; returns how many more have a place."""
        port, restart = self.port, self.port.restart
        m.submodules.queue = ResetInserter(restart)(self.queue)
        m.submodules.front = ResetInserter(restart)(self.front)  # so that who takes words is not on the queue's path
        left = Signal(range(BURST))  # words of the burst behind this cycle's
        under_way = Signal(1 + self.timing.cas + self.delay)
        room = Signal(range(_QUEUE + 1), init=_QUEUE)
        queue = self.queue
        taken = port.words.valid & port.words.ready
        m.d.comb += [
            queue.i.valid.eq(under_way[-1]),
            queue.i.payload.eq(self.dq_in),
            self.front.i.valid.eq(queue.o.valid),
            self.front.i.payload.eq(queue.o.payload),
            queue.o.ready.eq(self.front.i.ready),
            port.words.valid.eq(self.front.o.valid),
            port.words.payload.eq(self.front.o.payload),
            self.front.o.ready.eq(port.words.ready),
        ]
        m.d.sync += [
            under_way.eq(Cat(reads | (left != 0), under_way)),
            left.eq(Mux(reads, BURST - 1, left - (left != 0))),
            room.eq(room - Mux(reads, BURST, 0) + taken),
        ]
        with m.If(restart):
            m.d.sync += [under_way.eq(0), left.eq(0), room.eq(_QUEUE)]
        return room
