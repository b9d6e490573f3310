"""ECP5's wrappers of multipliers and memories beside the behavioural modules that they replace, in every cycle.

All circuits get random stimuli in one simulation; the cells are those of fpga/ecp5/cells_sim.v.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import mbconv.fpga
from mbconv.fpga.ecp5.cells import initial_values
from mbconv.fpga.ecp5.sources import ecp5_sources
from mbconv.fpga.ecp5.tiling import tile
from mbconv.hdl.primitives import address_width, primitive_files
from mbconv.hdl.verilog import Verilog
from mbconv.sim.simulation.run_design import DesignPort, DesignSource, run_design

CELLS = (Path(mbconv.fpga.__file__).parent / "ecp5" / "cells_sim.v").read_text()
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
        extra = {"ecp5_": {"DSP_COUNT": self.dsp}}
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
class Rom:
    width: int
    depth: int

    @property
    def bits(self) -> int:
        return 20

    @property
    def file(self) -> str:
        return f"rom_{self.width}x{self.depth}.hex"

    @property
    def text(self) -> str:
        generator = np.random.default_rng(self.width * 65536 + self.depth)
        words = (int.from_bytes(generator.bytes(16)) & ((1 << self.width) - 1) for _ in range(self.depth))
        return "".join(f"{word:x}\n" for word in words)

    def lines(self, name: str, low: int) -> list[str]:
        address = address_width(self.depth)
        parameters = {"WIDTH": self.width, "DEPTH": self.depth, "ADDRESS_WIDTH": address, "FILE": f'"{self.file}"'}
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


def pair(kind, name, parameters, ports, output, width, checked, extra=None) -> list[str]:
    """The behavioural module and ECP5's, and counters of cycles compared and of those that differ."""
    lines = []
    for prefix in ("", "ecp5_"):
        chosen = parameters | (extra or {}).get(prefix, {})
        text = ", ".join(f".{key}({value})" for key, value in chosen.items())
        lines.append(f"    wire [{width - 1}:0] {prefix}{name}_out;")
        lines.append(f"    {prefix}mbconv_{kind} #({text}) {prefix}{name} ({ports}, .{output}({prefix}{name}_out));")
    return [
        *lines,
        "    always @(posedge clk)",
        f"        if (rst) begin {name}_checks <= 0; {name}_errors <= 0; end",
        f"        else if (stimulus__valid && {checked}) begin",
        f"            {name}_checks <= {name}_checks + 1;",
        f"            {name}_errors <= {name}_errors + ({name}_out != ecp5_{name}_out);",
        "        end",
    ]


MULTIPLICATIONS = [
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
]
RAMS = [Ram(8, 2), Ram(16, 32), Ram(80, 33), Ram(36, 512), Ram(37, 512), Ram(72, 600), Ram(36, 1536), Ram(9, 2100),
        Ram(40, 1540), Ram(4, 5000), Ram(2, 9000), Ram(1, 20000), Ram(18, 1024), Ram(9, 4200)]  # fmt: skip
ROMS = [Rom(8, 1), Rom(24, 32), Rom(36, 512), Rom(72, 40), Rom(18, 1024), Rom(9, 2048), Rom(25, 1600), Rom(4, 4096),
        Rom(3, 4500), Rom(2, 8192), Rom(1, 16384), Rom(1, 17000)]  # fmt: skip
CIRCUITS = {f"circuit_{index}": circuit for index, circuit in enumerate([*MULTIPLICATIONS, *RAMS, *ROMS])}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """Cycles compared and errors of every circuit."""
    lines, low = [], 0
    for name, circuit in CIRCUITS.items():
        lines += circuit.lines(name, low)
        low += circuit.bits
    outputs = {f"{name}_{what}": 32 for name in CIRCUITS for what in ("checks", "errors")}
    ports = ["input clk", "input rst", f"input [{low - 1}:0] stimulus__payload", "input stimulus__valid"]
    ports += ["output stimulus__ready", "output echo__payload", "output echo__valid", "input echo__ready"]
    ports += [f"output reg [31:0] {output}" for output in outputs]
    head = [f"module harness ({', '.join(ports)});"]
    head += [f"    wire [{low - 1}:0] stimulus = stimulus__payload;"]
    head += ["    assign {stimulus__ready, echo__valid, echo__payload} = {echo__ready, stimulus__valid, 1'b0};"]
    head += ["    reg [31:0] cycle;", "    always @(posedge clk) cycle <= rst ? 0 : cycle + 1;"]
    text = "\n".join([*head, *lines, "endmodule\n"])
    twins = "\n".join(path.read_text() for path in primitive_files())
    files = {rom.file: rom.text for rom in ROMS}
    cells = ecp5_sources(Verilog("harness", text, re.sub("module mbconv", "module ecp5_mbconv", twins), files))
    ports = [DesignPort.plain("stimulus", True, low), DesignPort.plain("echo", False, 1)]
    source = DesignSource({**cells, "twins.v": twins, "cells.v": CELLS}, files, "harness", ports, outputs)
    generator = np.random.default_rng(4)
    stimuli = [int.from_bytes(generator.bytes(-(-low // 8))) >> -low % 8 for _ in range(BEATS)]
    return run_design(source, {"stimulus": stimuli}, {"echo": BEATS}, 1).outputs


@pytest.mark.parametrize("name", CIRCUITS, ids=lambda name: str(CIRCUITS[name]))
def test_as_the_behavioural_module(counts, name):
    circuit = CIRCUITS[name]
    wanted = BEATS - (circuit.depth if isinstance(circuit, Ram) else 0)
    assert counts[f"{name}_checks"] > (0.3 if getattr(circuit, "depth", 9) < 4 else 0.9) * wanted
    assert counts[f"{name}_errors"] == 0


def test_the_memories_are_of_every_shape():
    widths = {segment.bits for memory in [*RAMS, *ROMS] for segment in tile(memory.width, memory.depth)}
    assert widths == {0, 1, 2, 4, 9, 18, 36}
    assert max(len(tile(ram.width, ram.depth)) for ram in RAMS) >= 3
    assert max(segment.blocks for ram in RAMS for segment in tile(ram.width, ram.depth)) >= 4


def test_initial_values_are_words_of_20_bits():
    values = initial_values([0x3FFFF, 1], 18)
    assert len(values) == 64
    assert values[0] == 0x3FFFF | 1 << 20
    assert initial_values([0xF, 0x1, 0x2], 4)[0] == 0xF | 1 << 4 | 2 << 9
