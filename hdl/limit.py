"""A value held within limits."""

from __future__ import annotations

from amaranth.hdl import Const, Mux, Value


def limited(value: Value, low: int, high: int) -> Value:
    """A signed value, or the limit that it is beyond.

    Where a limit is a power of two (less one, above), as those of an element's type are, the bits above it say whether
    it is exceeded: no carry chain follows the one that made the value.
    """
    return Mux(_below(value, low), low, Mux(_above(value, high), high, value))


def limit_luts(bits: int, low: int, high: int, output_bits: int) -> int:
    """Four-input tables of :func:`limited` for a value of ``bits``, estimated: a table for each bit of the result, and
    a bit of carry for each of a comparison, or a third of that where the bits above say it."""
    luts = output_bits
    for size in (-low, high + 1):
        luts += -(-bits // 3) if _is_power(size) else bits
    return luts


def _is_power(size: int) -> bool:
    return size >= 0 and not size & (size - 1)


def _above(value: Value, limit: int) -> Value:
    if limit < 0 or not _is_power(limit + 1):
        return value > limit
    if limit.bit_length() >= len(value) - 1:
        return Const(0)
    return ~value[-1] & value[limit.bit_length() : -1].any()


def _below(value: Value, limit: int) -> Value:
    if limit > 0 or not _is_power(-limit):
        return value < limit
    if limit == 0:
        return value[-1]
    bits = (-limit).bit_length() - 1
    if bits >= len(value) - 1:
        return Const(0)
    return value[-1] & ~value[bits:-1].all()
