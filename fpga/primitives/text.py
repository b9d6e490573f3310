"""Verilog text of an instance."""

from __future__ import annotations

import re
from collections.abc import Mapping


def instance(module: str, name: str, parameters: Mapping[str, str], pins: Mapping[str, str]) -> str:
    """One cell, a parameter and a pin a line."""
    return (
        f"    {module} #(\n        "
        + ",\n        ".join(f".{key}({value})" for key, value in parameters.items())
        + f"\n    ) {name} (\n        "
        + ",\n        ".join(f".{key}({value})" for key, value in pins.items())
        + "\n    );"
    )


def without_modules(text: str, name: str) -> str:
    """Verilog without the modules whose names begin so: black boxes that somebody else has a model of."""
    return re.sub(rf"\bmodule {name}\w*\s*\(.*?\bendmodule\b", "", text, flags=re.DOTALL)


def packed_words(words, bits: int, row_bits: int, rows: int) -> list[int]:
    """Words one behind the other as ``rows`` numbers of ``row_bits`` bits."""
    whole = sum(word << index * bits for index, word in enumerate(words))
    return [whole >> row * row_bits & ((1 << row_bits) - 1) for row in range(rows)]


def bytes_of_nine(words, bits: int) -> list[int]:
    """Words of 1, 2, 4, 9, 18 or 36 bits as bytes of 9 bits, of which the narrow ones leave the ninth bit unused."""
    if bits >= 9:
        return [word >> 9 * part & 0x1FF for word in words for part in range(bits // 9)]
    in_a_byte = 8 // bits
    return [
        sum(word << bits * place for place, word in enumerate(words[first : first + in_a_byte]))
        for first in range(0, len(words), in_a_byte)
    ]
