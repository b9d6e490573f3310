// ECP5's pads as they are used here, for the simulation of a whole board's netlist.
`default_nettype none
module TRELLIS_IO #(
    parameter DIR = "INPUT"
) (
    inout  wire B,
    input  wire I, T,
    output wire O
);
    assign B = DIR == "INPUT" || T ? 1'bz : I;
    assign O = B;
endmodule

module ODDRX1F #(
    parameter GSR = "ENABLED"
) (
    input  wire SCLK, RST, D0, D1,
    output wire Q
);
    reg first = 1'b0, second = 1'b0;
    always @(posedge SCLK) begin
        first <= RST ? 1'b0 : D0;
        second <= RST ? 1'b0 : D1;
    end
    assign Q = SCLK ? first : second;
endmodule
`default_nettype wire
