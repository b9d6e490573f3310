// The pads of a quad SPI flash on an iCE40: every line through a register of its pad, in either direction. The flash's
// clock is a pulse in the second half of a cycle, from the pad's register for falling edges.
`default_nettype none
module mbconv_flash_pads (
    input  wire       clk,
    input  wire       select_n,
    input  wire       clock,
    input  wire [3:0] out,
    input  wire [3:0] drive,
    output wire [3:0] in_,
    output wire       flash_cs_n,
    output wire       flash_sck,
    inout  wire [3:0] flash_io
);
    reg pulse = 1'b0;
    always @(posedge clk) pulse <= clock;

    // output through a register
    SB_IO #(.PIN_TYPE(6'b010101)) cs (.PACKAGE_PIN(flash_cs_n), .OUTPUT_CLK(clk), .D_OUT_0(select_n));
    // output through a register for each edge
    SB_IO #(.PIN_TYPE(6'b010001)) sck (
        .PACKAGE_PIN(flash_sck), .OUTPUT_CLK(clk), .D_OUT_0(1'b0), .D_OUT_1(pulse)
    );
    genvar line;
    generate
        for (line = 0; line < 4; line = line + 1) begin : io
            // output, its enable and input through registers
            SB_IO #(.PIN_TYPE(6'b110100)) pad (
                .PACKAGE_PIN(flash_io[line]), .INPUT_CLK(clk), .OUTPUT_CLK(clk), .OUTPUT_ENABLE(drive[line]),
                .D_OUT_0(out[line]), .D_IN_0(in_[line])
            );
        end
    endgenerate
endmodule
`default_nettype wire
