// The memory of weights outside an engine, in a simulation. Written here since a Verilog of Amaranth's would state a
// value for each of its words, which takes minutes to convert.
module mbconv_weight_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1
) (
    input wire clk,
    input wire w_en,
    input wire [ADDRESS_WIDTH-1:0] w_addr,
    input wire [WIDTH-1:0] w_data,
    input wire [ADDRESS_WIDTH-1:0] r_addr,
    output wire [WIDTH-1:0] r_data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    assign r_data = words[r_addr];
    always @(posedge clk)
        if (w_en) words[w_addr] <= w_data;
endmodule
