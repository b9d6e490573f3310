// Constant words from a hexadecimal file; data is valid LATENCY cycles after addr, counted in cycles with en (memory and,
// with a latency of 2, output register both hold while en is low).
// Behavioural twin for simulation and unknown targets; a family's file of the same name replaces it with equal latency.
`default_nettype none
module mbconv_rom #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1,
    parameter LATENCY = 2,
    parameter FILE = ""
) (
    input  wire                     clk,
    input  wire                     en,
    input  wire [ADDRESS_WIDTH-1:0] addr,
    output wire [WIDTH-1:0]         data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [WIDTH-1:0] word;
    generate
        if (FILE != "") begin : contents  // synthesis tools also look at the module alone
            initial $readmemh(FILE, words);
        end
    endgenerate
    always @(posedge clk) if (en) word <= words[addr];
    generate
        if (LATENCY == 1) begin : memory_alone
            assign data = word;
        end else begin : output_register
            reg [WIDTH-1:0] register;
            always @(posedge clk) if (en) register <= word;
            assign data = register;
        end
    endgenerate
endmodule
`default_nettype wire
