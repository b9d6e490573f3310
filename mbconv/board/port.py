"""A serial port that never waits for ever, and says what is wrong with it."""

from __future__ import annotations

import errno
import time

import serial

from .errors import BoardError, BoardMissing

try:
    from termios import error as _termios_error  # which is no OSError, and passes pyserial as it is
except ModuleNotFoundError:  # Windows
    _termios_error = OSError

_LEAST_WAIT = 0.02  # seconds
_FAILURES = (serial.SerialException, OSError, ValueError, _termios_error)


class Port:
    """A serial port, 8 data bits, no parity, one stop bit, no flow control.

    Raises:
        BoardMissing: it cannot be opened, or goes away in use.
    """

    def __init__(self, device: str, baud: int):
        self.device = device
        try:
            self._serial = serial.Serial(device, baud, timeout=_LEAST_WAIT, exclusive=True)
        except _FAILURES as error:
            raise BoardMissing(_why_not_opened(device, baud, error)) from None

    def close(self) -> None:
        self._serial.close()

    @property
    def baud(self) -> int:
        return self._serial.baudrate

    @baud.setter
    def baud(self, rate: int) -> None:
        try:
            self._serial.baudrate = rate
        except _FAILURES as error:
            raise BoardError(f"{self.device} cannot be set to {rate:,} baud ({error})") from None

    def discard(self) -> None:
        """Forget what has come."""
        try:
            self._serial.reset_input_buffer()
        except _FAILURES as error:
            raise self._gone(error) from None

    def write(self, data: bytes, until: float) -> None:
        """Send bytes, at the latest until a time of ``time.monotonic()``.

        Raises:
            BoardError: they are not gone by then.
        """
        try:
            self._serial.write_timeout = max(_LEAST_WAIT, until - time.monotonic())
            self._serial.write(data)
        except serial.SerialTimeoutException:
            raise BoardError(f"{self.device} takes no bytes: is something else holding the line?") from None
        except _FAILURES as error:
            raise self._gone(error) from None

    def read(self) -> bytes:
        """What has come, after a short wait if that is nothing."""
        try:
            return self._serial.read(max(1, self._serial.in_waiting))
        except (*_FAILURES, TypeError) as error:  # pyserial meets a closed file with a TypeError
            raise self._gone(error) from None

    def _gone(self, error: Exception) -> BoardMissing:
        return BoardMissing(f"{self.device} went away ({error}): plug the board in again")


def _why_not_opened(device: str, baud: int, error: Exception) -> str:
    number = error.args[0] if isinstance(error, _termios_error) else getattr(error, "errno", None)
    if number == errno.ENOENT:
        return f"{device} is not there: is the board plugged in? {_ports()}"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"{device} may not be opened: on Linux join its group (sudo usermod -a -G dialout $USER, then log in "
            "again), or give rights with a udev rule"
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return f"{device} is in use by another program: close it first"
    unfit = (errno.ENOTTY, errno.EINVAL, errno.EISDIR, errno.ENODEV, errno.ENXIO)
    if number in unfit or "Could not configure port" in str(error):  # where pyserial keeps no number
        return f"{device} is no serial port that can be set to {baud:,} baud ({error})"
    return f"{device} cannot be opened: {error}"


def _ports() -> str:
    """The serial ports of this machine, in words."""
    from serial.tools.list_ports import comports

    found = [port.device for port in comports() if port.vid is not None]
    return f"Serial ports with something plugged in: {', '.join(found)}" if found else "No USB serial port was found"
