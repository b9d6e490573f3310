"""An SDRAM beside a simulated board: its model, with the times that it checks."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil
from pathlib import Path

from mbconv.hdl.engine.sdram import SdramTiming, sdram_lines

from .flash import TOP

PADS = "sdram_pads.v"
PINS = ("clk", "cke", "cs_n", "ras_n", "cas_n", "we_n", "ba", "a", "dq", "dqm")
_ADDRESS_BITS = 13
_TIED = {"cke": "1'b1", "cs_n": "1'b0", "dqm": "0"}
_SMALLEST_WORDS = 20
"""Bits of the model's addresses: of more words than that a simulation writes none."""


def sdram_model() -> dict[str, str]:
    """File name → Verilog of the SDRAM."""
    return {"sdram.v": (Path(__file__).parent / "sdram.v").read_text()}


def sdram_wires(data_bits: int, pins: Collection[str] = PINS, address_bits: int = _ADDRESS_BITS) -> str:
    """Wires of the names of the device's pins, those that are no pins of the FPGA as a board ties them."""
    tied = "".join(f"    assign sdram_{pin} = {level};\n" for pin, level in _TIED.items() if pin not in pins)
    if address_bits < _ADDRESS_BITS:
        tied += f"    assign sdram_a[{_ADDRESS_BITS - 1}:{address_bits}] = 0;\n"
    return (
        "    wire sdram_clk, sdram_cke, sdram_cs_n, sdram_ras_n, sdram_cas_n, sdram_we_n;\n    wire [1:0] sdram_ba;\n"
        f"    wire [12:0] sdram_a;\n    wire [{data_bits - 1}:0] sdram_dq;\n"
        f"    wire [{data_bits // 8 - 1}:0] sdram_dqm;\n{tied}"
    )


def sdram_instance(timing: SdramTiming, clock: float) -> str:
    """The device on wires of the pins' names; its times in cycles of the clock, in Hz, as few as it allows."""
    t = timing
    times = {
        "START": t.start_ns,
        "T_RP": t.precharge_ns,
        "T_RCD": t.activate_ns,
        "T_RC": t.row_ns,
        "T_RAS": t.open_ns,
        "T_RFC": t.refresh_ns,
        "T_WR": t.written_ns,
    }
    cycles = {name: ceil(ns * clock / 1e9 - 1e-6) for name, ns in times.items()}
    numbers = {
        "DATA": t.data_bits,
        "COLUMN": t.column_bits,
        "WORDS": min(t.row_bits + 2 + t.column_bits, _SMALLEST_WORDS),
        "CAS": t.cas,
        "INTERVAL": int(t.interval_ns * clock / 1e9),
    }
    parameters = ", ".join(f".{name}({value})" for name, value in {**numbers, **cycles}.items())
    pins = ", ".join(f".{pin}(sdram_{pin})" for pin in PINS)
    return f"    mbconv_sdram #({parameters}) sdram ({pins});\n"


def board_with_sdram(top: str, timing: SdramTiming, clock: float) -> dict[str, str]:
    """File name → Verilog of a module like ``top`` in whose pads there is an SDRAM, of the name of one with a flash."""
    shapes = {name: flow.shape for name, flow in sdram_lines(timing.data_bits).items()}
    wires = "".join(f"    wire [{int(shape) - 1}:0] board_{name};\n" for name, shape in shapes.items())
    inside = ", ".join(f".sdram_{name}(board_{name})" for name in shapes)
    pads = ", ".join(f".{name}(board_{name})" for name in shapes)
    outer = ", ".join(f".sdram_{pin}(sdram_{pin})" for pin in PINS)
    text = (
        f"module {TOP} (\n    input wire clk, input wire rst, input wire rx, output wire tx, output wire active\n);\n"
        f"{wires}{sdram_wires(timing.data_bits)}"
        f"    {top} board (.clk(clk), .rst(rst), .rx(rx), .tx(tx), .active(active), {inside});\n"
        f"    mbconv_sdram_pads #(.DATA({timing.data_bits})) pads (.clk(clk), {pads}, {outer});\n"
        f"{sdram_instance(timing, clock)}endmodule\n"
    )
    return {"simulated_board.v": text, PADS: (Path(__file__).parent / PADS).read_text(), **sdram_model()}
