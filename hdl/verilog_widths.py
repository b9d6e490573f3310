"""Operands of equal widths: what Verilog would extend by itself, and linters ask about, written out."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = r"(?:\\\S+ ?|[A-Za-z_][\w$]*)"
_ITEM = rf"(?:\d+'h[0-9a-f]+|{NAME} ?(?:\[\d+(?::\d+)?\])?)"
_OPERAND = rf"\$signed\((?:\{{ {_ITEM}(?: ?, {_ITEM})* ?\}}|{_ITEM})\)"
_BINARY = re.compile(
    rf"(  assign (?P<result>{NAME}) ?= )(?P<left>{_OPERAND}) (?P<operator>[-+<>]) (?P<right>{_OPERAND});"
)
_PLAIN = re.compile(rf"(  assign {NAME} ?= )({NAME}) ?([-+]) ({NAME}) ?;")
_LIMIT = re.compile(rf"(  assign {NAME} ?= )({NAME}) ?([<>]=?|[=!]=) (\d+)'h([0-9a-f]+) ?;")
_STEP = re.compile(rf"(  assign {NAME} ?= )({NAME}) ?([-+]) ((?!1')\d+)'h([0-9a-f]+) ?;")
_CONSTANT = re.compile(r"(\d+)'h([0-9a-f]+)")
_PART = re.compile(rf"({NAME}) ?(?:\[(\d+)(?::(\d+))?\])?")
_ZERO = re.compile(rf"  (?:wire|reg) \[-1:0\] ({NAME}) ?(?:=.*)?;")


def with_equal_widths(line: str, widths: Mapping[str, int]) -> str:
    """A line of Verilog; of a sum, a difference or a comparison of signed operands the narrower one is sign-extended,
    of a sum or a difference of two wires, or of a wire and a constant of several bits, or a comparison of a wire and a
    constant, zero-extended.

    Args:
        widths: of the module's wires and registers.
    """
    if match := _PLAIN.fullmatch(line):
        return _plain(match, widths)
    if match := _LIMIT.fullmatch(line) or _STEP.fullmatch(line):
        return _limit(match, widths)
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


def _limit(match: re.Match[str], widths: Mapping[str, int]) -> str:
    """The same of an unsigned wire and a constant."""
    start, name, operator, digits, value = match.groups()
    width, limit = widths.get(name.strip()), int(digits)
    if width is None or width == limit:
        return match[0]
    if width < limit:
        name = f"{{ {limit - width}'h0, {name} }}"
    return f"{start}{name} {operator} {max(width, limit)}'h{value};"


def _plain(match: re.Match[str], widths: Mapping[str, int]) -> str:
    """The same of two unsigned wires."""
    start, left, operator, right = match.groups()
    known = [widths.get(name.strip()) for name in (left, right)]
    found = [width for width in known if width is not None]
    if len(found) < 2 or found[0] == found[1]:
        return match[0]
    padded = [
        name if width == max(found) else f"{{ {max(found) - width}'h0, {name} }}"
        for name, width in zip((left, right), found, strict=True)
    ]
    return f"{start}{padded[0]} {operator} {padded[1]};"


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
