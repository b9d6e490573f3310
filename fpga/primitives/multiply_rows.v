// One product without a DSP block; p is valid three cycles after a and b, as in the behavioural twin (hdl/primitives).
`default_nettype none
// A sum of rows, two by two, so that each is a carry chain: an inferred multiplier takes twice to four times as much.
// Rows are pairs of b's bits; the last bit of a signed b has negative weight. Each of the three cycles is one level of
// chains: operands come from registers wherever they come from, and none follow here.
module mbconv_multiply_rows #(
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
    localparam WIDTH = A_WIDTH + B_WIDTH;
    localparam PAIRS = (B_WIDTH + 1) / 2;
    localparam QUADS = (PAIRS + 1) / 2;
    wire signed [A_WIDTH:0] wide = {(A_SIGNED != 0) & a[A_WIDTH-1], a};
    reg [WIDTH-1:0] result;
    assign p = result;
    wire [PAIRS*(A_WIDTH+4)-1:0] pairs;
    genvar i;
    generate
        for (i = 0; i < PAIRS; i = i + 1) begin : pair
            localparam ALONE = 2 * i + 1 == B_WIDTH;
            localparam NEGATIVE = B_SIGNED != 0 && 2 * i + 2 >= B_WIDTH;
            wire signed [A_WIDTH:0] low = wide & {A_WIDTH+1{b[2*i]}};
            wire signed [A_WIDTH:0] high = ALONE ? {A_WIDTH+1{1'b0}} : wide & {A_WIDTH+1{b[ALONE ? 0 : 2*i+1]}};
            reg signed [A_WIDTH+3:0] sum;
            if (ALONE && NEGATIVE) always @(posedge clk) sum <= -low;
            else if (ALONE) always @(posedge clk) sum <= low;
            else if (NEGATIVE) always @(posedge clk) sum <= low - $signed({high, 1'b0});
            else always @(posedge clk) sum <= low + $signed({high, 1'b0});
            assign pairs[i*(A_WIDTH+4) +: A_WIDTH+4] = sum;
        end
        for (i = 0; i < QUADS; i = i + 1) begin : quad
            wire signed [A_WIDTH+3:0] low = pairs[2*i*(A_WIDTH+4) +: A_WIDTH+4];
            reg signed [A_WIDTH+6:0] sum;
            if (2 * i + 1 < PAIRS) begin : both
                wire signed [A_WIDTH+3:0] high = pairs[(2*i+1)*(A_WIDTH+4) +: A_WIDTH+4];
                always @(posedge clk) sum <= low + $signed({high, 2'b00});
            end else begin : one
                always @(posedge clk) sum <= low;
            end
            wire [WIDTH-1:0] weighted = {{WIDTH{sum[A_WIDTH+6]}}, sum} << (4 * i);
            wire [WIDTH-1:0] total;
            if (i == 0) assign total = weighted;
            else assign total = quad[i-1].total + weighted;
        end
    endgenerate
    always @(posedge clk) result <= quad[QUADS-1].total;
endmodule
`default_nettype wire
