// One write port and one read port; r_data is valid two cycles after r_addr (memory and output register).
// A word written in one cycle may be read by an address given in the next; contents are undefined before the first write.
// Behavioural twin for simulation and unknown targets; a family's file of the same name replaces it with equal latency.
`default_nettype none
module mbconv_ram #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1
) (
    input  wire                     clk,
    input  wire                     w_en,
    input  wire [ADDRESS_WIDTH-1:0] w_addr,
    input  wire [WIDTH-1:0]         w_data,
    input  wire [ADDRESS_WIDTH-1:0] r_addr,
    output reg  [WIDTH-1:0]         r_data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [WIDTH-1:0] word;
    always @(posedge clk) begin
        if (w_en) words[w_addr] <= w_data;
        word <= words[r_addr];
        r_data <= word;
    end
endmodule
`default_nettype wire
