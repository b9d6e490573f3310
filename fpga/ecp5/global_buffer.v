// nextpnr-ecp5 puts clocks on the global wires, and whatever else a DCCA drives: eight of the sixteen reach a register's
// reset. Without it the reset of a whole network is routed as any other signal, 11 ns across an LFE5U-85F.
`default_nettype none
module mbconv_global_buffer (
    input  wire i,
    output wire o
);
    DCCA buffer (.CLKI(i), .CE(1'b1), .CLKO(o));
endmodule
`default_nettype wire
