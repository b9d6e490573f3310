// iCE40 UltraPlus: one product or two in an SB_MAC16 with all three of its registers on.
// Where both operands have at most 8 bits a cell gives two products (MODE_8x8: synthesis never infers it), of its
// adders used for nothing but their output registers; else one, of at most 16 bits each.
`default_nettype none
module mbconv_multiply_dsp #(
    parameter COUNT = 1,
    parameter A_WIDTH = 8,
    parameter A_SIGNED = 1,
    parameter B_WIDTH = 8,
    parameter B_SIGNED = 1
) (
    input  wire                               clk,
    input  wire [COUNT*A_WIDTH-1:0]           a,
    input  wire [COUNT*B_WIDTH-1:0]           b,
    output wire [COUNT*(A_WIDTH+B_WIDTH)-1:0] p
);
    localparam WIDTH = A_WIDTH + B_WIDTH;
    localparam NARROW = A_WIDTH <= 8 && B_WIDTH <= 8;
    localparam BITS = NARROW ? 8 : 16;  // of an operand in the cell
    wire [31:0] x, y, full;
    genvar i;
    generate
        if (COUNT > (NARROW ? 2 : 1) || A_WIDTH > 16 || B_WIDTH > 16) begin : refuse
            mbconv_multiply_has_at_most_16_bits too_wide ();
        end
        for (i = 0; i < 32 / BITS; i = i + 1) begin : operand
            if (i < COUNT) begin : used
                assign x[i*BITS +: BITS] = {{BITS{(A_SIGNED != 0) & a[(i+1)*A_WIDTH-1]}}, a[i*A_WIDTH +: A_WIDTH]};
                assign y[i*BITS +: BITS] = {{BITS{(B_SIGNED != 0) & b[(i+1)*B_WIDTH-1]}}, b[i*B_WIDTH +: B_WIDTH]};
                assign p[i*WIDTH +: WIDTH] = full[i*2*BITS +: WIDTH];
            end else begin : unused
                assign x[i*BITS +: BITS] = {BITS{1'b0}};
                assign y[i*BITS +: BITS] = {BITS{1'b0}};
            end
        end
    endgenerate
    SB_MAC16 #(
        .A_REG(1'b1), .B_REG(1'b1), .A_SIGNED(A_SIGNED != 0), .B_SIGNED(B_SIGNED != 0), .MODE_8x8(NARROW),
        .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1),
        .PIPELINE_16x16_MULT_REG1(!NARROW), .PIPELINE_16x16_MULT_REG2(!NARROW),
        .TOPOUTPUT_SELECT(NARROW ? 2'd1 : 2'd3), .TOPADDSUB_LOWERINPUT(NARROW ? 2'd1 : 2'd0),
        .TOPADDSUB_UPPERINPUT(NARROW),
        .BOTOUTPUT_SELECT(NARROW ? 2'd1 : 2'd3), .BOTADDSUB_LOWERINPUT(NARROW ? 2'd1 : 2'd0),
        .BOTADDSUB_UPPERINPUT(NARROW)
    ) multiplier (
        .CLK(clk), .CE(1'b1), .A(x[15:0]), .B(y[15:0]), .C(16'd0), .D(16'd0), .O(full),
        .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
        .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .OLOADTOP(1'b0), .OLOADBOT(1'b0),
        .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0)
    );
endmodule
`default_nettype wire
