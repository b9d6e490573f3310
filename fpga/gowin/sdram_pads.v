// The pads of an SDRAM on a Gowin, its own in the package included: commands and addresses through a register of their
// pad (IOBFF), the device's clock is the circuit's, inverted by the pad's register for both edges. The pads of the data
// lines have registers of one clock edge only, and what the device gives is taken with the falling edge, when it takes
// the next command; so theirs are of the fabric: a word has half a cycle to the device, and a whole one back.
`default_nettype none
module mbconv_sdram_pads #(
    parameter DATA = 32,
    parameter ADDRESS = 13
) (
    input  wire               clk,
    input  wire [2:0]         command,
    input  wire [1:0]         bank,
    input  wire [12:0]        address,
    input  wire [DATA-1:0]    dq_out,
    input  wire               dq_drive,
    output reg  [DATA-1:0]    dq_in,
    output wire               sdram_clk,
    output wire               sdram_cke,
    output wire               sdram_cs_n,
    output wire               sdram_ras_n,
    output wire               sdram_cas_n,
    output wire               sdram_we_n,
    output wire [1:0]         sdram_ba,
    output wire [ADDRESS-1:0] sdram_a,
    inout  wire [DATA-1:0]    sdram_dq,
    output wire [DATA/8-1:0]  sdram_dqm
);
    localparam OUT = 3 + 2 + ADDRESS;
    wire [OUT-1:0] given = {command, bank, address[ADDRESS-1:0]}, level;
    assign {sdram_ras_n, sdram_cas_n, sdram_we_n, sdram_ba, sdram_a} = level;
    assign sdram_cke = 1'b1;
    assign sdram_cs_n = 1'b0;
    assign sdram_dqm = {DATA/8{1'b0}};

    ODDR clock (.CLK(clk), .TX(1'b0), .D0(1'b0), .D1(1'b1), .Q0(sdram_clk));

    genvar line;
    generate
        for (line = 0; line < OUT; line = line + 1) begin : out
            // Set at first: no command.
            wire q;
            (* keep *) DFFS register (.CLK(clk), .SET(1'b0), .D(given[line]), .Q(q));
            (* IOBFF = 1 *) OBUF pad (.I(q), .O(level[line]));
        end
        for (line = 0; line < DATA; line = line + 1) begin : io
            wire i, o, released, seen;
            (* keep *) DFF register (.CLK(clk), .D(dq_out[line]), .Q(o));
            (* keep *) DFFS enable (.CLK(clk), .SET(1'b0), .D(~dq_drive), .Q(released));
            IOBUF pad (.IO(sdram_dq[line]), .I(o), .OEN(released), .O(i));
            (* keep *) DFFN first (.CLK(clk), .D(i), .Q(seen));
            always @(posedge clk) dq_in[line] <= seen;
        end
    endgenerate
endmodule
`default_nettype wire
