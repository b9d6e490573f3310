"""The options of a custom operator: a map of numbers as FlexBuffers hold it, read without trusting a byte of it."""

from __future__ import annotations

import math
import struct

from flatbuffers import flexbuffers

MAXIMUM_ENTRIES = 256

# What the package raises on offsets that point nowhere.
_DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError, KeyError)


def custom_options(data: bytes) -> dict[str, int | float]:
    """The numbers of a custom operator's options by their names; nothing of what is no such map."""
    if len(data) < 3:
        return {}
    try:
        root = flexbuffers.GetRoot(bytearray(data))
        if not root.IsMap:
            return {}
        entries = root.AsMap
        if not 0 <= len(entries) <= min(MAXIMUM_ENTRIES, len(data)):
            return {}
        found: dict[str, int | float] = {}
        for place in range(len(entries)):
            value = entries.Values[place]
            if value.IsBool:
                found[str(entries.Keys[place].AsKey)] = int(value.AsBool)
            elif value.IsNumeric and math.isfinite(number := value.AsFloat if value.IsFloat else value.AsInt):
                found[str(entries.Keys[place].AsKey)] = number
        return found
    except _DAMAGE:
        return {}
