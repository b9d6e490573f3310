// Simulation models of Gowin's MULT9X9 and BSRAM cells, which Yosys has as black boxes only: for the check of a netlist
// against the golden model. They are written apart from the behavioural twins in hdl/primitives and share no code with
// them. Verilator's two states are enough: what is undefined in the cell is made visibly wrong here.
//
// What they are written from: Yosys' memory mapping for these cells (techlibs/gowin/brams_map.v: address bits, byte
// enables, contents) and the port and parameter lists of its black boxes (cells_xtra_gw1n.v). Gowin describes the cells in
// UG285 (BSRAM) and UG287 (DSP); neither was at hand where this was written, so no sentence is checked against them. From
// general knowledge of the family: READ_MODE 1 puts an output register, enabled by OCE, behind the memory's latch,
// which CE enables; the registers AREG, BREG, PIPE_REG and OUT_REG of a multiplier follow each other.
//
// Only what the wrappers use exists here: a netlist with another parameter or pin does not compile, or stops.
`default_nettype none

// Product of two 9-bit operands, each signed or unsigned, with up to three registers.
module MULT9X9 #(
    parameter AREG = 1'b0, parameter BREG = 1'b0, parameter OUT_REG = 1'b0, parameter PIPE_REG = 1'b0,
    parameter ASIGN_REG = 1'b0, parameter BSIGN_REG = 1'b0, parameter SOA_REG = 1'b0, parameter MULT_RESET_MODE = "SYNC"
) (
    input wire [8:0] A, SIA, B, SIB,
    input wire ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output wire [17:0] DOUT,
    output wire [8:0] SOA, SOB
);
    generate
        if (SOA_REG != 0 || MULT_RESET_MODE != "SYNC" || ASIGN_REG != AREG || BSIGN_REG != BREG) begin : refuse
            MULT9X9_is_modelled_for_other_parameters wrong ();
        end
    endgenerate
    // An operand from the shift chain is not modelled.
    wire [9:0] a_in = ASEL ? ~{1'b0, A} : {ASIGN & A[8], A};
    wire [9:0] b_in = BSEL ? ~{1'b0, B} : {BSIGN & B[8], B};
    reg [9:0] a_register, b_register;
    reg [17:0] pipeline_register, output_register;
    wire signed [19:0] a = AREG ? {{10{a_register[9]}}, a_register} : {{10{a_in[9]}}, a_in};
    wire signed [19:0] b = BREG ? {{10{b_register[9]}}, b_register} : {{10{b_in[9]}}, b_in};
    wire [19:0] product = a * b;
    wire [17:0] stage = PIPE_REG ? pipeline_register : product[17:0];
    always @(posedge CLK)
        if (RESET) {a_register, b_register, pipeline_register, output_register} <= 56'd0;
        else if (CE) begin
            a_register <= a_in;
            b_register <= b_in;
            pipeline_register <= product[17:0];
            output_register <= stage;
        end
    assign DOUT = OUT_REG ? output_register : stage;
    assign {SOA, SOB} = 18'd0;
endmodule

// A constant memory of 2,048 bytes of BYTE bits, in words of one, two or four bytes, or of 4, 2 or 1 of a byte's low bits.
// Pins above a narrow word are not defined.
module gowin_rom #(
    parameter BYTE = 8, parameter BITS = 8, parameter READ_MODE = 1'b0, parameter [2048*BYTE-1:0] INITIAL = 0
) (
    input wire clk, enable, output_enable, reset,
    input wire [13:0] address,
    output wire [4*BYTE-1:0] data
);
    localparam OFFSET = // the lowest address bit that belongs to a word's number
        BITS == 4 * BYTE ? 5 : BITS == 2 * BYTE ? 4 : BITS == BYTE ? 3 : BITS == 4 ? 2 : BITS == 2 ? 1 : 0;
    localparam WORDS = 16384 >> OFFSET;
    reg [BITS-1:0] words [0:WORDS-1];
    integer n;
    initial for (n = 0; n < WORDS; n = n + 1) words[n] = INITIAL[n*BITS +: BITS];
    reg [BITS-1:0] latch, register;
    always @(posedge clk)
        if (reset) {latch, register} <= 0;
        else begin
            if (enable) latch <= words[address[13:OFFSET]];
            if (output_enable) register <= latch;
        end
    assign data = {{4*BYTE{1'b1}}, READ_MODE ? register : latch};
endmodule

// As much memory without contents: one port writes and one reads, both of one width. A word that is read while it is
// written is undefined: here the complement of the old one. A word is undefined before it is written. Address bits below
// a word of two or four bytes are the write port's byte enables.
module gowin_ram #(
    parameter BYTE = 8, parameter BITS = 8, parameter READ_MODE = 1'b0
) (
    input wire w_clk, w_enable,
    input wire [13:0] w_address,
    input wire [4*BYTE-1:0] w_data,
    input wire r_clk, r_enable, output_enable, reset,
    input wire [13:0] r_address,
    output wire [4*BYTE-1:0] r_data
);
    localparam OFFSET = // the lowest address bit that belongs to a word's number
        BITS == 4 * BYTE ? 5 : BITS == 2 * BYTE ? 4 : BITS == BYTE ? 3 : BITS == 4 ? 2 : BITS == 2 ? 1 : 0;
    reg [BITS-1:0] words [0:(16384 >> OFFSET)-1];
    wire [BITS-1:0] enabled;
    genvar i;
    generate
        for (i = 0; i < BITS; i = i + 1) begin : enable
            assign enabled[i] = BITS < 2 * BYTE ? 1'b1 : w_address[i / BYTE];
        end
    endgenerate
    wire [BITS-1:0] word = words[r_address[13:OFFSET]];
    wire collision = w_enable && w_address[13:OFFSET] == r_address[13:OFFSET];
    reg [BITS-1:0] latch, register;
    always @(posedge w_clk)
        if (w_enable) words[w_address[13:OFFSET]] <= words[w_address[13:OFFSET]] & ~enabled | w_data[BITS-1:0] & enabled;
    always @(posedge r_clk)
        if (reset) {latch, register} <= 0;
        else begin
            if (r_enable) latch <= {BITS{collision}} ^ word;
            if (output_enable) register <= latch;
        end
    assign r_data = {{4*BYTE{1'b1}}, READ_MODE ? register : latch};
endmodule

// Words of 9, 18 or 36 bits one behind the other.
module pROMX9 #(
    parameter READ_MODE = 1'b0, parameter BIT_WIDTH = 36, parameter RESET_MODE = "SYNC",
    parameter [287:0] INIT_RAM_00 = 0, parameter [287:0] INIT_RAM_01 = 0, parameter [287:0] INIT_RAM_02 = 0,
    parameter [287:0] INIT_RAM_03 = 0, parameter [287:0] INIT_RAM_04 = 0, parameter [287:0] INIT_RAM_05 = 0,
    parameter [287:0] INIT_RAM_06 = 0, parameter [287:0] INIT_RAM_07 = 0, parameter [287:0] INIT_RAM_08 = 0,
    parameter [287:0] INIT_RAM_09 = 0, parameter [287:0] INIT_RAM_0A = 0, parameter [287:0] INIT_RAM_0B = 0,
    parameter [287:0] INIT_RAM_0C = 0, parameter [287:0] INIT_RAM_0D = 0, parameter [287:0] INIT_RAM_0E = 0,
    parameter [287:0] INIT_RAM_0F = 0, parameter [287:0] INIT_RAM_10 = 0, parameter [287:0] INIT_RAM_11 = 0,
    parameter [287:0] INIT_RAM_12 = 0, parameter [287:0] INIT_RAM_13 = 0, parameter [287:0] INIT_RAM_14 = 0,
    parameter [287:0] INIT_RAM_15 = 0, parameter [287:0] INIT_RAM_16 = 0, parameter [287:0] INIT_RAM_17 = 0,
    parameter [287:0] INIT_RAM_18 = 0, parameter [287:0] INIT_RAM_19 = 0, parameter [287:0] INIT_RAM_1A = 0,
    parameter [287:0] INIT_RAM_1B = 0, parameter [287:0] INIT_RAM_1C = 0, parameter [287:0] INIT_RAM_1D = 0,
    parameter [287:0] INIT_RAM_1E = 0, parameter [287:0] INIT_RAM_1F = 0, parameter [287:0] INIT_RAM_20 = 0,
    parameter [287:0] INIT_RAM_21 = 0, parameter [287:0] INIT_RAM_22 = 0, parameter [287:0] INIT_RAM_23 = 0,
    parameter [287:0] INIT_RAM_24 = 0, parameter [287:0] INIT_RAM_25 = 0, parameter [287:0] INIT_RAM_26 = 0,
    parameter [287:0] INIT_RAM_27 = 0, parameter [287:0] INIT_RAM_28 = 0, parameter [287:0] INIT_RAM_29 = 0,
    parameter [287:0] INIT_RAM_2A = 0, parameter [287:0] INIT_RAM_2B = 0, parameter [287:0] INIT_RAM_2C = 0,
    parameter [287:0] INIT_RAM_2D = 0, parameter [287:0] INIT_RAM_2E = 0, parameter [287:0] INIT_RAM_2F = 0,
    parameter [287:0] INIT_RAM_30 = 0, parameter [287:0] INIT_RAM_31 = 0, parameter [287:0] INIT_RAM_32 = 0,
    parameter [287:0] INIT_RAM_33 = 0, parameter [287:0] INIT_RAM_34 = 0, parameter [287:0] INIT_RAM_35 = 0,
    parameter [287:0] INIT_RAM_36 = 0, parameter [287:0] INIT_RAM_37 = 0, parameter [287:0] INIT_RAM_38 = 0,
    parameter [287:0] INIT_RAM_39 = 0, parameter [287:0] INIT_RAM_3A = 0, parameter [287:0] INIT_RAM_3B = 0,
    parameter [287:0] INIT_RAM_3C = 0, parameter [287:0] INIT_RAM_3D = 0, parameter [287:0] INIT_RAM_3E = 0,
    parameter [287:0] INIT_RAM_3F = 0
) (
    input wire CLK, CE, OCE, RESET,
    input wire [13:0] AD,
    output wire [35:0] DO
);
    localparam [18431:0] INITIAL = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
        INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
        INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
        INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
        INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
        INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    gowin_rom #(.BYTE(9), .BITS(BIT_WIDTH), .READ_MODE(READ_MODE), .INITIAL(INITIAL)) memory (
        .clk(CLK), .enable(CE), .output_enable(OCE), .reset(RESET), .address(AD), .data(DO)
    );
endmodule

// Words of 1, 2 or 4 bits one behind the other.
module pROM #(
    parameter READ_MODE = 1'b0, parameter BIT_WIDTH = 32, parameter RESET_MODE = "SYNC",
    parameter [255:0] INIT_RAM_00 = 0, parameter [255:0] INIT_RAM_01 = 0, parameter [255:0] INIT_RAM_02 = 0,
    parameter [255:0] INIT_RAM_03 = 0, parameter [255:0] INIT_RAM_04 = 0, parameter [255:0] INIT_RAM_05 = 0,
    parameter [255:0] INIT_RAM_06 = 0, parameter [255:0] INIT_RAM_07 = 0, parameter [255:0] INIT_RAM_08 = 0,
    parameter [255:0] INIT_RAM_09 = 0, parameter [255:0] INIT_RAM_0A = 0, parameter [255:0] INIT_RAM_0B = 0,
    parameter [255:0] INIT_RAM_0C = 0, parameter [255:0] INIT_RAM_0D = 0, parameter [255:0] INIT_RAM_0E = 0,
    parameter [255:0] INIT_RAM_0F = 0, parameter [255:0] INIT_RAM_10 = 0, parameter [255:0] INIT_RAM_11 = 0,
    parameter [255:0] INIT_RAM_12 = 0, parameter [255:0] INIT_RAM_13 = 0, parameter [255:0] INIT_RAM_14 = 0,
    parameter [255:0] INIT_RAM_15 = 0, parameter [255:0] INIT_RAM_16 = 0, parameter [255:0] INIT_RAM_17 = 0,
    parameter [255:0] INIT_RAM_18 = 0, parameter [255:0] INIT_RAM_19 = 0, parameter [255:0] INIT_RAM_1A = 0,
    parameter [255:0] INIT_RAM_1B = 0, parameter [255:0] INIT_RAM_1C = 0, parameter [255:0] INIT_RAM_1D = 0,
    parameter [255:0] INIT_RAM_1E = 0, parameter [255:0] INIT_RAM_1F = 0, parameter [255:0] INIT_RAM_20 = 0,
    parameter [255:0] INIT_RAM_21 = 0, parameter [255:0] INIT_RAM_22 = 0, parameter [255:0] INIT_RAM_23 = 0,
    parameter [255:0] INIT_RAM_24 = 0, parameter [255:0] INIT_RAM_25 = 0, parameter [255:0] INIT_RAM_26 = 0,
    parameter [255:0] INIT_RAM_27 = 0, parameter [255:0] INIT_RAM_28 = 0, parameter [255:0] INIT_RAM_29 = 0,
    parameter [255:0] INIT_RAM_2A = 0, parameter [255:0] INIT_RAM_2B = 0, parameter [255:0] INIT_RAM_2C = 0,
    parameter [255:0] INIT_RAM_2D = 0, parameter [255:0] INIT_RAM_2E = 0, parameter [255:0] INIT_RAM_2F = 0,
    parameter [255:0] INIT_RAM_30 = 0, parameter [255:0] INIT_RAM_31 = 0, parameter [255:0] INIT_RAM_32 = 0,
    parameter [255:0] INIT_RAM_33 = 0, parameter [255:0] INIT_RAM_34 = 0, parameter [255:0] INIT_RAM_35 = 0,
    parameter [255:0] INIT_RAM_36 = 0, parameter [255:0] INIT_RAM_37 = 0, parameter [255:0] INIT_RAM_38 = 0,
    parameter [255:0] INIT_RAM_39 = 0, parameter [255:0] INIT_RAM_3A = 0, parameter [255:0] INIT_RAM_3B = 0,
    parameter [255:0] INIT_RAM_3C = 0, parameter [255:0] INIT_RAM_3D = 0, parameter [255:0] INIT_RAM_3E = 0,
    parameter [255:0] INIT_RAM_3F = 0
) (
    input wire CLK, CE, OCE, RESET,
    input wire [13:0] AD,
    output wire [31:0] DO
);
    localparam [16383:0] INITIAL = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
        INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
        INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
        INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
        INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
        INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00};
    gowin_rom #(.BYTE(8), .BITS(BIT_WIDTH), .READ_MODE(READ_MODE), .INITIAL(INITIAL)) memory (
        .clk(CLK), .enable(CE), .output_enable(OCE), .reset(RESET), .address(AD), .data(DO)
    );
endmodule

// Words of 9, 18 or 36 bits, written and read.
module SDPX9B #(
    parameter READ_MODE = 1'b0, parameter BIT_WIDTH_0 = 36, parameter BIT_WIDTH_1 = 36,
    parameter BLK_SEL_0 = 3'b000, parameter BLK_SEL_1 = 3'b000, parameter RESET_MODE = "SYNC"
) (
    input wire CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input wire [13:0] ADA, ADB,
    input wire [2:0] BLKSELA, BLKSELB,
    input wire [35:0] DI,
    output wire [35:0] DO
);
    generate
        if (BIT_WIDTH_0 != BIT_WIDTH_1 || BLK_SEL_0 != 0 || BLK_SEL_1 != 0) begin : refuse
            SDPX9B_is_modelled_for_other_parameters wrong ();
        end
    endgenerate
    gowin_ram #(.BYTE(9), .BITS(BIT_WIDTH_0), .READ_MODE(READ_MODE)) memory (
        .w_clk(CLKA), .w_enable(CEA & BLKSELA == 0), .w_address(ADA), .w_data(DI),
        .r_clk(CLKB), .r_enable(CEB & BLKSELB == 0), .output_enable(OCE), .reset(RESETB), .r_address(ADB), .r_data(DO)
    );
endmodule

// Words of 1, 2 or 4 bits, written and read.
module SDPB #(
    parameter READ_MODE = 1'b0, parameter BIT_WIDTH_0 = 32, parameter BIT_WIDTH_1 = 32,
    parameter BLK_SEL_0 = 3'b000, parameter BLK_SEL_1 = 3'b000, parameter RESET_MODE = "SYNC"
) (
    input wire CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input wire [13:0] ADA, ADB,
    input wire [2:0] BLKSELA, BLKSELB,
    input wire [31:0] DI,
    output wire [31:0] DO
);
    generate
        if (BIT_WIDTH_0 != BIT_WIDTH_1 || BLK_SEL_0 != 0 || BLK_SEL_1 != 0) begin : refuse
            SDPB_is_modelled_for_other_parameters wrong ();
        end
    endgenerate
    gowin_ram #(.BYTE(8), .BITS(BIT_WIDTH_0), .READ_MODE(READ_MODE)) memory (
        .w_clk(CLKA), .w_enable(CEA & BLKSELA == 0), .w_address(ADA), .w_data(DI),
        .r_clk(CLKB), .r_enable(CEB & BLKSELB == 0), .output_enable(OCE), .reset(RESETB), .r_address(ADB), .r_data(DO)
    );
endmodule
`default_nettype wire
