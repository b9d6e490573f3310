"""A quad SPI NOR flash, clock by clock, which fails loudly where a real one would do something else than was meant."""

from __future__ import annotations

from dataclasses import dataclass, field

_WAKE, _VOLATILE, _WRITE, _READ, _END = 0xAB, 0x50, 0x31, 0xEB, 0xFF
_ENABLED = 0x02
_CONTINUOUS = 0x20, 0x30  # bits 5 and 4 of the mode byte: 10 asks for a next read without a command


class FlashError(AssertionError):
    """The circuit broke the flash's protocol; the message says how, and in which cycle."""


@dataclass
class FlashModel:
    """The flash of an FPGA's board after configuration: in deep power-down, four lines not enabled.

    It knows what :class:`~mbconv.hdl.engine.flash_reader.FlashReader` may send: leave power-down, enable four lines
    until power is off, read with address and data on four lines. Anything else, and these in a wrong state, with too
    short a rest, on lines that are not driven or that both ends drive, is a :class:`FlashError`.

    Args:
        contents: from address 0 on; reading beyond is an error.
        cycle_ns: of the clock, whose highest is 104 MHz.
        dummy: clocks between mode and data.
        wake_ns, rest_ns: what the data sheet asks for.

    Attributes:
        commands: that were executed, in their order.
    """

    contents: bytes
    cycle_ns: float
    dummy: int = 4
    wake_ns: float = 3000.0
    rest_ns: float = 50.0
    commands: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.cycle_ns < 1000 / 104:
            raise FlashError(f"a clock of {1000 / self.cycle_ns:.1f} MHz is above the flash's 104")
        self._asleep, self._writable, self._quad = True, False, False
        self._cycle, self._rest, self._awake = 0, 0.0, 0.0  # ns since deselected, since woken
        self._selected, self._clocks, self._bits = False, 0, 0
        self._drives: int | None = None  # what is on the lines

    def cycle(self, select_n: int, clock: int, out: int, drive: int) -> int:
        """A cycle: the lines as they are driven in it, and whether the clock has a pulse in its second half.

        Returns:
            What a register at the end of the cycle sees on the four lines; ones where nobody drives.
        """
        self._cycle += 1
        self._rest += self.cycle_ns
        self._awake += self.cycle_ns
        if select_n:
            if clock:
                self._fail("the clock runs without a selection")
            if self._selected:
                self._deselect()
            return 15
        if not self._selected:
            self._selected, self._clocks, self._bits, self._command = True, 0, 0, None
            if self._rest < self.rest_ns:
                self._fail(f"selected after {self._rest:.0f} ns, {self.rest_ns:.0f} are needed")
        if self._drives is not None and drive:
            self._fail("both ends drive the lines")
        seen = self._drives if self._drives is not None else (out & drive) | (15 & ~drive)
        if clock:
            self._pulse(out, drive)
        return seen

    def _fail(self, what: str) -> None:
        raise FlashError(f"flash, cycle {self._cycle}: {what}")

    def _pulse(self, out: int, drive: int) -> None:
        self._clocks += 1
        if self._command is None:
            if not drive & 1:
                self._fail("line 0 is not driven in a command")
            if not self._quad and (out & drive & 12) != 12:
                self._fail("write protection or hold is low while four lines are not enabled")
            self._bits = self._bits << 1 | out & 1
            if self._clocks == 8:
                self._begin(self._bits)
        elif self._command == _READ:
            self._read(out, drive)
        elif self._command == _WRITE:
            self._bits = self._bits << 1 | out & 1
        elif self._command == _END:
            if not out & 1:
                self._fail("a zero in what ends a read without a command")
        else:
            self._fail(f"clocks behind the command {self._command:#x}, which has no more")

    def _begin(self, command: int) -> None:
        self._command, self._bits = command, 0
        if command == _END:
            return
        if command == _WAKE:
            return
        if self._asleep:
            self._fail(f"command {command:#x} in power-down")
        if self._awake < self.wake_ns:
            self._fail(f"command {command:#x} {self._awake:.0f} ns after power-down, {self.wake_ns:.0f} are needed")
        if command == _READ and not self._quad:
            self._fail("a read on four lines, which are not enabled")
        if command == _WRITE and not self._writable:
            self._fail("the status register is not writable")
        if command not in (_VOLATILE, _WRITE, _READ):
            self._fail(f"command {command:#x} is unknown")

    def _read(self, out: int, drive: int) -> None:
        head = self._clocks - 8
        if head <= 8:
            if drive != 15:
                self._fail("address and mode are not driven on four lines")
            self._bits = self._bits << 4 | out
            if head == 8 and self._bits & 0x30 in _CONTINUOUS[:1]:
                self._fail("the mode asks for a next read without a command")
        elif drive:
            self._fail("the lines are driven while the flash turns them round")
        place = head - 8 - self.dummy  # of the nibble that the end of this pulse brings
        if place >= 0:
            address = (self._bits >> 8) + place // 2
            if address >= len(self.contents):
                self._fail(f"address {address:#x} is beyond the contents")
            self._drives = self.contents[address] >> (0 if place % 2 else 4) & 15

    def _deselect(self) -> None:
        command, extra = self._command, self._clocks - 8
        if command is None:
            self._fail("deselected within a command")
        if command == _WAKE and self._asleep:
            self._asleep, self._awake = False, 0.0
        if command == _WRITE:
            if extra != 8:
                self._fail(f"{extra} bits for the status register, not 8")
            self._quad, self._writable = bool(self._bits & _ENABLED), False
        if command == _VOLATILE:
            self._writable = True
        self.commands.append(command)
        self._selected, self._rest, self._drives = False, 0.0, None
