// Gowin: one product in a MULT9X9 with its three registers on. Operands have at most 9 bits.
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
    assign p = product[A_WIDTH+B_WIDTH-1:0];
    MULT9X9 #(
        .AREG(1'b1), .BREG(1'b1), .ASIGN_REG(1'b1), .BSIGN_REG(1'b1), .PIPE_REG(1'b1), .OUT_REG(1'b1), .SOA_REG(1'b0),
        .MULT_RESET_MODE("SYNC")
    ) multiplier (
        .CLK(clk), .CE(1'b1), .RESET(1'b0), .A(x), .B(y), .SIA(9'd0), .SIB(9'd0), .ASEL(1'b0), .BSEL(1'b0),
        .ASIGN((A_SIGNED != 0) ? 1'b1 : 1'b0), .BSIGN((B_SIGNED != 0) ? 1'b1 : 1'b0), .DOUT(product)
    );
endmodule

`default_nettype wire
