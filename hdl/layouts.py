"""Amaranth's layouts of payloads, whose fields get no names of their own in what is emitted.

Amaranth gives every field of every signal a wire that nothing reads: of a network's RTLIL they are the greater part,
and of the time that it takes. A payload is one wire here.
"""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Format, Value
from amaranth.lib import data


class ArrayLayout(data.ArrayLayout):
    """:class:`amaranth.lib.data.ArrayLayout`, shown as one number."""

    def format(self, value: Any, format_spec: str) -> Format:
        return Format("{}", Value.cast(value))


class StructLayout(data.StructLayout):
    """:class:`amaranth.lib.data.StructLayout`, shown as one number."""

    def format(self, value: Any, format_spec: str) -> Format:
        return Format("{}", Value.cast(value))
