// ECP5's PLL as a wire that is locked after a few cycles: for the simulation of a whole board's netlist, where only
// cycles count. Yosys has this cell as a black box.
`default_nettype none
module EHXPLLL #(
    parameter CLKI_DIV = 1, parameter CLKFB_DIV = 1, parameter CLKOP_DIV = 1, parameter CLKOP_CPHASE = 0,
    parameter CLKOP_FPHASE = 0, parameter CLKOP_ENABLE = "ENABLED", parameter FEEDBK_PATH = "CLKOP",
    parameter OUTDIVIDER_MUXA = "DIVA", parameter OUTDIVIDER_MUXB = "DIVB", parameter OUTDIVIDER_MUXC = "DIVC",
    parameter OUTDIVIDER_MUXD = "DIVD", parameter PLLRST_ENA = "DISABLED", parameter INTFB_WAKE = "DISABLED",
    parameter STDBY_ENABLE = "DISABLED", parameter DPHASE_SOURCE = "DISABLED"
) (
    input wire CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
    output wire CLKOP, LOCK
);
    reg [3:0] cycles = 4'd0;
    always @(posedge CLKI) if (!LOCK) cycles <= cycles + 4'd1;
    assign LOCK = &cycles;
    assign CLKOP = CLKI;
endmodule
`default_nettype wire
