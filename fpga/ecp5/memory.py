"""Verilog of ECP5 memories: block RAM cells with their output registers on, or look-up tables and two registers.

The modules have the names, ports, parameters and latencies of the behavioural ``mbconv_ram`` and ``mbconv_rom``. Each
size of RAM and each ROM gets a module of its own, since a block RAM's contents and its tiling are parameters of its
cells; the module of the common name chooses among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mbconv.generators.planning.resources import LARGEST_DISTRIBUTED

from .cells import block_ram_cell, initial_values
from .tiling import Segment, tile

_INSTANCE = re.compile(r"\b(?:\w*)mbconv_(ram|rom)\s*#\s*\((.*?)\)\s*(?:\\\S+|\w+)\s*\(", re.DOTALL)
_PARAMETER = re.compile(r"\.(\w+)\s*\(\s*(?:\d+'s?[dh])?(?:\"([^\"]*)\"|(\w+))\s*\)")


def memory_instances(text: str) -> list[tuple[str, dict[str, str]]]:
    """Every ``mbconv_ram`` and ``mbconv_rom`` in a design's Verilog: kind and parameters."""
    found = []
    for match in _INSTANCE.finditer(text):
        parameters = {name: string or number for name, string, number in _PARAMETER.findall(match[2])}
        missing = {"WIDTH", "DEPTH", "ADDRESS_WIDTH"} | ({"FILE"} if match[1] == "rom" else set())
        if missing - parameters.keys():
            raise ValueError(
                f"an mbconv_{match[1]} without the parameter {', '.join(sorted(missing - parameters.keys()))}"
            )
        found.append((match[1], parameters))
    return found


def memory_modules(
    text: str, memory_files: Mapping[str, str], prefix: str = "", distributed: int = LARGEST_DISTRIBUTED
) -> str:
    """The modules of all memories of a design.

    Args:
        text: the design's Verilog.
        memory_files: contents of the ROMs by file name, as ``$readmemh`` reads them.
        prefix: that the design puts before the primitives' names.
        distributed: the depth up to which a memory is made of look-up tables.
    """
    rams: dict[tuple[int, int, int], str] = {}
    roms: dict[str, tuple[int, int, int, str]] = {}
    for kind, parameters in memory_instances(text):
        size = tuple(int(parameters[name]) for name in ("WIDTH", "DEPTH", "ADDRESS_WIDTH"))
        if kind == "ram":
            rams[size] = f"{prefix}mbconv_ram_{size[0]}x{size[1]}"
        else:
            file = parameters["FILE"]
            if file not in memory_files:
                raise ValueError(f"the contents of the memory {file} are not given")
            roms[file] = (*size, f"{prefix}mbconv_rom_{re.sub(r'[^A-Za-z0-9_]', '_', file.removesuffix('.hex'))}")
    modules = ["`default_nettype none"]
    for size, name in rams.items():
        modules.append(_ram(name, *size, tile(size[0], size[1], distributed)))
    for file, (width, depth, address, name) in roms.items():
        words = [int(word, 16) for word in memory_files[file].split()]
        if len(words) != depth:
            raise ValueError(f"the memory {file} holds {len(words)} words, not {depth}")
        modules.append(_rom(name, width, words, address, tile(width, depth, distributed)))
    conditions = {f"WIDTH == {width} && DEPTH == {depth}": name for (width, depth, _), name in rams.items()}
    modules.append(_choice(f"{prefix}mbconv_ram", _RAM_PORTS, "", conditions))
    conditions = {f'FILE == "{file}"': name for file, (*_, name) in roms.items()}
    modules.append(_choice(f"{prefix}mbconv_rom", _ROM_PORTS, ',\n    parameter FILE = ""', conditions))
    modules.append("`default_nettype wire")
    return "\n".join(modules) + "\n"


_RAM_PORTS = (
    ("input", "", "clk"),
    ("input", "", "w_en"),
    ("input", "ADDRESS_WIDTH", "w_addr"),
    ("input", "WIDTH", "w_data"),
    ("input", "ADDRESS_WIDTH", "r_addr"),
    ("output", "WIDTH", "r_data"),
)
_ROM_PORTS = (
    ("input", "", "clk"),
    ("input", "", "en"),
    ("input", "ADDRESS_WIDTH", "addr"),
    ("output", "WIDTH", "data"),
)


def _header(name: str, ports, sizes: Mapping[str, object]) -> str:
    lines = [f"    {direction} wire {f'[{sizes[size]}-1:0] ' if size else ''}{port}" for direction, size, port in ports]
    return f"module {name} (\n" + ",\n".join(lines) + "\n);"


def _choice(name: str, ports, further: str, conditions: Mapping[str, str]) -> str:
    """The module that its users instantiate: one of the specialised ones."""
    header = _header(f"{name} #(\n    parameter WIDTH = 8,\n    parameter DEPTH = 2,\n    parameter ADDRESS_WIDTH = 1"
                     f"{further}\n)", ports, {"WIDTH": "WIDTH", "ADDRESS_WIDTH": "ADDRESS_WIDTH"})  # fmt: skip
    connections = ", ".join(f".{port}({port})" for *_, port in ports)
    lines = [
        f"        {'else ' if index else ''}if ({condition}) begin : cells\n"
        f"            {module} memory ({connections});\n"
        "        end"
        for index, (condition, module) in enumerate((*conditions.items(), ("1", f"{name}_of_unknown_size")))
    ]
    return header + "\n    generate\n" + "\n".join(lines) + "\n    endgenerate\nendmodule"


def _ram(name: str, width: int, depth: int, address: int, segments: tuple[Segment, ...]) -> str:
    lines = [_header(name, _RAM_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": address})]
    outputs = []
    for number, segment in enumerate(segments):
        outputs.append(f"data_{number}")
        if not segment.bits:
            lines += [
                f'    (* ram_style = "distributed" *) reg [{width - 1}:0] memory [0:{depth - 1}];',
                f"    reg [{width - 1}:0] word, {outputs[-1]};",
                "    always @(posedge clk) begin",
                "        if (w_en) memory[w_addr] <= w_data;",
                "        word <= memory[r_addr];",
                f"        {outputs[-1]} <= word;",
                "    end",
            ]
            continue
        lines.append(f"    wire [{segment.blocks * segment.bits - 1}:0] {outputs[-1]};")
        enable = _selected("w_addr", number, segments)
        lines.append(f"    wire enable_{number} = w_en{f' & {enable}' if enable else ''};")
        lines += _offset("w_addr", number, segment, address) + _offset("r_addr", number, segment, address)
        padded = segment.blocks * segment.bits
        lines.append(f"    wire [{padded - 1}:0] in_{number} = w_data;")
        for block in range(segment.blocks):
            low, high = block * segment.bits, (block + 1) * segment.bits - 1
            lines.append(
                block_ram_cell(
                    f"block_{number}_{block}",
                    segment.bits,
                    write=(f"enable_{number}", f"w_addr_{number}", f"in_{number}[{high}:{low}]"),
                    read=("1'b1", f"r_addr_{number}", f"{outputs[-1]}[{high}:{low}]"),
                )
            )
    lines += _select("r_data", "r_addr", "", width, segments, outputs)
    return "\n".join([*lines, "endmodule"])


def _rom(name: str, width: int, words: list[int], address: int, segments: tuple[Segment, ...]) -> str:
    lines = [_header(name, _ROM_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": address})]
    outputs = []
    for number, segment in enumerate(segments):
        outputs.append(f"data_{number}")
        part = words[segment.start : segment.start + segment.depth]
        if not segment.bits:
            lines += [
                f'    (* rom_style = "logic", ram_style = "logic" *) reg [{width - 1}:0] memory [0:{len(part) - 1}];',
                f"    reg [{width - 1}:0] word, {outputs[-1]};",
                "    initial begin",
                *(f"        memory[{index}] = {width}'h{word:x};" for index, word in enumerate(part)),
                "    end",
                "    always @(posedge clk) if (en) begin",
                "        word <= memory[addr];",
                f"        {outputs[-1]} <= word;",
                "    end",
            ]
            continue
        lines.append(f"    wire [{segment.blocks * segment.bits - 1}:0] {outputs[-1]};")
        lines += _offset("addr", number, segment, address)
        for block in range(segment.blocks):
            low, high = block * segment.bits, (block + 1) * segment.bits - 1
            lines.append(
                block_ram_cell(
                    f"block_{number}_{block}",
                    segment.bits,
                    read=("en", f"addr_{number}", f"{outputs[-1]}[{high}:{low}]"),
                    contents=initial_values([(word >> low) & ((1 << segment.bits) - 1) for word in part], segment.bits),
                )
            )
    lines += _select("data", "addr", "if (en) ", width, segments, outputs)
    return "\n".join([*lines, "endmodule"])


def _offset(address: str, number: int, segment: Segment, width: int) -> list[str]:
    """The address within a segment. Every segment but the last is full and segments come deepest first, so that a
    start is a multiple of the depth of the block that begins there: the low bits alone will do."""
    bits = segment.capacity.bit_length() - 1
    value = address if width <= bits else f"{address}[{bits - 1}:0]"
    return [f"    wire [{bits - 1}:0] {address}_{number} = {value};"]


def _selected(address: str, number: int, segments: tuple[Segment, ...]) -> str:
    """Verilog that says that an address lies in a segment."""
    if len(segments) == 1:
        return ""
    conditions = []
    if number:
        conditions.append(f"{address} >= {segments[number].start}")
    if number + 1 < len(segments):
        conditions.append(f"{address} < {segments[number + 1].start}")
    return "(" + " && ".join(conditions) + ")"


def _select(
    output: str, address: str, enable: str, width: int, segments: tuple[Segment, ...], outputs: Iterable[str]
) -> list[str]:
    """The output of the segment that the address two cycles ago lay in."""
    outputs = [
        f"{name}[{width - 1}:0]" if segment.bits else name for name, segment in zip(outputs, segments, strict=True)
    ]
    if len(segments) == 1:
        return [f"    assign {output} = {outputs[0]};"]
    bits = (len(segments) - 1).bit_length()
    number = " : ".join(f"{address} < {segment.start} ? {bits}'d{index}" for index, segment in enumerate(segments[1:]))
    value = " : ".join(f"selected == {index} ? {name}" for index, name in enumerate(outputs[:-1]))
    return [
        f"    reg [{bits - 1}:0] select, selected;",
        "    always @(posedge clk) "
        f"{enable}begin select <= {number} : {bits}'d{len(segments) - 1}; selected <= select; end",
        f"    assign {output} = {value} : {outputs[-1]};",
    ]
