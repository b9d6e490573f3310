"""Operands of equal widths: what Verilog would extend by itself, and linters ask about, written out."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = r"(?:\\\S+ ?|[A-Za-z_][\w$]*)"
_ITEM = rf"(?:\d+'h[0-9a-f]+|{NAME} ?(?:\[\d+(?::\d+)?\])?)"
_OPERAND = rf"\$signed\((?:\{{ {_ITEM}(?: ?, {_ITEM})* ?\}}|{_ITEM})\)"
_BINARY = re.compile(
    rf"(  assign (?P<result>{NAME}) ?= )(?P<left>{_OPERAND}) (?P<operator>[-+]|[<>]=?|[=!]=) (?P<right>{_OPERAND});"
)
_UNSIGNED = re.compile(rf"(  assign {NAME} ?= )({_ITEM}) ?([-+]|[<>]=?|[=!]=) ({_ITEM}) ?;")
_SHIFT = re.compile(rf"(  assign ({NAME}) ?= )({_ITEM}) ?(<<|>>) (.+?) ?;")
_STEP = re.compile(r"1'h[01]")
_CONSTANT = re.compile(r"(\d+)'h([0-9a-f]+)")
_PART = re.compile(rf"({NAME}) ?(?:\[(\d+)(?::(\d+))?\])?")
_ZERO = re.compile(rf"  (?:wire|reg) \[-1:0\] ({NAME}) ?(?:=.*)?;")


def with_equal_widths(line: str, widths: Mapping[str, int]) -> str:
    """A line of Verilog; of a sum, a difference or a comparison of signed operands the narrower one is sign-extended,
    of one of unsigned operands (but for a step of one bit) zero-extended; what is shifted is as wide as the result, or
    the result is a part of it.

    Args:
        widths: of the module's wires and registers.
    """
    if match := _UNSIGNED.fullmatch(line):
        return _unsigned(match, widths)
    if match := _SHIFT.fullmatch(line):
        return _shifted(match, widths)
    match = _BINARY.fullmatch(line)
    if match is None:
        return line
    sides = [re.findall(_ITEM, match[side].removeprefix("$signed")) for side in ("left", "right")]
    known = [[_width(item, widths) for item in items] for items in sides]
    if any(width is None for items in known for width in items):
        return line
    found = [sum(width or 0 for width in items) for items in known]
    wanted = max(found)
    if match["operator"] in "+-":
        wanted = max(wanted, widths.get(match["result"].strip(), 0))
    left, right = (
        match[side] if width == wanted else f"$signed({_extended(items, wanted - width, widths)})"
        for side, items, width in zip(("left", "right"), sides, found, strict=True)
    )
    return f"{match[1]}{left} {match['operator']} {right};"


def _unsigned(match: re.Match[str], widths: Mapping[str, int]) -> str:
    """The same of unsigned operands."""
    start, operator = match[1], match[3]
    left, right = _plain(match[2]), _plain(match[4])
    found = [_width(item, widths) for item in (left, right)]
    if None in found or found[0] == found[1] or (operator in "+-" and _STEP.fullmatch(right)):
        return match[0]
    wanted = max(width or 0 for width in found)
    padded = [_padded(item, width or 0, wanted) for item, width in zip((left, right), found, strict=True)]
    return f"{start}{padded[0]} {operator} {padded[1]};"


def _plain(item: str) -> str:
    """An item without spaces behind it, but for the one that ends an escaped name."""
    item = item.rstrip()
    return f"{item} " if re.fullmatch(r"\\\S+", item) else item


def _padded(item: str, width: int, wanted: int) -> str:
    """An item with zeros in front."""
    if width == wanted:
        return item
    if match := _CONSTANT.fullmatch(item):
        return f"{wanted}'h{match[2]}"
    return f"{{ {wanted - width}'h0, {item} }}"


def _shifted(match: re.Match[str], widths: Mapping[str, int]) -> str:
    """The same of a shift; a result that is narrower is a part of a wire of its own. One of a bit is left as it is."""
    start, name, item, operator, by = match[1], match[2], _plain(match[3]), match[4], _plain(match[5])
    result, width = widths.get(name.strip()), _width(item, widths)
    if result is None or width is None or result == width:
        return match[0]
    if result > width:
        return f"{start}{_padded(item, width, result)} {operator} {by};"
    if result == 1:
        return f"{start}|(({item} {operator} {by}) & {width}'h1);"
    whole = f"\\{name.strip().removeprefix(chr(92))}$whole "
    return f"  wire [{width - 1}:0] {whole} = {item} {operator} {by};\n{start}{whole}[{result - 1}:0];"


def _width(item: str, widths: Mapping[str, int]) -> int | None:
    """Bits of a constant, a wire or a part of one; None where the wire is not known."""
    if match := _CONSTANT.fullmatch(item):
        return int(match[1])
    match = _PART.fullmatch(item)
    assert match is not None  # as _ITEM has it
    name, high, low = match.groups()
    return widths.get(name.strip()) if high is None else int(high) - int(low or high) + 1


def _extended(items: list[str], bits: int, widths: Mapping[str, int]) -> str:
    """Items side by side with copies of the first one's highest bit in front."""
    first = items[0]
    if match := _CONSTANT.fullmatch(first):
        width, value = int(match[1]), int(match[2], 16)
        ones = ((1 << bits) - 1) << width if value >> (width - 1) & 1 else 0
        rest = [f"{width + bits}'h{ones | value:x}", *items[1:]]
        return rest[0] if len(rest) == 1 else f"{{ {', '.join(rest)} }}"
    part = _PART.fullmatch(first)
    assert part is not None
    name, high, _ = part.groups()
    width = widths.get(name.strip(), 1)
    sign = f"{name}[{high}]" if high is not None else name if width == 1 else f"{name}[{width - 1}]"
    return f"{{ {{{bits}{{{sign}}}}}, {', '.join(items)} }}"


def without_empty_wires(module: str) -> str:
    """A module without its wires of no bits, which Verilog has not: ``[-1:0]`` would be two."""
    names = {match[1].strip() for match in map(_ZERO.fullmatch, module.split("\n")) if match}
    if not names:
        return module
    kept: list[str] = []
    assigned = re.compile("  assign (?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + ") ?= ")
    for line in module.split("\n"):
        if _ZERO.fullmatch(line):
            while kept and kept[-1].startswith("  (*"):
                kept.pop()
        elif not assigned.match(line):
            kept.append(line)
    used = re.compile(NAME)
    return used.sub(lambda match: "1'h0 " if match[0].strip() in names else match[0], "\n".join(kept))
