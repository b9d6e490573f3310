// Constant words from a hexadecimal file; data is valid two cycles after addr, counted in cycles with en
// (memory and output register both hold while en is low).
// Behavioural twin for simulation and unknown targets; a family's file of the same name replaces it with equal latency.
`default_nettype none
module mbconv_rom #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1,
    parameter FILE = ""
) (
    input  wire                     clk,
    input  wire                     en,
    input  wire [ADDRESS_WIDTH-1:0] addr,
    output reg  [WIDTH-1:0]         data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [WIDTH-1:0] word;
    generate
        if (FILE != "") begin : contents  // synthesis tools also look at the module alone
            initial $readmemh(FILE, words);
        end
    endgenerate
    always @(posedge clk) begin
        if (en) begin
            word <= words[addr];
            data <= word;
        end
    end
endmodule
`default_nettype wire
