// Nexus: the first DSP_COUNT of COUNT products in MULT9X9 cells with their input and output registers on, and a register
// of the fabric behind them, the others as rows of carry chains; p is valid three cycles after a and b, as in the
// behavioural twin (hdl/primitives).
// Operands have at most 9 bits in a cell.
`default_nettype none
module mbconv_multiply #(
    parameter COUNT = 1,
    parameter A_COUNT = 1,
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1,
    parameter B_WIDTH = 8,
    parameter B_SIGNED = 1,
    parameter LATENCY = 3,
    parameter DSP_COUNT = COUNT
) (
    input  wire                               clk,
    input  wire [A_COUNT*A_WIDTH-1:0]         a,
    input  wire [COUNT*B_WIDTH-1:0]           b,
    output wire [COUNT*(A_WIDTH+B_WIDTH)-1:0] p
);
    genvar i;
    generate
        if (DSP_COUNT > 0 && (A_WIDTH > 9 || B_WIDTH > 9)) begin : refuse
            mbconv_multiply_has_at_most_9_bits too_wide ();
        end
        if (LATENCY != 3) begin : refuse_latency
            mbconv_multiply_has_a_latency_of_3 other_latency ();
        end
        for (i = 0; i < COUNT; i = i + 1) begin : product
            wire [A_WIDTH-1:0] x = a[(i % A_COUNT)*A_WIDTH +: A_WIDTH];
            wire [B_WIDTH-1:0] y = b[i*B_WIDTH +: B_WIDTH];
            if (i < DSP_COUNT) begin : dsp
                mbconv_multiply_dsp #(
                    .A_WIDTH(A_WIDTH), .A_SIGNED(A_SIGNED), .B_WIDTH(B_WIDTH), .B_SIGNED(B_SIGNED)
                ) multiplier (.clk(clk), .a(x), .b(y), .p(p[i*(A_WIDTH+B_WIDTH) +: A_WIDTH+B_WIDTH]));
            end else begin : rows
                mbconv_multiply_rows #(
                    .A_WIDTH(A_WIDTH), .A_SIGNED(A_SIGNED), .B_WIDTH(B_WIDTH), .B_SIGNED(B_SIGNED)
                ) multiplier (.clk(clk), .a(x), .b(y), .p(p[i*(A_WIDTH+B_WIDTH) +: A_WIDTH+B_WIDTH]));
            end
        end
    endgenerate
endmodule

module mbconv_multiply_dsp #(
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
