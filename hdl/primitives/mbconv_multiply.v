// COUNT products: p is valid LATENCY cycles after a and b, 3 with an input, a pipeline and an output register, 2 without
// the pipeline register.
// DSP_COUNT of them, the first ones, are for a family's multiplier cells: nothing that can be seen here.
// Product i multiplies b[i] by a[i % A_COUNT], so that operands shared by several products are wired once.
// Behavioural twin for simulation and unknown targets; a family's file of the same name replaces it with equal latency.
`default_nettype none
module mbconv_multiply #(
    parameter COUNT = 1,
    parameter A_COUNT = 1,
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1,
    parameter B_WIDTH = 8,
    parameter B_SIGNED = 1,
    parameter LATENCY = 3,
    /* verilator lint_off UNUSEDPARAM */
    parameter DSP_COUNT = COUNT
    /* verilator lint_on UNUSEDPARAM */
) (
    input  wire                               clk,
    input  wire [A_COUNT*A_WIDTH-1:0]         a,
    input  wire [COUNT*B_WIDTH-1:0]           b,
    output wire [COUNT*(A_WIDTH+B_WIDTH)-1:0] p
);
    genvar i;
    generate
        for (i = 0; i < COUNT; i = i + 1) begin : product
            // One guard bit makes signed and unsigned operands alike.
            wire a_sign = (A_SIGNED != 0) & a[(i % A_COUNT)*A_WIDTH+A_WIDTH-1];
            wire b_sign = (B_SIGNED != 0) & b[i*B_WIDTH+B_WIDTH-1];
            reg signed [A_WIDTH:0] a_input;
            reg signed [B_WIDTH:0] b_input;
            wire signed [A_WIDTH+B_WIDTH-1:0] made;
            reg signed [A_WIDTH+B_WIDTH-1:0] result;
            if (LATENCY == 2) begin : without_pipeline
                assign made = a_input * b_input;
            end else begin : with_pipeline
`ifdef YOSYS
                (* keep *)  // synth_ice40 -dsp loses the product where it packs both registers behind it (Yosys 0.70)
`endif
                reg signed [A_WIDTH+B_WIDTH-1:0] pipeline;
                always @(posedge clk) pipeline <= a_input * b_input;
                assign made = pipeline;
            end
            always @(posedge clk) begin
                a_input <= {a_sign, a[(i % A_COUNT)*A_WIDTH +: A_WIDTH]};
                b_input <= {b_sign, b[i*B_WIDTH +: B_WIDTH]};
                result <= made;
            end
            assign p[i*(A_WIDTH+B_WIDTH) +: A_WIDTH+B_WIDTH] = result;
        end
    endgenerate
endmodule
`default_nettype wire
