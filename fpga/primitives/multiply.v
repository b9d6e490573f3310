// COUNT products: the first DSP_COUNT in a family's cells (mbconv_multiply_dsp, in the family's folder), the others as
// rows of carry chains; p is valid three cycles after a and b, as in the behavioural twin (hdl/primitives).
// Where both operands have at most PAIR_WIDTH bits two products share a cell.
`default_nettype none
module mbconv_multiply #(
    parameter COUNT = 1,
    parameter A_COUNT = 1,
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1,
    parameter B_WIDTH = 8,
    parameter B_SIGNED = 1,
    parameter LATENCY = 3,
    parameter DSP_COUNT = COUNT,
    parameter PAIR_WIDTH = 0
) (
    input  wire                               clk,
    input  wire [A_COUNT*A_WIDTH-1:0]         a,
    input  wire [COUNT*B_WIDTH-1:0]           b,
    output wire [COUNT*(A_WIDTH+B_WIDTH)-1:0] p
);
    localparam WIDTH = A_WIDTH + B_WIDTH;
    localparam TOGETHER = A_WIDTH <= PAIR_WIDTH && B_WIDTH <= PAIR_WIDTH ? 2 : 1;
    wire [COUNT*A_WIDTH-1:0] x;  // an operand for each product
    genvar i;
    generate
        if (LATENCY != 3) begin : refuse_latency
            mbconv_multiply_has_a_latency_of_3 other_latency ();
        end
        for (i = 0; i < COUNT; i = i + 1) begin : operand
            assign x[i*A_WIDTH +: A_WIDTH] = a[(i % A_COUNT)*A_WIDTH +: A_WIDTH];
        end
        for (i = 0; i < DSP_COUNT; i = i + TOGETHER) begin : dsp
            localparam PRODUCTS = DSP_COUNT - i < TOGETHER ? DSP_COUNT - i : TOGETHER;
            mbconv_multiply_dsp #(
                .COUNT(PRODUCTS), .A_WIDTH(A_WIDTH), .A_SIGNED(A_SIGNED), .B_WIDTH(B_WIDTH), .B_SIGNED(B_SIGNED)
            ) multiplier (
                .clk(clk), .a(x[i*A_WIDTH +: PRODUCTS*A_WIDTH]), .b(b[i*B_WIDTH +: PRODUCTS*B_WIDTH]),
                .p(p[i*WIDTH +: PRODUCTS*WIDTH])
            );
        end
        for (i = DSP_COUNT; i < COUNT; i = i + 1) begin : rows
            mbconv_multiply_rows #(
                .A_WIDTH(A_WIDTH), .A_SIGNED(A_SIGNED), .B_WIDTH(B_WIDTH), .B_SIGNED(B_SIGNED)
            ) multiplier (
                .clk(clk), .a(x[i*A_WIDTH +: A_WIDTH]), .b(b[i*B_WIDTH +: B_WIDTH]), .p(p[i*WIDTH +: WIDTH])
            );
        end
    endgenerate
endmodule
`default_nettype wire
