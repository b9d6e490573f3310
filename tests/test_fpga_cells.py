"""Every family's wrappers of multipliers and memories beside the behavioural modules that they replace, in every cycle.

All circuits of a family get random stimuli in one simulation; the cells' models are those of its netlist check.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from mbconv.fpga.ecp5 import cells as ecp5_cells
from mbconv.fpga.families import FAMILIES, find_part
from mbconv.fpga.ice40 import cells as ice40_cells
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.device import BlockRam
from mbconv.generators.planning.tiling import tile
from mbconv.hdl.cells import MemoryCell, MultiplierCell
from mbconv.hdl.cost import MemoryCost
from mbconv.hdl.primitives import address_width, primitive_files
from mbconv.hdl.verilog import Verilog
from mbconv.sim.simulation.design_source import DesignPort, DesignSource
from mbconv.sim.simulation.run_design import run_design

BEATS = 22_000


@dataclass(frozen=True)
class Multiply:
    """Products, the first ``dsp`` of them in DSP cells."""

    count: int
    a_count: int
    a: tuple[int, int]  # width, signed
    b: tuple[int, int]
    dsp: int

    @property
    def bits(self) -> int:
        return self.a_count * (self.a[0] + 2) + self.count * (self.b[0] + 2)

    def lines(self, name: str, low: int) -> list[str]:
        operands = [("a", self.a_count, self.a[0]), ("b", self.count, self.b[0])]
        lines = []
        for operand, count, width in operands:
            lines.append(f"    wire [{count * width - 1}:0] {name}_{operand};")
            for i in range(count):
                # Half of the operands are the most negative number or -1 (the greatest, where unsigned).
                raw, pick = f"stimulus[{low} +: {width}]", f"stimulus[{low + width} +: 2]"
                extreme = f"{pick} == 0 ? {{1'b1, {{{width - 1}{{1'b0}}}}}} : " if width > 1 else ""
                value = f"{extreme}{pick} == 1 ? {{{width}{{1'b1}}}} : {raw}"
                lines.append(f"    assign {name}_{operand}[{i * width} +: {width}] = {value};")
                low += width + 2
        parameters = {"COUNT": self.count, "A_COUNT": self.a_count, "A_WIDTH": self.a[0], "A_SIGNED": self.a[1],
                      "B_WIDTH": self.b[0], "B_SIGNED": self.b[1]}  # fmt: skip
        ports = f".clk(clk), .a({name}_a), .b({name}_b)"
        extra = {"cells_": {"DSP_COUNT": self.dsp}}
        width = self.count * (self.a[0] + self.b[0])
        return lines + pair("multiply", name, parameters, ports, "p", width, "cycle >= 3", extra)


@dataclass(frozen=True)
class Ram:
    """Every word is written first; then any reads and writes, but no word is read in the cycle that it is written."""

    width: int
    depth: int

    @property
    def bits(self) -> int:
        return self.width + 40

    @property
    def cell(self) -> MemoryCell:
        return MemoryCell("ram", self.width, self.depth)

    def lines(self, name: str, low: int) -> list[str]:
        width, depth, address = self.width, self.depth, address_width(self.depth)
        random = [f"stimulus[{low + offset} +: 18] % {depth}" for offset in (0, 18)]
        filling = f"cycle < {depth}"
        return [
            f"    wire {name}_w_en = {filling} | stimulus[{low + 36}];",
            f"    wire [{address - 1}:0] {name}_w_addr = {filling} ? cycle : {random[0]};",
            f"    wire [{width - 1}:0] {name}_w_data = stimulus[{low + 40} +: {width}];",
            f"    reg [{address - 1}:0] {name}_last;",
            # A quarter of the reads: what was written in the cycle before.
            f"    wire [{address - 1}:0] {name}_r_addr = stimulus[{low + 37} +: 2] == 0 ? {name}_last : {random[1]};",
            f"    reg {name}_known, {name}_check;",
            "    always @(posedge clk) begin",
            f"        {name}_last <= {name}_w_addr;",
            f"        {name}_known <= cycle >= {depth} && !({name}_w_en && {name}_w_addr == {name}_r_addr);",
            f"        {name}_check <= {name}_known;",
            "    end",
            *pair(
                "ram",
                name,
                {"WIDTH": width, "DEPTH": depth, "ADDRESS_WIDTH": address},
                ", ".join(
                    [".clk(clk)", *(f".{port}({name}_{port})" for port in ("w_en", "w_addr", "w_data", "r_addr"))]
                ),
                "r_data",
                width,
                f"cycle >= {depth} + 2 && {name}_check",
            ),
        ]


@dataclass(frozen=True)
class SinglePortRam(Ram):
    """Every word is written first; then one in 16 cycles writes, the others read."""

    @property
    def cell(self) -> MemoryCell:
        return MemoryCell("single_port_ram", self.width, self.depth)

    def lines(self, name: str, low: int) -> list[str]:
        width, depth, address = self.width, self.depth, address_width(self.depth)
        return [
            f"    wire {name}_w_en = cycle < {depth} | &stimulus[{low + 36} +: 4];",
            f"    wire [{address - 1}:0] {name}_addr = cycle < {depth} ? cycle : stimulus[{low} +: 18] % {depth};",
            f"    wire [{width - 1}:0] {name}_w_data = stimulus[{low + 40} +: {width}];",
            f"    reg {name}_known, {name}_check;",
            "    always @(posedge clk) begin",
            f"        {name}_known <= !{name}_w_en;",
            f"        {name}_check <= {name}_known;",
            "    end",
            *pair(
                "single_port_ram",
                name,
                {"WIDTH": width, "DEPTH": depth, "ADDRESS_WIDTH": address},
                f".clk(clk), .w_en({name}_w_en), .addr({name}_addr), .w_data({name}_w_data)",
                "r_data",
                width,
                f"cycle >= {depth} + 2 && {name}_check",
            ),
        ]


@dataclass(frozen=True)
class Rom:
    width: int
    depth: int

    @property
    def bits(self) -> int:
        return 20

    @property
    def cell(self) -> MemoryCell:
        generator = np.random.default_rng(self.width * 65536 + self.depth)
        words = [int.from_bytes(generator.bytes(16)) & ((1 << self.width) - 1) for _ in range(self.depth)]
        return MemoryCell("rom", self.width, self.depth, f"rom_{self.width}x{self.depth}", words)

    def lines(self, name: str, low: int) -> list[str]:
        address = address_width(self.depth)
        parameters = {"WIDTH": self.width, "DEPTH": self.depth, "ADDRESS_WIDTH": address, "FILE": f'"{self.cell.file}"'}
        return [
            f"    wire {name}_en = stimulus[{low} +: 2] != 0;",
            f"    wire [{address - 1}:0] {name}_addr = stimulus[{low + 2} +: 18] % {self.depth};",
            f"    reg [7:0] {name}_enabled;",
            "    always @(posedge clk)",
            f"        {name}_enabled <= rst ? 0 : {name}_enabled + ({name}_en && {name}_enabled < 2);",
            *pair(
                "rom",
                name,
                parameters,
                f".clk(clk), .en({name}_en), .addr({name}_addr)",
                "data",
                self.width,
                f"{name}_enabled == 2",
            ),
        ]


@dataclass(frozen=True)
class GlobalBuffer:
    bits = 1

    def lines(self, name: str, low: int) -> list[str]:
        return pair("global_buffer", name, {}, f".i(stimulus[{low}])", "o", 1, "1'b1")


def pair(kind, name, parameters, ports, output, width, checked, extra=None) -> list[str]:
    """The behavioural module and the family's, and counters of cycles compared and of those that differ."""
    lines = []
    for prefix in ("", "cells_"):
        chosen = parameters | (extra or {}).get(prefix, {})
        text = ", ".join(f".{key}({value})" for key, value in chosen.items())
        text = f"#({text}) " if text else ""
        lines.append(f"    wire [{width - 1}:0] {prefix}{name}_out;")
        lines.append(f"    {prefix}mbconv_{kind} {text}{prefix}{name} ({ports}, .{output}({prefix}{name}_out));")
    return [
        *lines,
        "    always @(posedge clk)",
        f"        if (rst) begin {name}_checks <= 0; {name}_errors <= 0; end",
        f"        else if (stimulus__valid && {checked}) begin",
        f"            {name}_checks <= {name}_checks + 1;",
        f"            {name}_errors <= {name}_errors + ({name}_out != cells_{name}_out);",
        "        end",
    ]


_NINE = [
    Multiply(4, 2, (8, 1), (8, 1), 2),
    Multiply(2, 1, (8, 0), (9, 1), 1),
    Multiply(2, 2, (9, 1), (8, 0), 1),
    Multiply(2, 2, (9, 1), (9, 1), 2),
    Multiply(4, 4, (9, 0), (9, 0), 2),
    Multiply(2, 2, (5, 0), (1, 1), 1),
    Multiply(2, 2, (1, 0), (3, 1), 1),
    Multiply(2, 2, (16, 1), (7, 1), 0),
]
MULTIPLICATIONS = {
    "ECP5": [
        Multiply(4, 2, (8, 1), (8, 1), 2),
        Multiply(2, 1, (8, 0), (9, 1), 1),
        Multiply(2, 2, (9, 1), (8, 0), 1),
        Multiply(4, 4, (9, 0), (9, 0), 2),
        Multiply(2, 2, (18, 1), (18, 1), 1),
        Multiply(2, 2, (18, 0), (18, 0), 1),
        Multiply(2, 2, (16, 1), (7, 1), 1),
        Multiply(2, 2, (5, 0), (1, 1), 1),
        Multiply(2, 2, (1, 0), (3, 1), 1),
        Multiply(2, 2, (8, 1), (4, 0), 0),
    ],
    "iCE40": [
        Multiply(4, 2, (8, 1), (8, 1), 2),
        Multiply(5, 5, (8, 1), (8, 1), 5),
        Multiply(5, 1, (8, 0), (8, 1), 3),
        Multiply(3, 3, (8, 1), (8, 0), 3),
        Multiply(2, 2, (8, 0), (8, 0), 2),
        Multiply(3, 3, (5, 0), (1, 1), 2),
        Multiply(2, 1, (8, 0), (9, 1), 1),
        Multiply(2, 2, (9, 1), (8, 0), 2),
        Multiply(2, 2, (16, 1), (16, 1), 2),
        Multiply(2, 2, (16, 0), (16, 0), 1),
        Multiply(2, 2, (16, 1), (7, 0), 1),
        Multiply(2, 2, (18, 1), (18, 1), 0),
    ],
    "Gowin": _NINE,
    "Nexus": _NINE,
}
_WIDE = [Ram(8, 2), Ram(16, 32), Ram(80, 33), Ram(36, 512), Ram(37, 512), Ram(72, 600), Ram(36, 1536), Ram(9, 2100),
         Ram(40, 1540), Ram(4, 5000), Ram(2, 9000), Ram(1, 20000), Ram(18, 1024), Ram(9, 4200),
         Rom(8, 1), Rom(24, 32), Rom(36, 512), Rom(72, 40), Rom(18, 1024), Rom(9, 2048), Rom(25, 1600), Rom(4, 4096),
         Rom(3, 4500), Rom(2, 8192), Rom(1, 16384), Rom(1, 17000), SinglePortRam(40, 600)]  # fmt: skip
_NARROW = [Ram(8, 2), Ram(8, 16), Ram(4, 33), Ram(16, 256), Ram(17, 256), Ram(8, 512), Ram(25, 300), Ram(4, 1024),
           Ram(3, 1800), Ram(2, 2048), Ram(1, 5000), Ram(30, 700), Ram(2, 9000),
           Rom(8, 1), Rom(24, 32), Rom(16, 256), Rom(40, 40), Rom(8, 512), Rom(7, 600), Rom(4, 1024), Rom(25, 1600),
           Rom(2, 2048), Rom(1, 4500), Rom(1, 9000), SinglePortRam(44, 300), SinglePortRam(6, 20000)]  # fmt: skip
_SHAPES = [Ram(8, 2), Ram(16, 32), Ram(80, 33), Ram(37, 512), Ram(18, 1024), Ram(9, 2100), Ram(4, 4000), Ram(2, 8000),
           Ram(1, 10000), Rom(8, 1), Rom(24, 32), Rom(72, 40), Rom(18, 1024), Rom(9, 2100), Rom(4, 4000), Rom(2, 8000),
           Rom(1, 10000)]  # fmt: skip
MEMORIES = {"ECP5": _WIDE, "iCE40": _NARROW, "Gowin": _SHAPES, "Nexus": _SHAPES}
PARTS = {"ECP5": "LFE5U-85F", "iCE40": "iCE40UP5K", "Gowin": "GW2A-18C", "Nexus": "LIFCL-40"}
CIRCUITS = {
    family.name: {
        f"circuit_{index}": circuit
        for index, circuit in enumerate([*MULTIPLICATIONS[family.name], *MEMORIES[family.name], GlobalBuffer()])
    }
    for family in FAMILIES
}


@pytest.fixture(scope="module", params=CIRCUITS)
def counts(request) -> tuple[str, dict[str, int]]:
    """A family, and the cycles compared and errors of every circuit of it."""
    circuits, part = CIRCUITS[request.param], find_part(PARTS[request.param])
    lines, low = [], 0
    for name, circuit in circuits.items():
        lines += circuit.lines(name, low)
        low += circuit.bits
    outputs = {f"{name}_{what}": 32 for name in circuits for what in ("checks", "errors")}
    ports = ["input clk", "input rst", f"input [{low - 1}:0] stimulus__payload", "input stimulus__valid"]
    ports += ["output stimulus__ready", "output echo__payload", "output echo__valid", "input echo__ready"]
    ports += [f"output reg [31:0] {output}" for output in outputs]
    head = [f"module harness ({', '.join(ports)});"]
    head += [f"    wire [{low - 1}:0] stimulus = stimulus__payload;"]
    head += ["    assign {stimulus__ready, echo__valid, echo__payload} = {echo__ready, stimulus__valid, 1'b0};"]
    head += ["    reg [31:0] cycle;", "    always @(posedge clk) cycle <= rst ? 0 : cycle + 1;"]
    text = "\n".join([*head, *lines, "endmodule\n"])
    twins = "\n".join(path.read_text() for path in primitive_files({"single_port_ram", "global_buffer"}))
    memories = [circuit.cell for circuit in circuits.values() if isinstance(circuit, Ram | Rom)]
    files = {cell.file: cell.text for cell in memories if cell.file}
    primitives = re.sub("module mbconv", "module cells_mbconv", twins)
    verilog = Verilog("harness", text, primitives, files, tuple(memories), kinds=frozenset({"global_buffer"}))
    # The circuits say themselves how many of their products are in DSP blocks.
    cells = part.family.sources(verilog, part)
    cells["harness.v"] = text
    ports = [DesignPort.plain("stimulus", True, low), DesignPort.plain("echo", False, 1)]
    source = DesignSource({**part.family.models(), **cells, "twins.v": twins}, files, "harness", ports, outputs)
    generator = np.random.default_rng(4)
    stimuli = [int.from_bytes(generator.bytes(-(-low // 8))) >> -low % 8 for _ in range(BEATS)]
    return request.param, run_design(source, {"stimulus": stimuli}, {"echo": BEATS}, 1).outputs


def test_as_the_behavioural_module(counts):
    family, found = counts
    for name, circuit in CIRCUITS[family].items():
        wanted = BEATS - (circuit.depth if isinstance(circuit, Ram) else 0)
        checks = found[f"{name}_checks"]
        assert checks > (0.3 if getattr(circuit, "depth", 9) < 4 else 0.9) * wanted, (circuit, checks)
        assert found[f"{name}_errors"] == 0, circuit


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_memories_are_of_every_shape(family):
    device = find_part(PARTS[family.name]).resources
    shapes = device.block_ram.shapes
    circuits = MEMORIES[family.name]
    memories = [MemoryCost(circuit.width, circuit.depth, isinstance(circuit, Rom)) for circuit in circuits]
    in_blocks = [memory for memory in memories if memory.in_block_ram(device.circuits)]
    assert {memory.constant for memory in memories if memory not in in_blocks} == {False, True}
    tiles = [tile(shapes, memory.width, memory.depth) for memory in in_blocks]
    assert {segment.bits for segments in tiles for segment in segments} == {bits for bits, _ in shapes}
    for constant in (False, True):
        cut = [segments for memory, segments in zip(in_blocks, tiles, strict=True) if memory.constant == constant]
        assert max(map(len, cut)) >= 2
        assert max(segment.blocks for segments in cut for segment in segments) >= 2


def test_every_kind_of_product_of_a_block_is_there():
    """Pairs, a pair of one, operands too wide for a pair, rows."""
    cells = [(c.count, c.dsp, max(c.a[0], c.b[0]) <= 8) for c in MULTIPLICATIONS["iCE40"]]
    assert {(dsp % 2, dsp < count) for count, dsp, narrow in cells if narrow and dsp} == {
        (0, False),
        (1, False),
        (1, True),
        (0, True),
    }
    assert any(dsp and not narrow for _, dsp, narrow in cells)


def test_a_design_made_for_another_device_is_refused():
    part = find_part("iCE40UP5K")  # 8 blocks: two products of 8 bits each, or one of 16
    cells = [MultiplierCell(9, 9, 8, True, 8, True, dsp_count=9), MultiplierCell(4, 4, 9, True, 8, True, dsp_count=3)]
    verilog = Verilog("top", "", "module mbconv_multiply #", {}, multipliers=tuple(cells))
    assert "multiply.v" in part.family.sources(verilog, part)
    more = MultiplierCell(1, 1, 8, True, 8, True, dsp_count=1)
    with pytest.raises(GraphError, match="top wants 9 SB_MAC16, of which iCE40UP5K has 8"):
        part.family.sources(replace(verilog, multipliers=(*cells, more)), part)


def test_initial_values_of_ecp5_are_words_of_20_bits():
    values = ecp5_cells.initial_values([0x3FFFF, 1], 18)
    assert len(values) == 64
    assert values[0] == 0x3FFFF | 1 << 20
    assert ecp5_cells.initial_values([0xF, 0x1, 0x2], 4)[0] == 0xF | 1 << 4 | 2 << 9


def test_initial_values_of_ice40_are_interleaved():
    assert ice40_cells.initial_values([0x1234, 0xFFFF], 16)[0] == 0x1234 | 0xFFFF << 16
    assert ice40_cells.initial_values([0xFF] + [0] * 255 + [0x01], 8)[0] == 0x5555 | 0x0002
    assert ice40_cells.initial_values([0] * (7 * 256 + 16) + [0b11], 2)[1] == 0x8080


@pytest.mark.parametrize("shapes", [family.resources(PARTS[family.name]).block_ram.shapes for family in FAMILIES])
@pytest.mark.parametrize(("width", "depth"), [(8, 94_080), (1, 65_537), (36, 5), (3, 700), (9, 2_049)])
def test_a_tiling_holds_every_word_in_as_many_blocks_as_the_planner_counts(shapes, width, depth):
    segments = tile(shapes, width, depth)
    assert sum(segment.depth for segment in segments) == depth
    assert [segment.start for segment in segments] == [sum(s.depth for s in segments[:i]) for i in range(len(segments))]
    assert all(segment.depth == segment.capacity for segment in segments[:-1])
    assert all(segment.start % segment.capacity == 0 for segment in segments)
    assert all(
        (segment.bits, segment.capacity) in shapes and segment.blocks * segment.bits >= width for segment in segments
    )
    assert BlockRam("any", shapes).blocks(width, depth) == sum(segment.blocks for segment in segments)
