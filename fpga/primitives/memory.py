"""Verilog of a family's memories: block RAM cells, or registers and look-up tables.

The modules have the names, ports, parameters and latencies of the behavioural ``mbconv_ram`` and ``mbconv_rom``. Each
size of RAM and each ROM gets a module of its own, since a block RAM's contents and its tiling are parameters of its
cells; the module of the common name chooses among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from mbconv.generators.planning.device import BlockRam, Device
from mbconv.generators.planning.tiling import Segment, tile
from mbconv.hdl.cells import MemoryCell
from mbconv.hdl.cost import MemoryCost


class BlockRamCell(Protocol):
    """A family's block RAM as a memory of one read port and at most one write port.

    Attributes:
        registered: its output register is used: read latency 2. Otherwise 1, and where a design counts on 2 a register
            follows in the fabric.
    """

    registered: bool

    def instance(
        self,
        name: str,
        bits: int,
        read: tuple[str, str, str],
        write: tuple[str, str, str] | None = None,
        contents: Sequence[int] | None = None,
    ) -> str:
        """Verilog of one cell.

        Args:
            bits: its width, one of the block RAM's shapes.
            read: Verilog of enable, address and data (a part-select).
            write: Verilog of enable, address and data; None for a constant memory.
            contents: its words, as many as there are or fewer.
        """


class SinglePortCell(Protocol):
    """A family's memory block of one port.

    Attributes:
        bits, words: of a block.
    """

    bits: int
    words: int

    def instance(self, name: str, enable: str, address: str, read: str, written: str) -> str:
        """Verilog of one block: write enable, address, and the data of both directions (part-selects)."""


def memory_modules(
    memories: Iterable[MemoryCell],
    cell: BlockRamCell,
    device: Device,
    prefix: str = "",
    single_port: SinglePortCell | None = None,
) -> str:
    """The modules of all memories of a design.

    Args:
        single_port: the blocks of memories of one port; None: they are block RAM.
        device: says which memories are block RAM, and in which shapes.
        prefix: that the design puts before the primitives' names.
    """
    memories = list(memories)
    rams = {(memory.width, memory.depth): memory for memory in memories if memory.kind == "ram"}
    roms = {memory.file: memory for memory in memories if memory.kind == "rom"}
    modules, ram_names, rom_names = ["`default_nettype none"], {}, {}
    for (width, depth), memory in rams.items():
        name = ram_names[f"WIDTH == {width} && DEPTH == {depth}"] = f"{prefix}mbconv_ram_{width}x{depth}"
        if MemoryCost(width, depth).in_block_ram(device.circuits):
            modules.append(_block_ram(name, memory, cell, device.block_ram))
        else:
            modules.append(_table_ram(name, memory, device))
    for index, (file, memory) in enumerate(roms.items()):
        readable = re.sub(r"\W", "_", memory.name)
        name = rom_names[f'FILE == "{file}"'] = f"{prefix}mbconv_rom_{index}_{readable}"
        if MemoryCost(memory.width, memory.depth, constant=True).in_block_ram(device.circuits):
            modules.append(_block_rom(name, memory, cell, device.block_ram))
        else:
            modules.append(_table_rom(name, memory))
    single = {(memory.width, memory.depth): memory for memory in memories if memory.kind == "single_port_ram"}
    single_names = {}
    for (width, depth), memory in single.items():
        name = single_names[f"WIDTH == {width} && DEPTH == {depth}"] = f"{prefix}mbconv_single_port_ram_{width}x{depth}"
        if single_port is None:
            modules.append(_single_port_in_block_ram(name, memory, cell, device.block_ram))
        else:
            modules.append(_single_port_blocks(name, memory, single_port))
    if single:
        modules.append(_choice(f"{prefix}mbconv_single_port_ram", _SINGLE_PORTS, "", single_names))
    modules.append(_choice(f"{prefix}mbconv_ram", _RAM_PORTS, "", ram_names))
    modules.append(_choice(f"{prefix}mbconv_rom", _ROM_PORTS, ',\n    parameter FILE = ""', rom_names))
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
_SINGLE_PORTS = (
    ("input", "", "clk"),
    ("input", "", "w_en"),
    ("input", "ADDRESS_WIDTH", "addr"),
    ("input", "WIDTH", "w_data"),
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
    header = _header(f"{name} #(\n    parameter WIDTH = 8,\n    parameter DEPTH = 2,\n    parameter ADDRESS_WIDTH = 1,"
                     f"\n    parameter LATENCY = 2{further}\n)",
                     ports, {"WIDTH": "WIDTH", "ADDRESS_WIDTH": "ADDRESS_WIDTH"})  # fmt: skip
    connections = ", ".join(f".{port}({port})" for *_, port in ports)
    lines = [
        f"        {'else ' if index else ''}if ({condition}) begin : cells\n"
        f"            {module} memory ({connections});\n"
        "        end"
        for index, (condition, module) in enumerate((*conditions.items(), ("1", f"{name}_of_unknown_size")))
    ]
    return header + "\n    generate\n" + "\n".join(lines) + "\n    endgenerate\nendmodule"


def _table_ram(name: str, memory: MemoryCell, device: Device) -> str:
    width, depth = memory.width, memory.depth
    style = "distributed" if device.circuits.distributed_ram else "registers"
    lines = [
        _header(name, _RAM_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": memory.address_width}),
        f'    (* ram_style = "{style}" *) reg [{width - 1}:0] memory [0:{depth - 1}];',
        f"    reg [{width - 1}:0] word, data;",
        "    always @(posedge clk) begin",
        "        if (w_en) memory[w_addr] <= w_data;",
        "        word <= memory[r_addr];",
        "        data <= word;",
        "    end",
        f"    assign r_data = {'word' if memory.latency == 1 else 'data'};",
    ]
    return "\n".join([*lines, "endmodule"])


def _table_rom(name: str, memory: MemoryCell) -> str:
    width, words = memory.width, memory.words
    lines = [
        _header(name, _ROM_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": memory.address_width}),
        f'    (* rom_style = "logic", ram_style = "logic" *) reg [{width - 1}:0] memory [0:{len(words) - 1}];',
        f"    reg [{width - 1}:0] word, value;",
        "    initial begin",
        *(f"        memory[{index}] = {width}'h{word:x};" for index, word in enumerate(words)),
        "    end",
        "    always @(posedge clk) if (en) begin",
        "        word <= memory[addr];",
        "        value <= word;",
        "    end",
        f"    assign data = {'word' if memory.latency == 1 else 'value'};",
    ]
    return "\n".join([*lines, "endmodule"])


def _block_ram(name: str, memory: MemoryCell, cell: BlockRamCell, block: BlockRam) -> str:
    width, address = memory.width, memory.address_width
    segments = tile(block.shapes, width, memory.depth)
    lines = [_header(name, _RAM_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": address})]
    for number, segment in enumerate(segments):
        padded = segment.blocks * segment.bits
        lines.append(f"    wire [{padded - 1}:0] data_{number};")
        enable = _selected("w_addr", number, segments)
        lines.append(f"    wire enable_{number} = w_en{f' & {enable}' if enable else ''};")
        lines += _offset("w_addr", number, segment, address) + _offset("r_addr", number, segment, address)
        lines.append(f"    wire [{padded - 1}:0] in_{number} = w_data;")
        for index in range(segment.blocks):
            low, high = index * segment.bits, (index + 1) * segment.bits - 1
            lines.append(
                cell.instance(
                    f"block_{number}_{index}",
                    segment.bits,
                    write=(f"enable_{number}", f"w_addr_{number}", f"in_{number}[{high}:{low}]"),
                    read=("1'b1", f"r_addr_{number}", f"data_{number}[{high}:{low}]"),
                )
            )
    lines += _select("r_data", "r_addr", "", width, segments, cell.registered, memory.latency)
    return "\n".join([*lines, "endmodule"])


def _single_port_in_block_ram(name: str, memory: MemoryCell, cell: BlockRamCell, block: BlockRam) -> str:
    """A memory of one port made of block RAM: both of its ports have the address."""
    inner = f"{name}_two_ports"
    lines = [
        _block_ram(inner, memory, cell, block),
        _header(name, _SINGLE_PORTS, {"WIDTH": memory.width, "ADDRESS_WIDTH": memory.address_width}),
        f"    {inner} ports (.clk(clk), .w_en(w_en), .w_addr(addr), .w_data(w_data), .r_addr(addr), .r_data(r_data));",
    ]
    return "\n".join([*lines, "endmodule"])


def _single_port_blocks(name: str, memory: MemoryCell, cell: SinglePortCell) -> str:
    """A memory of one port: blocks side by side, and below each other where it is deeper than a block."""
    width, address = memory.width, memory.address_width
    columns, rows = -(-width // cell.bits), -(-memory.depth // cell.words)
    inside = cell.words.bit_length() - 1
    padded = columns * cell.bits
    low = f"addr[{min(address, inside) - 1}:0]"
    lines = [
        _header(name, _SINGLE_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": address}),
        f"    wire [{inside - 1}:0] inside = {low};",
        f"    wire [{padded - 1}:0] written = w_data;",
    ]
    if rows > 1:
        lines.append(f"    reg [{address - inside - 1}:0] row;")
        lines.append(f"    always @(posedge clk) row <= addr[{address - 1}:{inside}];")
    for row in range(rows):
        chosen = f" & (addr[{address - 1}:{inside}] == {row})" if rows > 1 else ""
        lines += [f"    wire [{padded - 1}:0] data_{row};", f"    wire enable_{row} = w_en{chosen};"]
        for column in range(columns):
            bits = f"[{(column + 1) * cell.bits - 1}:{column * cell.bits}]"
            block = f"block_{row}_{column}"
            lines.append(cell.instance(block, f"enable_{row}", "inside", f"data_{row}{bits}", f"written{bits}"))
    value = " : ".join([*(f"row == {row} ? data_{row}" for row in range(rows - 1)), f"data_{rows - 1}"])
    lines.append(f"    wire [{padded - 1}:0] word = {value};")
    if memory.latency == 1:
        lines.append(f"    assign r_data = word[{width - 1}:0];")
    else:
        lines += [f"    reg [{width - 1}:0] register;", f"    always @(posedge clk) register <= word[{width - 1}:0];"]
        lines.append("    assign r_data = register;")
    return "\n".join([*lines, "endmodule"])


def _block_rom(name: str, memory: MemoryCell, cell: BlockRamCell, block: BlockRam) -> str:
    width, words, address = memory.width, memory.words, memory.address_width
    segments = tile(block.shapes, width, memory.depth)
    lines = [_header(name, _ROM_PORTS, {"WIDTH": width, "ADDRESS_WIDTH": address})]
    for number, segment in enumerate(segments):
        part = words[segment.start : segment.start + segment.depth]
        lines.append(f"    wire [{segment.blocks * segment.bits - 1}:0] data_{number};")
        lines += _offset("addr", number, segment, address)
        for index in range(segment.blocks):
            low, high = index * segment.bits, (index + 1) * segment.bits - 1
            lines.append(
                cell.instance(
                    f"block_{number}_{index}",
                    segment.bits,
                    read=("en", f"addr_{number}", f"data_{number}[{high}:{low}]"),
                    contents=[(word >> low) & ((1 << segment.bits) - 1) for word in part],
                )
            )
    lines += _select("data", "addr", "if (en) ", width, segments, cell.registered, memory.latency)
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
    output: str, address: str, enable: str, width: int, segments: tuple[Segment, ...], registered: bool, latency: int
) -> list[str]:
    """The output of the segment that the address lay in: two cycles ago where the cells have output registers, else one
    cycle ago, and a register of the fabric behind it for a latency of 2.

    Raises:
        ValueError: a latency shorter than the cells'.
    """
    if registered and latency == 1:
        raise ValueError(
            "a block RAM with output registers cannot be read in one cycle: make the design for its family"
        )
    outputs = [f"data_{number}[{width - 1}:0]" for number in range(len(segments))]
    lines, value = [], outputs[0]
    if len(segments) > 1:
        bits = (len(segments) - 1).bit_length()
        numbers = enumerate(segments[1:])
        number = " : ".join(f"{address} < {segment.start} ? {bits}'d{index}" for index, segment in numbers)
        number = f"{number} : {bits}'d{len(segments) - 1}"
        selected = "selected" if registered else "select"
        lines += [
            f"    reg [{bits - 1}:0] select, selected;",
            f"    always @(posedge clk) {enable}begin select <= {number}; selected <= select; end",
        ]
        value = " : ".join(f"{selected} == {index} ? {name}" for index, name in enumerate(outputs[:-1]))
        value = f"{value} : {outputs[-1]}"
    if registered or latency == 1:
        return [*lines, f"    assign {output} = {value};"]
    return [
        *lines,
        f"    reg [{width - 1}:0] word;",
        f"    always @(posedge clk) {enable}word <= {value};",
        f"    assign {output} = word;",
    ]
