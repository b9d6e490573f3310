// The pads of an SDRAM on an ECP5: every line through a register of its pad, the device's clock is the circuit's,
// inverted by the pad's register for both edges. What the device gives is taken with the falling edge, when the device
// takes the next command: between 9 ns after the edge before and 6 ns after this one, and passes a register of the
// fabric.
`default_nettype none
module mbconv_sdram_pads #(
    parameter DATA = 16,
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
    wire [OUT-1:0] level;
    assign {sdram_ras_n, sdram_cas_n, sdram_we_n, sdram_ba, sdram_a} = level;
    assign sdram_cke = 1'b1;
    assign sdram_cs_n = 1'b0;
    assign sdram_dqm = {DATA/8{1'b0}};

    ODDRX1F clock (.SCLK(clk), .RST(1'b0), .D0(1'b0), .D1(1'b1), .Q(sdram_clk));

    wire [OUT-1:0] given = {command, bank, address[ADDRESS-1:0]};
    genvar line;
    generate
        for (line = 0; line < OUT; line = line + 1) begin : out
            mbconv_ecp5_out_register #(.SET(line >= OUT - 3)) register (.clk(clk), .d(given[line]), .q(level[line]));
        end
        for (line = 0; line < DATA; line = line + 1) begin : io
            wire o, t, i, seen;
            mbconv_ecp5_out_register #(.SET(0)) register (.clk(clk), .d(dq_out[line]), .q(o));
            mbconv_ecp5_out_register #(.SET(1)) enable (.clk(clk), .d(~dq_drive), .q(t));
            BB pad (.B(sdram_dq[line]), .I(o), .T(t), .O(i));
            (* syn_useioff, ioff_dir = "input" *)
            TRELLIS_FF #(
                .GSR("DISABLED"), .CEMUX("1"), .CLKMUX("INV"), .LSRMUX("LSR"), .SRMODE("ASYNC"), .REGSET("RESET")
            ) first (.CLK(clk), .LSR(1'b0), .DI(i), .Q(seen));
            always @(posedge clk) dq_in[line] <= seen;
        end
    endgenerate
endmodule

// A register of a pad, towards it.
module mbconv_ecp5_out_register #(
    parameter SET = 0
) (
    input  wire clk,
    input  wire d,
    output wire q
);
    (* syn_useioff, ioff_dir = "output" *)
    TRELLIS_FF #(
        .GSR("DISABLED"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), .SRMODE("ASYNC"),
        .REGSET(SET ? "SET" : "RESET")
    ) register (.CLK(clk), .LSR(1'b0), .DI(d), .Q(q));
endmodule
`default_nettype wire
