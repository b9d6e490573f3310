"""An SDR SDRAM, cycle by cycle, which fails loudly where a real one would lose or invent data."""

from __future__ import annotations

from dataclasses import dataclass, field

from mbconv.hdl.engine.sdram import Command, SdramTiming

_REFRESHES_BEFORE_MODE = 2
_MOST_POSTPONED = 8
_MOST_OPEN_NS = 100_000.0
_MODE_NS_CYCLES = 2


class SdramError(AssertionError):
    """The circuit broke a rule of the device; the message says which, and in which cycle."""


@dataclass
class _Bank:
    row: int | None = None
    activated: float = -1e9
    closed: float = -1e9
    written: float = -1e9


@dataclass
class SdramModel:
    """Four banks, bursts of 8 that read and single words that are written.

    Checked: the pause after power and the order of the preparation; tRCD, tRP, tRC, tRAS (least and most), tRFC, tWR,
    the cycles after the mode; that banks are closed where they must be and open where they must be; that in any time
    there were as many refreshes as intervals, but for 8 that may be postponed; that never both ends drive the lines.
    Words that were never written read as 5A5A….

    Args:
        timing: of the device, whose times are checked; cycle_ns: of the clock.

    Attributes:
        words: contents by linear address.
        reads, writes, refreshes: commands so far.
    """

    timing: SdramTiming
    cycle_ns: float
    words: dict[int, int] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    refreshes: int = 0

    def __post_init__(self) -> None:
        self._now, self._cycle = 0.0, 0
        self._banks = [_Bank() for _ in range(4)]
        self._refreshed, self._mode_at = -1e9, None
        self._since: float | None = None  # the mode was set: refreshes are counted from here
        self._closed_all = False
        self._driven: dict[int, int] = {}  # cycle → word

    def cycle(self, command: int, bank: int, address: int, dq: int, drive: int) -> int:
        """A cycle's lines; the word on the data lines, ones where nobody drives."""
        self._cycle += 1
        self._now += self.cycle_ns
        mine = self._driven.pop(self._cycle, None)
        if mine is not None and drive:
            self._fail("both ends drive the data lines")
        if drive != (command == Command.WRITE):
            self._fail("data are driven without a write, or a write has none")
        if command != Command.NOTHING:
            if self._now < self.timing.start_ns:
                self._fail(f"a command {self._now:.0f} ns after power, {self.timing.start_ns:.0f} are needed")
            self._least("tRFC", self._now - self._refreshed, self.timing.refresh_ns)
            if self._mode_at is not None and self._cycle - self._mode_at < _MODE_NS_CYCLES:
                self._fail("a command too soon after the mode was set")
            self._execute(command, self._banks[bank], bank, address, dq)
        if self._since is not None:
            wanted = int((self._now - self._since) / self.timing.interval_ns)
            if self.refreshes < wanted - _MOST_POSTPONED:
                self._fail(f"{self.refreshes} refreshes where {wanted} were due")
        return (1 << self.timing.data_bits) - 1 if mine is None else mine

    def _fail(self, what: str) -> None:
        raise SdramError(f"SDRAM, cycle {self._cycle}: {what}")

    def _least(self, name: str, ns: float, least: float) -> None:
        if ns < least - 1e-6:
            self._fail(f"{name} is {ns:.1f} ns, {least:.1f} are needed")

    def _execute(self, command: int, bank: _Bank, number: int, address: int, dq: int) -> None:
        t = self.timing
        if command == Command.PRECHARGE:
            for one in self._banks if address >> 10 & 1 else [bank]:
                if one.row is not None:
                    self._least("tRAS", self._now - one.activated, t.open_ns)
                    self._least("tWR", self._now - one.written, t.written_ns)
                    if self._now - one.activated > _MOST_OPEN_NS:
                        self._fail(f"a row was open for {self._now - one.activated:.0f} ns")
                one.row, one.closed = None, self._now
            self._closed_all |= bool(address >> 10 & 1)
            return
        if command in (Command.REFRESH, Command.MODE):
            if not self._closed_all or any(one.row is not None for one in self._banks):
                self._fail("a refresh or the mode while a row may be open")
            for one in self._banks:
                self._least("tRP", self._now - one.closed, t.precharge_ns)
            if command == Command.REFRESH:
                self.refreshes, self._refreshed = self.refreshes + 1, self._now
                return
            if self.refreshes < _REFRESHES_BEFORE_MODE:
                self._fail("the mode before two refreshes")
            if address != 1 << 9 | t.cas << 4 | 3:
                self._fail(f"the mode {address:#x} is not bursts of 8, CAS {t.cas}, single words written")
            self._since, self._mode_at, self.refreshes = self._now, self._cycle, 0
            return
        if self._since is None:
            self._fail("a command before the mode was set")
        if command == Command.ACTIVATE:
            if bank.row is not None:
                self._fail("a row is opened in a bank whose row is open")
            self._least("tRP", self._now - bank.closed, t.precharge_ns)
            self._least("tRC", self._now - bank.activated, t.row_ns)
            bank.row, bank.activated = address, self._now
            return
        if bank.row is None:
            self._fail("a read or write in a bank without an open row")
        self._least("tRCD", self._now - bank.activated, t.activate_ns)
        place = (bank.row * 4 + number << t.column_bits) + (address & (1 << t.column_bits) - 1)
        if command == Command.WRITE:
            if any(cycle >= self._cycle for cycle in self._driven):
                self._fail("a write while the device still gives words")
            self.words[place], bank.written, self.writes = dq, self._now, self.writes + 1
        elif command == Command.READ:
            self.reads += 1
            first = self._cycle + t.cas
            self._driven = {cycle: word for cycle, word in self._driven.items() if cycle < first}
            for number in range(8):
                inside = place & ~7 | (place + number) & 7
                if inside not in self.words:
                    self._driven[first + number] = 0x5A5A5A5A & (1 << t.data_bits) - 1
                else:
                    self._driven[first + number] = self.words[inside]
        else:
            self._fail(f"the command {command} is unknown")
