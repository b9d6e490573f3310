"""Operands of equal widths, and wires of no bits: the text means what it meant, for every value."""

import re

import pytest

from mbconv.hdl.verilog_widths import with_equal_widths, without_empty_wires

WIDTHS = {"a": 4, "b": 1, r"\$3": 2, "y": 6, "c": 1}
LINES = [
    r"  assign y = $signed(a) + $signed(\$3 );",
    r"  assign y = $signed(a) - $signed({ 1'h0, \$3  });",
    r"  assign y = $signed(a[3:1]) + $signed(2'h3);",
    r"  assign c = $signed(a) < $signed(2'h2);",
    r"  assign c = $signed(b) > $signed(a);",
    r"  assign y = $signed(b) - $signed(a[2]);",
    r"  assign y = $signed({ \$3 [1:0], 1'h1 }) + $signed({ b, a[1] });",
    r"  assign y = $signed(a) + $signed(2'h1);",
    r"  assign c = $signed({ 1'h0, a }) == $signed(2'h1);",
    r"  assign c = $signed(\$3 ) >= $signed(a);",
]


@pytest.mark.parametrize("line", LINES)
def test_widths_are_equal(line):
    found = with_equal_widths(line, WIDTHS)
    assert found != line and with_equal_widths(found, WIDTHS) == found


@pytest.mark.parametrize("line", ["  assign y = a & b;", "  assign y = $signed(unknown) + $signed(a);", "  reg y;"])
def test_other_lines_stay(line):
    assert with_equal_widths(line, WIDTHS) == line


def bits_of(text: str, values: dict[str, int]) -> tuple[int, int]:
    """An expression's bits and their number."""
    text = text.strip()
    if match := re.fullmatch(r"(\d+)'h([0-9a-f]+)", text):
        return int(match[2], 16), int(match[1])
    if match := re.fullmatch(r"\{(\d+)\{(.*)\}\}", text):
        value, width = bits_of(match[2], values)
        return sum(value << (width * k) for k in range(int(match[1]))), width * int(match[1])
    if text.startswith("{"):
        total, size = 0, 0
        for item in text[1:-1].split(","):
            value, width = bits_of(item, values)
            total, size = total << width | value, size + width
        return total, size
    name, high, low = re.fullmatch(r"(\S+?) ?(?:\[(\d+)(?::(\d+))?\])?", text).groups()
    if high is None:
        return values[name], WIDTHS[name]
    width = int(high) - int(low or high) + 1
    return values[name] >> int(low or high) & ((1 << width) - 1), width


@pytest.mark.parametrize("line", LINES)
def test_every_operand_keeps_its_value(line):
    """For all values of the wires; and both operands are as wide as the sum."""
    operands = [
        re.findall(r"\$signed\((.*?)\)(?= (?:[-+]|[<>=!]=?) |;)", text)
        for text in (line, with_equal_widths(line, WIDTHS))
    ]
    for bits in range(1 << 7):
        values = {"a": bits & 15, "b": bits >> 4 & 1, r"\$3": bits >> 5}
        found = []
        for text in (text for texts in operands for text in texts):
            value, width = bits_of(text, values)
            found.append((value - (value >> (width - 1) << width), width))
        assert [value for value, _ in found[:2]] == [value for value, _ in found[2:]]
        assert found[2][1] == found[3][1] >= max(found[0][1], found[1][1])


def test_unsigned_wires():
    assert with_equal_widths("  assign y = a + b;", WIDTHS) == "  assign y = a + { 3'h0, b };"
    assert with_equal_widths(r"  assign y = \$3  - a;", WIDTHS) == r"  assign y = { 2'h0, \$3  } - a;"


def test_limits():
    assert with_equal_widths("  assign c = a > 1'h0;", WIDTHS) == "  assign c = a > 4'h0;"
    assert with_equal_widths("  assign c = a == 2'h3;", WIDTHS) == "  assign c = a == 4'h3;"
    assert with_equal_widths("  assign c = b >= 3'h1;", WIDTHS) == "  assign c = { 2'h0, b } >= 3'h1;"
    assert with_equal_widths("  assign c = a < 4'hf;", WIDTHS) == "  assign c = a < 4'hf;"


def test_steps():
    assert with_equal_widths("  assign y = a - 2'h3;", WIDTHS) == "  assign y = a - 4'h3;"
    assert with_equal_widths("  assign y = b + 3'h5;", WIDTHS) == "  assign y = { 2'h0, b } + 3'h5;"
    assert with_equal_widths("  assign y = a - 1'h1;", WIDTHS) == "  assign y = a - 1'h1;"


def test_a_wire_of_no_bits_is_nothing():
    module = "\n".join(
        [
            "module m;",
            '  (* src = "x.py:1" *)',
            "  wire [-1:0] empty;",
            "  wire [-1:0] \\group$13 ;",
            "  wire [1:0] a;",
            "  assign empty = 1'h0;",
            "  assign \\y = a + \\group$13 ;",
            "endmodule",
        ]
    )
    expected = "module m;\n  wire [1:0] a;\n  assign \\y = a + 1'h0 ;\nendmodule"
    assert without_empty_wires(module) == expected
    assert without_empty_wires(expected) == expected


def test_parts_and_two_wires():
    assert with_equal_widths("  assign c = y[3:1] == 1'h1;", WIDTHS) == "  assign c = y[3:1] == 3'h1;"
    assert with_equal_widths("  assign y = y[5:0] + a;", WIDTHS) == "  assign y = y[5:0] + { 2'h0, a };"
    assert with_equal_widths("  assign y = 6'h20 - a;", WIDTHS) == "  assign y = 6'h20 - { 2'h0, a };"
    assert with_equal_widths(r"  assign c = a != \$3 ;", WIDTHS) == r"  assign c = a != { 2'h0, \$3  };"


def test_shifts():
    assert with_equal_widths("  assign a = b << y;", WIDTHS) == "  assign a = { 3'h0, b } << y;"
    assert with_equal_widths("  assign c = a[3:1] >> y;", WIDTHS) == "  assign c = |((a[3:1] >> y) & 3'h1);"
    narrower = "  wire [5:0] \\a$whole  = y >> b;\n  assign a = \\a$whole [3:0];"
    assert with_equal_widths("  assign a = y >> b;", WIDTHS) == narrower
    assert with_equal_widths("  assign a = a >> b;", WIDTHS) == "  assign a = a >> b;"
