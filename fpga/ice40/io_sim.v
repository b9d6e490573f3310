// iCE40's pads as they are used here, for the simulation of a whole board's netlist. Verilator does not take those of
// Yosys: they ask whether an input is open.
`default_nettype none
module SB_IO #(
    parameter [5:0] PIN_TYPE = 6'b000000, parameter [0:0] PULLUP = 1'b0, parameter [0:0] NEG_TRIGGER = 1'b0,
    parameter IO_STANDARD = "SB_LVCMOS"
) (
    inout  wire PACKAGE_PIN,
    input  wire LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
    output wire D_IN_0, D_IN_1
);
    reg rising = 1'b0, falling = 1'b0, enabled = 1'b0, seen = 1'b0;
    reg high = 1'b0;  // changes with what it chooses between: no pulse of the one before
    always @(OUTPUT_CLK) high <= OUTPUT_CLK;
    always @(posedge OUTPUT_CLK) rising <= D_OUT_0;
    always @(negedge OUTPUT_CLK) falling <= D_OUT_1;
    always @(posedge OUTPUT_CLK) enabled <= OUTPUT_ENABLE;
    always @(posedge INPUT_CLK) seen <= PACKAGE_PIN;
    assign D_IN_0 = PIN_TYPE[0] ? PACKAGE_PIN : seen;
    assign D_IN_1 = 1'b0;
    wire level = PIN_TYPE[3] ? D_OUT_0 : PIN_TYPE[2] ? rising : high ? rising : falling;
    generate
        if (PIN_TYPE[5:4] == 2'b01) assign PACKAGE_PIN = level;
        if (PIN_TYPE[5:4] == 2'b10) assign PACKAGE_PIN = OUTPUT_ENABLE ? level : 1'bz;
        if (PIN_TYPE[5:4] == 2'b11) assign PACKAGE_PIN = enabled ? level : 1'bz;
    endgenerate
endmodule
`default_nettype wire
