// A signal for thousands of loads all over the chip: nothing but a wire here. A family whose place and route wants a cell
// before its global wires replaces it by a file of the same name.
`default_nettype none
module mbconv_global_buffer (
    input  wire i,
    output wire o
);
    assign o = i;
endmodule
`default_nettype wire
