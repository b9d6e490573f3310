// One port: a word is written or read in a cycle; r_data is valid LATENCY cycles after an address that is not written:
// 1, or 2 with an output register.
// What is read in the cycle of a write is undefined, and so are contents before the first write.
// Behavioural twin for simulation and unknown targets; a family's module of the same name replaces it.
`default_nettype none
module mbconv_single_port_ram #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1,
    parameter LATENCY = 2
) (
    input  wire                     clk,
    input  wire                     w_en,
    input  wire [ADDRESS_WIDTH-1:0] addr,
    input  wire [WIDTH-1:0]         w_data,
    output wire [WIDTH-1:0]         r_data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [WIDTH-1:0] word;
    always @(posedge clk) begin
        if (w_en) begin
            words[addr] <= w_data;
            word <= {WIDTH{1'bx}};
        end else word <= words[addr];
    end
    generate
        if (LATENCY == 1) begin : memory_alone
            assign r_data = word;
        end else begin : output_register
            reg [WIDTH-1:0] register;
            always @(posedge clk) register <= word;
            assign r_data = register;
        end
    endgenerate
endmodule
`default_nettype wire
