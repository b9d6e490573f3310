// iCE40 UltraPlus: the first DSP_COUNT of COUNT products in SB_MAC16 cells with all three of their registers on, the others
// as rows of carry chains; p is valid three cycles after a and b, as in the behavioural twin (hdl/primitives).
// Where both operands have at most 8 bits a cell gives two products (MODE_8x8: synthesis never infers it), of its
// adders used for nothing but their output registers; else one, of at most 16 bits each.
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
    localparam WIDTH = A_WIDTH + B_WIDTH;
    localparam NARROW = A_WIDTH <= 8 && B_WIDTH <= 8;
    genvar i;
    generate
        if (DSP_COUNT > 0 && (A_WIDTH > 16 || B_WIDTH > 16)) begin : refuse
            mbconv_multiply_has_at_most_16_bits too_wide ();
        end
        if (LATENCY != 3) begin : refuse_latency
            mbconv_multiply_has_a_latency_of_3 other_latency ();
        end
        for (i = 0; i < COUNT; i = i + 1) begin : product
            wire [A_WIDTH-1:0] x = a[(i % A_COUNT)*A_WIDTH +: A_WIDTH];
            wire [B_WIDTH-1:0] y = b[i*B_WIDTH +: B_WIDTH];
            wire [15:0] x_extended = {{16{(A_SIGNED != 0) & x[A_WIDTH-1]}}, x};
            wire [15:0] y_extended = {{16{(B_SIGNED != 0) & y[B_WIDTH-1]}}, y};
            if (i >= DSP_COUNT) begin : rows
                mbconv_multiply_rows #(
                    .A_WIDTH(A_WIDTH), .A_SIGNED(A_SIGNED), .B_WIDTH(B_WIDTH), .B_SIGNED(B_SIGNED)
                ) multiplier (.clk(clk), .a(x), .b(y), .p(p[i*WIDTH +: WIDTH]));
            end else if (!NARROW) begin : wide
                wire [31:0] full;
                assign p[i*WIDTH +: WIDTH] = full[WIDTH-1:0];
                SB_MAC16 #(
                    .A_REG(1'b1), .B_REG(1'b1), .A_SIGNED(A_SIGNED != 0), .B_SIGNED(B_SIGNED != 0), .MODE_8x8(1'b0),
                    .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1),
                    .PIPELINE_16x16_MULT_REG1(1'b1), .PIPELINE_16x16_MULT_REG2(1'b1),
                    .TOPOUTPUT_SELECT(2'd3), .BOTOUTPUT_SELECT(2'd3)
                ) multiplier (
                    .CLK(clk), .CE(1'b1), .A(x_extended), .B(y_extended), .C(16'd0), .D(16'd0), .O(full),
                    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
                    .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0), .OLOADBOT(1'b0),
                    .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0)
                );
            end else if (i % 2 == 0) begin : pair
                // Of a last pair the upper product may be missing.
                wire [7:0] x_upper, y_upper;
                wire [15:0] upper, lower;
                assign p[i*WIDTH +: WIDTH] = lower[WIDTH-1:0];
                SB_MAC16 #(
                    .A_REG(1'b1), .B_REG(1'b1), .A_SIGNED(A_SIGNED != 0), .B_SIGNED(B_SIGNED != 0), .MODE_8x8(1'b1),
                    .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1),
                    .TOPOUTPUT_SELECT(2'd1), .TOPADDSUB_LOWERINPUT(2'd1), .TOPADDSUB_UPPERINPUT(1'b1),
                    .BOTOUTPUT_SELECT(2'd1), .BOTADDSUB_LOWERINPUT(2'd1), .BOTADDSUB_UPPERINPUT(1'b1)
                ) multiplier (
                    .CLK(clk), .CE(1'b1), .A({x_upper, x_extended[7:0]}), .B({y_upper, y_extended[7:0]}),
                    .C(16'd0), .D(16'd0), .O({upper, lower}),
                    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
                    .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0), .OLOADBOT(1'b0),
                    .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0)
                );
                if (i + 1 < DSP_COUNT) begin : both
                    assign x_upper = product[i+1].x_extended[7:0];
                    assign y_upper = product[i+1].y_extended[7:0];
                    assign p[(i+1)*WIDTH +: WIDTH] = upper[WIDTH-1:0];
                end else begin : one
                    assign x_upper = 8'd0;
                    assign y_upper = 8'd0;
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire
