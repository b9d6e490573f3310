"""A flash beside a simulated board: its model, and what it holds."""

from __future__ import annotations

from pathlib import Path

FILE = "flash_contents.hex"
TOP = "simulated_board"
_LINES = ("select_n", "clock", "out", "drive", "in_")


def flash_model() -> dict[str, str]:
    """File name → Verilog of the flash."""
    return {"flash.v": (Path(__file__).parent / "flash.v").read_text()}


def flash_file(contents: bytes) -> dict[str, str]:
    """Its memory file: what it holds from the network's address on."""
    return {FILE: "\n".join(f"{byte:02x}" for byte in contents or b"\xff") + "\n"}


def flash_instance(address: int, size: int) -> str:
    """The flash on wires of the pads' names."""
    parameters = f'.BASE({address}), .SIZE({max(1, size)}), .FILE("{FILE}")'
    return f"    mbconv_flash #({parameters}) flash (.cs_n(flash_cs_n), .sck(flash_sck), .io(flash_io));\n"


def board_with_flash(top: str, address: int, size: int) -> dict[str, str]:
    """File name → Verilog of a module like ``top`` in whose pads there is a flash, :data:`TOP`."""
    widths = {"out": "[3:0] ", "drive": "[3:0] ", "in_": "[3:0] "}
    wires = "".join(f"    wire {widths.get(line, '')}flash_{line};\n" for line in _LINES)
    inside = ", ".join(f".flash_{line}(flash_{line})" for line in _LINES)
    pads = ", ".join(f".{line}(flash_{line})" for line in _LINES)
    text = (
        f"module {TOP} (\n    input wire clk, input wire rst, input wire rx, output wire tx, output wire active\n);\n"
        f"{wires}    wire flash_cs_n, flash_sck;\n    wire [3:0] flash_io;\n"
        f"    {top} board (.clk(clk), .rst(rst), .rx(rx), .tx(tx), .active(active), {inside});\n"
        f"    mbconv_flash_pads pads (.clk(clk), {pads},\n"
        "        .flash_cs_n(flash_cs_n), .flash_sck(flash_sck), .flash_io(flash_io));\n"
        f"{flash_instance(address, size)}endmodule\n"
    )
    pads_text = (Path(__file__).parent / "flash_pads.v").read_text()
    return {"simulated_board.v": text, "flash_pads.v": pads_text, **flash_model()}
