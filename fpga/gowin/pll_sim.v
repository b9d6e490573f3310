// Gowin's PLL as a wire that is locked after a few cycles: for the simulation of a whole board's netlist, where only
// cycles count. Yosys has this cell as a black box.
`default_nettype none
module rPLL #(
    parameter FCLKIN = "100", parameter DEVICE = "", parameter IDIV_SEL = 0, parameter FBDIV_SEL = 0,
    parameter ODIV_SEL = 8, parameter DYN_IDIV_SEL = "false", parameter DYN_FBDIV_SEL = "false",
    parameter DYN_ODIV_SEL = "false", parameter DYN_DA_EN = "false", parameter PSDA_SEL = "0000",
    parameter DUTYDA_SEL = "1000", parameter CLKFB_SEL = "internal", parameter CLKOUT_BYPASS = "false",
    parameter CLKOUTP_BYPASS = "false", parameter CLKOUTD_BYPASS = "false", parameter CLKOUTD_SRC = "CLKOUT",
    parameter CLKOUTD3_SRC = "CLKOUT", parameter DYN_SDIV_SEL = 2
) (
    input wire CLKIN, CLKFB, RESET, RESET_P,
    input wire [5:0] FBDSEL, IDSEL, ODSEL,
    input wire [3:0] PSDA, DUTYDA, FDLY,
    output wire CLKOUT, LOCK
);
    reg [3:0] cycles = 4'd0;
    always @(posedge CLKIN) if (!LOCK) cycles <= cycles + 4'd1;
    assign LOCK = &cycles;
    assign CLKOUT = CLKIN;
endmodule
`default_nettype wire
