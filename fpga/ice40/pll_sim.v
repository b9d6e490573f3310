// iCE40's PLL as a wire that is locked after a few cycles: for the simulation of a whole board's netlist, where only
// cycles count. Yosys has these cells as black boxes.
`default_nettype none
module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "SIMPLE", parameter DIVR = 0, parameter DIVF = 0, parameter DIVQ = 0,
    parameter FILTER_RANGE = 0
) (
    input wire PACKAGEPIN, RESETB, BYPASS,
    output wire PLLOUTGLOBAL, LOCK
);
    reg [3:0] cycles = 4'd0;
    always @(posedge PACKAGEPIN) if (!LOCK) cycles <= cycles + 4'd1;
    assign LOCK = &cycles;
    assign PLLOUTGLOBAL = PACKAGEPIN;
endmodule

module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = "SIMPLE", parameter DIVR = 0, parameter DIVF = 0, parameter DIVQ = 0,
    parameter FILTER_RANGE = 0
) (
    input wire REFERENCECLK, RESETB, BYPASS,
    output wire PLLOUTGLOBAL, LOCK
);
    SB_PLL40_PAD pad (.PACKAGEPIN(REFERENCECLK), .RESETB(RESETB), .BYPASS(BYPASS), .PLLOUTGLOBAL(PLLOUTGLOBAL), .LOCK(LOCK));
endmodule
`default_nettype wire
