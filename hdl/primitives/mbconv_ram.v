// One write port and one read port; r_data is valid LATENCY cycles after r_addr: 1, or 2 with an output register.
// A word written in one cycle may be read by an address given in the next; the word of an address that is given in the
// cycle of its write is undefined, and so are contents before the first write.
// Behavioural twin for simulation and unknown targets; a family's file of the same name replaces it with equal latency.
`default_nettype none
module mbconv_ram #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1,
    parameter LATENCY = 2
) (
    input  wire                     clk,
    input  wire                     w_en,
    input  wire [ADDRESS_WIDTH-1:0] w_addr,
    input  wire [WIDTH-1:0]         w_data,
    input  wire [ADDRESS_WIDTH-1:0] r_addr,
    output wire [WIDTH-1:0]         r_data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [WIDTH-1:0] word;
    always @(posedge clk) begin
        if (w_en) words[w_addr] <= w_data;
        if (w_en && w_addr == r_addr) word <= {WIDTH{1'bx}};
        else word <= words[r_addr];
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
