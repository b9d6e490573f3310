// Nexus' PLL as a wire that is locked after a few cycles: for the simulation of a whole board's netlist, where only
// cycles count. Yosys has this cell as a black box.
`default_nettype none
module PLL #(
    parameter REF_INTEGER_MODE = "ENABLED", parameter REF_MMD_DIG = "1", parameter REF_MMD_PULS_CTL = "0b0000",
    parameter FBK_INTEGER_MODE = "ENABLED", parameter FBK_MMD_DIG = "1", parameter FBK_MASK = "0b00000000",
    parameter SEL_FBK = "FBKCLK5", parameter CLKMUX_FB = "CMUX_CLKOS5", parameter ENCLK_CLKOP = "ENABLED",
    parameter ENCLK_CLKOS5 = "ENABLED", parameter DIVA = "0", parameter DELA = "0", parameter PHIA = "0",
    parameter DIVF = "0", parameter DELF = "0", parameter PLLPD_N = "USED", parameter PLLRESET_ENA = "ENABLED",
    parameter BW_CTL_BIAS = "0b0101", parameter CRIPPLE = "5P", parameter CSET = "40P", parameter IPI_CMP = "0b1000",
    parameter IPI_CMPN = "0b0011", parameter IPP_CTRL = "0b1000", parameter IPP_SEL = "0b1111",
    parameter KP_VCO = "0b00011", parameter V2I_1V_EN = "ENABLED", parameter V2I_KVCO_SEL = "60",
    parameter V2I_PP_ICTRL = "0b11111", parameter V2I_PP_RES = "10K"
) (
    input wire REFCK, FBKCK, PLLRESET,
    output wire CLKOP, CLKOS5, LOCK
);
    reg [3:0] cycles = 4'd0;
    always @(posedge REFCK) if (!LOCK) cycles <= cycles + 4'd1;
    assign LOCK = &cycles;
    assign CLKOP = REFCK;
    assign CLKOS5 = REFCK;
endmodule
`default_nettype wire
