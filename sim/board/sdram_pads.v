// The pads of an SDRAM as they are on a board: every line through a register in either direction; the device's clock is
// the circuit's, inverted, and what it gives is taken with the falling edge.
`default_nettype none
module mbconv_sdram_pads #(
    parameter DATA = 16
) (
    input  wire              clk,
    input  wire [2:0]        command,
    input  wire [1:0]        bank,
    input  wire [12:0]       address,
    input  wire [DATA-1:0]   dq_out,
    input  wire              dq_drive,
    output reg  [DATA-1:0]   dq_in,
    output wire              sdram_clk,
    output wire              sdram_cke,
    output wire              sdram_cs_n,
    output reg               sdram_ras_n,
    output reg               sdram_cas_n,
    output reg               sdram_we_n,
    output reg  [1:0]        sdram_ba,
    output reg  [12:0]       sdram_a,
    inout  wire [DATA-1:0]   sdram_dq,
    output wire [DATA/8-1:0] sdram_dqm
);
    reg [DATA-1:0] level = 0, seen = 0;
    reg driven = 1'b0;
    assign sdram_clk = ~clk;
    assign sdram_cke = 1'b1;
    assign sdram_cs_n = 1'b0;
    assign sdram_dqm = 0;
    assign sdram_dq = driven ? level : {DATA{1'bz}};
    initial {sdram_ras_n, sdram_cas_n, sdram_we_n} = 3'b111;
    always @(posedge clk) begin
        {sdram_ras_n, sdram_cas_n, sdram_we_n} <= command;
        sdram_ba <= bank;
        sdram_a <= address;
        level <= dq_out;
        driven <= dq_drive;
        dq_in <= seen;
    end
    always @(negedge clk) seen <= sdram_dq;
endmodule
`default_nettype wire
