// A simulation model of Nexus' PDPSC16K, which Yosys has as a black box only: for the check of a netlist against the golden
// model. It is written apart from the behavioural twins in hdl/primitives and shares no code with them. Verilator's two
// states are enough: what is undefined in the cell is made visibly wrong here.
//
// What it is written from: Yosys' memory mapping for this cell (techlibs/lattice/brams_map_nexus.v: address bits, byte
// enables, order and 10-bit spacing of INITVAL) and the port and parameter list of its black box. Lattice describes the
// cell in FPGA-TN-02094 (memory usage guide of Nexus), which was not at hand where this was written.
//
// Only what the wrappers use exists here: a netlist with another parameter or pin does not compile, or stops.
`default_nettype none

// 18,432 bits as 2,048 bytes of 9 bits. One port writes and one reads, both of one width: 1, 2 or 4 bytes (9, 18, 36
// bits), or 4, 2 or 1 of a byte's low 8 bits. Address bits below a word's are byte enables of a write at 18 and 36 bits.
// A word that is read while it is written is undefined: here the complement of the old one.
module PDPSC16K #(
    parameter DATA_WIDTH_W = "X36", parameter DATA_WIDTH_R = "X36", parameter OUTREG = "BYPASSED",
    parameter RESETMODE = "SYNC", parameter GSR = "ENABLED", parameter ECC = "DISABLED",
    parameter CSDECODE_W = "000", parameter CSDECODE_R = "000", parameter ASYNC_RST_RELEASE = "SYNC",
    parameter [655:0] NO = "",
    parameter [655:0] INITVAL_00 = NO, parameter [655:0] INITVAL_01 = NO,
    parameter [655:0] INITVAL_02 = NO, parameter [655:0] INITVAL_03 = NO,
    parameter [655:0] INITVAL_04 = NO, parameter [655:0] INITVAL_05 = NO,
    parameter [655:0] INITVAL_06 = NO, parameter [655:0] INITVAL_07 = NO,
    parameter [655:0] INITVAL_08 = NO, parameter [655:0] INITVAL_09 = NO,
    parameter [655:0] INITVAL_0A = NO, parameter [655:0] INITVAL_0B = NO,
    parameter [655:0] INITVAL_0C = NO, parameter [655:0] INITVAL_0D = NO,
    parameter [655:0] INITVAL_0E = NO, parameter [655:0] INITVAL_0F = NO,
    parameter [655:0] INITVAL_10 = NO, parameter [655:0] INITVAL_11 = NO,
    parameter [655:0] INITVAL_12 = NO, parameter [655:0] INITVAL_13 = NO,
    parameter [655:0] INITVAL_14 = NO, parameter [655:0] INITVAL_15 = NO,
    parameter [655:0] INITVAL_16 = NO, parameter [655:0] INITVAL_17 = NO,
    parameter [655:0] INITVAL_18 = NO, parameter [655:0] INITVAL_19 = NO,
    parameter [655:0] INITVAL_1A = NO, parameter [655:0] INITVAL_1B = NO,
    parameter [655:0] INITVAL_1C = NO, parameter [655:0] INITVAL_1D = NO,
    parameter [655:0] INITVAL_1E = NO, parameter [655:0] INITVAL_1F = NO,
    parameter [655:0] INITVAL_20 = NO, parameter [655:0] INITVAL_21 = NO,
    parameter [655:0] INITVAL_22 = NO, parameter [655:0] INITVAL_23 = NO,
    parameter [655:0] INITVAL_24 = NO, parameter [655:0] INITVAL_25 = NO,
    parameter [655:0] INITVAL_26 = NO, parameter [655:0] INITVAL_27 = NO,
    parameter [655:0] INITVAL_28 = NO, parameter [655:0] INITVAL_29 = NO,
    parameter [655:0] INITVAL_2A = NO, parameter [655:0] INITVAL_2B = NO,
    parameter [655:0] INITVAL_2C = NO, parameter [655:0] INITVAL_2D = NO,
    parameter [655:0] INITVAL_2E = NO, parameter [655:0] INITVAL_2F = NO,
    parameter [655:0] INITVAL_30 = NO, parameter [655:0] INITVAL_31 = NO,
    parameter [655:0] INITVAL_32 = NO, parameter [655:0] INITVAL_33 = NO,
    parameter [655:0] INITVAL_34 = NO, parameter [655:0] INITVAL_35 = NO,
    parameter [655:0] INITVAL_36 = NO, parameter [655:0] INITVAL_37 = NO,
    parameter [655:0] INITVAL_38 = NO, parameter [655:0] INITVAL_39 = NO,
    parameter [655:0] INITVAL_3A = NO, parameter [655:0] INITVAL_3B = NO,
    parameter [655:0] INITVAL_3C = NO, parameter [655:0] INITVAL_3D = NO,
    parameter [655:0] INITVAL_3E = NO, parameter [655:0] INITVAL_3F = NO
) (
    input wire CLK, CEW, CER, RST,
    input wire [2:0] CSW, CSR,
    input wire [13:0] ADW, ADR,
    input wire [35:0] DI,
    output wire [35:0] DO,
    output wire ONEBITERR, TWOBITERR
);
    localparam BITS = DATA_WIDTH_R == "X36" ? 36 : DATA_WIDTH_R == "X18" ? 18 : DATA_WIDTH_R == "X9" ? 9
        : DATA_WIDTH_R == "X4" ? 4 : DATA_WIDTH_R == "X2" ? 2 : 1;
    localparam BYTES = BITS == 36 ? 4 : BITS == 18 ? 2 : 1;
    localparam OFFSET = // the lowest address bit that belongs to a word's number
        BITS == 36 ? 5 : BITS == 18 ? 4 : BITS == 9 ? 3 : BITS == 4 ? 2 : BITS == 2 ? 1 : 0;
    localparam [8:0] MASK = BITS >= 9 ? 9'h1FF : (9'd1 << BITS) - 9'd1;
    generate
        if (DATA_WIDTH_W != DATA_WIDTH_R || OUTREG != "BYPASSED" || GSR != "DISABLED" || ECC != "DISABLED"
            || CSDECODE_W != "111" || CSDECODE_R != "111") begin : refuse
            PDPSC16K_is_modelled_for_other_parameters wrong ();
        end
    endgenerate
    assign {ONEBITERR, TWOBITERR} = 2'b00;

    reg [8:0] bytes [0:2047];
    // Each is "0x" and 80 hexadecimal digits: 32 bytes, each in 10 bits.
    localparam [64*656-1:0] CONTENTS = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};
    integer row, place;
    reg [319:0] bits;
    reg [7:0] digit;
    initial
        if (CONTENTS[647:640] == "x")
            for (row = 0; row < 64; row = row + 1) begin
                for (place = 0; place < 80; place = place + 1) begin
                    digit = CONTENTS[656 * row + 8 * place +: 8];
                    bits[4 * place +: 4] = digit[3:0] + (digit[6] ? 4'd9 : 4'd0);
                end
                for (place = 0; place < 32; place = place + 1) bytes[32 * row + place] = bits[10 * place +: 9];
            end

    // A word's first byte, and where in it a word of less than 9 bits begins.
    wire [10:0] first_w = {ADW[13:OFFSET], {OFFSET{1'b0}}} >> 3;
    wire [10:0] first_r = {ADR[13:OFFSET], {OFFSET{1'b0}}} >> 3;
    wire [2:0] place_w = OFFSET < 3 ? {ADW[13:OFFSET], {OFFSET{1'b0}}} : 3'd0;
    wire [2:0] place_r = OFFSET < 3 ? {ADR[13:OFFSET], {OFFSET{1'b0}}} : 3'd0;
    wire written = CEW & CSW == 3'b111;
    wire [3:0] enables = {4{written}} & (BYTES == 4 ? ADW[3:0] : BYTES == 2 ? {2'b00, ADW[1:0]} : 4'b0001);
    wire [8:0] mask = MASK << place_w;
    wire [35:0] data = DI << place_w;
    integer i;
    always @(posedge CLK)
        for (i = 0; i < BYTES; i = i + 1)
            if (enables[i])
                bytes[first_w + i[10:0]] <= (bytes[first_w + i[10:0]] & ~mask) | (data[9*i +: 9] & mask);

    wire collision = enables != 0 && ADW[13:OFFSET] == ADR[13:OFFSET];
    // Pins above a narrow word are not defined either.
    wire [35:0] undefined = BITS == 36 ? 36'd0 : ~36'd0 << BITS;
    wire [35:0] around = {bytes[first_r + 11'd3], bytes[first_r + 11'd2], bytes[first_r + 11'd1], bytes[first_r]};
    reg [35:0] latch;
    always @(posedge CLK)
        if (RST) latch <= 36'd0;
        else if (CER & CSR == 3'b111) latch <= {36{collision}} ^ (around >> place_r | undefined);
    assign DO = latch;
endmodule
`default_nettype wire
