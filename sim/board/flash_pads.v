// The pads of a quad SPI flash as they are on a board: every line through a register in either direction, the clock a
// pulse in the second half of a cycle.
`default_nettype none
module mbconv_flash_pads (
    input  wire       clk,
    input  wire       select_n,
    input  wire       clock,
    input  wire [3:0] out,
    input  wire [3:0] drive,
    output reg  [3:0] in_,
    output reg        flash_cs_n,
    output wire       flash_sck,
    inout  wire [3:0] flash_io
);
    reg       pulse = 1'b0;
    reg [3:0] level = 4'd0, driven = 4'd0;
    assign flash_sck = pulse & ~clk;
    genvar line;
    generate
        for (line = 0; line < 4; line = line + 1) begin : io
            assign flash_io[line] = driven[line] ? level[line] : 1'bz;
        end
    endgenerate
    initial flash_cs_n = 1'b1;
    always @(posedge clk) begin
        pulse <= clock;
        flash_cs_n <= select_n;
        level <= out;
        driven <= drive;
        in_ <= flash_io;
    end
endmodule
`default_nettype wire
