// Gowin's pads as they are used here, for the simulation of a whole board's netlist. Yosys' model of IOBUF drives the
// fabric's own input, and ODDR is a black box there.
`default_nettype none
module IOBUF (
    inout  wire IO,
    input  wire I, OEN,
    output wire O
);
    assign IO = OEN ? 1'bz : I;
    assign O = IO;
endmodule

module ODDR #(
    parameter TXCLK_POL = 0, parameter INIT = 0
) (
    input  wire CLK, D0, D1, TX,
    output wire Q0, Q1
);
    reg first = 1'b0, second = 1'b0;
    always @(posedge CLK) begin
        first <= D0;
        second <= D1;
    end
    assign Q0 = CLK ? first : second;
    assign Q1 = TX;
endmodule
`default_nettype wire
