// Nexus: one product in a MULT9X9 with its input and output registers on, and a register of the fabric behind it.
// Operands have at most 9 bits.
`default_nettype none
module mbconv_multiply_dsp #(
    parameter COUNT = 1,
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1,
    parameter B_WIDTH = 8,
    parameter B_SIGNED = 1
) (
    input  wire                       clk,
    input  wire [A_WIDTH-1:0]         a,
    input  wire [B_WIDTH-1:0]         b,
    output wire [A_WIDTH+B_WIDTH-1:0] p
);
    generate
        if (COUNT != 1 || A_WIDTH > 9 || B_WIDTH > 9) begin : refuse
            mbconv_multiply_has_at_most_9_bits too_wide ();
        end
    endgenerate
    wire [8:0] x = {{9{(A_SIGNED != 0) & a[A_WIDTH-1]}}, a};
    wire [8:0] y = {{9{(B_SIGNED != 0) & b[B_WIDTH-1]}}, b};
    wire [17:0] product;
    reg [A_WIDTH+B_WIDTH-1:0] result;
    always @(posedge clk) result <= product[A_WIDTH+B_WIDTH-1:0];
    assign p = result;
    MULT9X9 #(
        .REGINPUTA("REGISTER"), .REGINPUTB("REGISTER"), .REGOUTPUT("REGISTER"), .GSR("DISABLED"), .RESETMODE("SYNC")
    ) multiplier (
        .CLK(clk), .A(x), .B(y), .CEA(1'b1), .CEB(1'b1), .CEOUT(1'b1), .RSTA(1'b0), .RSTB(1'b0), .RSTOUT(1'b0),
        .SIGNEDA((A_SIGNED != 0) ? 1'b1 : 1'b0), .SIGNEDB((B_SIGNED != 0) ? 1'b1 : 1'b0), .Z(product)
    );
endmodule

`default_nettype wire
