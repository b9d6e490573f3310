// Simulation models of ECP5's MULT18X18D, DP16KD and DCCA, which Yosys has as black boxes only: for the check of a netlist
// against the golden model. They are written apart from the behavioural twins in hdl/primitives and share no
// code with them (a file MULT18X18D.v with a Lattice notice was opened; none of its code is here). Verilator's two
// states are enough: what is undefined in the cell is made visibly wrong here.
//
// What they are written from. Lattice describes the cells in FPGA-TN-02205 (sysDSP usage guide) and FPGA-TN-02204
// (sysMEM, memory usage guide, formerly TN1264); the machine that this was written on reached neither text beyond
// TN1264's first page, so no sentence here is checked against them. What was read: Yosys' memory mapping for these
// cells (techlibs/lattice/brams_16kd.txt, brams_map_16kd.v: address bits, byte enables, halves of a 36-bit word, order
// and 20-bit spacing of INITVAL, port modes), nextpnr's packer (ecp5/pack.cc: PDPW16KD in terms of DP16KD, what an
// unconnected pin is), a FIFO that Lattice's generator wrote (which half of a word is which pins: .DO0(Q[18])),
// nextpnr's issues 422, 423, 435 and 789 (registers), and the port and parameter lists of Yosys' black boxes. Of the
// vendor's documents of the family's predecessors the parts that were reached: LatticeECP2/M data sheet (architecture,
// sysDSP: clock, enable and reset chosen from four at each input, pipeline and output register; operands extended by
// zeros or by their sign) and TN1182, LatticeECP3 sysDSP usage guide (figure 14-1: input registers, multipliers, pipeline
// registers, ALU, output registers). From general knowledge of the family, not from a text: that OCE alone enables
// the block RAM's output register. The wrappers do not depend on it: CE and OCE of a port that is read are the same signal.
//
// Only what the wrappers use exists here: a netlist with another parameter or pin does not compile.
`default_nettype none

// Product of two 18-bit operands, each signed or unsigned, with up to three registers. Synchronous reset.
module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", parameter REG_INPUTA_CE = "CE0", parameter REG_INPUTA_RST = "RST0",
    parameter REG_INPUTB_CLK = "NONE", parameter REG_INPUTB_CE = "CE0", parameter REG_INPUTB_RST = "RST0",
    parameter REG_INPUTC_CLK = "NONE",
    parameter REG_PIPELINE_CLK = "NONE", parameter REG_PIPELINE_CE = "CE0", parameter REG_PIPELINE_RST = "RST0",
    parameter REG_OUTPUT_CLK = "NONE", parameter REG_OUTPUT_CE = "CE0", parameter REG_OUTPUT_RST = "RST0",
    parameter GSR = "ENABLED", parameter MULT_BYPASS = "DISABLED", parameter SOURCEB_MODE = "B_SHIFT",
    parameter RESETMODE = "SYNC"
) (
    input wire CLK0, CE0, RST0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input wire A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input wire B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
    output wire P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17,
    output wire P18, P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
    generate
        if (REG_INPUTC_CLK != "NONE" || GSR != "DISABLED" || MULT_BYPASS != "DISABLED" || SOURCEB_MODE != "B_SHIFT"
            || RESETMODE != "SYNC"
            || REG_INPUTA_CE != "CE0" || REG_INPUTB_CE != "CE0" || REG_PIPELINE_CE != "CE0" || REG_OUTPUT_CE != "CE0"
            || REG_INPUTA_RST != "RST0" || REG_INPUTB_RST != "RST0" || REG_PIPELINE_RST != "RST0"
            || REG_OUTPUT_RST != "RST0") begin : refuse
            MULT18X18D_is_modelled_for_other_parameters wrong ();
        end
    endgenerate
    // An operand from the shift chain, which the pins SOURCEA and SOURCEB would select, is not modelled.
    wire [17:0] a_pins = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b_pins = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    wire [18:0] a_in = SOURCEA ? ~{1'b0, a_pins} : {SIGNEDA & A17, a_pins};
    wire [18:0] b_in = SOURCEB ? ~{1'b0, b_pins} : {SIGNEDB & B17, b_pins};
    reg [18:0] a_register, b_register;
    reg [35:0] pipeline_register, output_register;
    wire signed [37:0] a = REG_INPUTA_CLK == "CLK0" ? {{19{a_register[18]}}, a_register} : {{19{a_in[18]}}, a_in};
    wire signed [37:0] b = REG_INPUTB_CLK == "CLK0" ? {{19{b_register[18]}}, b_register} : {{19{b_in[18]}}, b_in};
    wire [37:0] product = a * b;
    wire [35:0] stage = REG_PIPELINE_CLK == "CLK0" ? pipeline_register : product[35:0];
    wire [35:0] p = REG_OUTPUT_CLK == "CLK0" ? output_register : stage;
    always @(posedge CLK0)
        if (RST0) {a_register, b_register, pipeline_register, output_register} <= 110'd0;
        else if (CE0) begin
            a_register <= a_in;
            b_register <= b_in;
            pipeline_register <= product[35:0];
            output_register <= stage;
        end
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
            P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p;
endmodule

// 18,432 bits as 2,048 bytes of 9 bits. Both ports have one width here: 1, 2 or 4 bytes (9, 18, 36 bits), or 4, 2 or 1
// of a byte's low 8 bits. Address bits below a word's are byte enables of a write at 18 and 36 bits. Port A reads or
// writes, port B reads; at 36 bits port A writes and port B reads, with the data pins of both. A word that is read
// while it is written is undefined: here the complement of the old one. Contents that no INITVAL gives stay as the
// simulator drew them.
module DP16KD #(
    parameter DATA_WIDTH_A = 18, parameter DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG", parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC", parameter GSR = "ENABLED",
    parameter WRITEMODE_A = "NORMAL", parameter WRITEMODE_B = "NORMAL",
    parameter CSDECODE_A = "0b000", parameter CSDECODE_B = "0b000",
    // An unused bit of every word is set: no contents.
    parameter [319:0] NO = {16{20'h80000}},
    parameter [319:0] INITVAL_00 = NO, parameter [319:0] INITVAL_01 = NO, parameter [319:0] INITVAL_02 = NO,
    parameter [319:0] INITVAL_03 = NO, parameter [319:0] INITVAL_04 = NO, parameter [319:0] INITVAL_05 = NO,
    parameter [319:0] INITVAL_06 = NO, parameter [319:0] INITVAL_07 = NO, parameter [319:0] INITVAL_08 = NO,
    parameter [319:0] INITVAL_09 = NO, parameter [319:0] INITVAL_0A = NO, parameter [319:0] INITVAL_0B = NO,
    parameter [319:0] INITVAL_0C = NO, parameter [319:0] INITVAL_0D = NO, parameter [319:0] INITVAL_0E = NO,
    parameter [319:0] INITVAL_0F = NO, parameter [319:0] INITVAL_10 = NO, parameter [319:0] INITVAL_11 = NO,
    parameter [319:0] INITVAL_12 = NO, parameter [319:0] INITVAL_13 = NO, parameter [319:0] INITVAL_14 = NO,
    parameter [319:0] INITVAL_15 = NO, parameter [319:0] INITVAL_16 = NO, parameter [319:0] INITVAL_17 = NO,
    parameter [319:0] INITVAL_18 = NO, parameter [319:0] INITVAL_19 = NO, parameter [319:0] INITVAL_1A = NO,
    parameter [319:0] INITVAL_1B = NO, parameter [319:0] INITVAL_1C = NO, parameter [319:0] INITVAL_1D = NO,
    parameter [319:0] INITVAL_1E = NO, parameter [319:0] INITVAL_1F = NO, parameter [319:0] INITVAL_20 = NO,
    parameter [319:0] INITVAL_21 = NO, parameter [319:0] INITVAL_22 = NO, parameter [319:0] INITVAL_23 = NO,
    parameter [319:0] INITVAL_24 = NO, parameter [319:0] INITVAL_25 = NO, parameter [319:0] INITVAL_26 = NO,
    parameter [319:0] INITVAL_27 = NO, parameter [319:0] INITVAL_28 = NO, parameter [319:0] INITVAL_29 = NO,
    parameter [319:0] INITVAL_2A = NO, parameter [319:0] INITVAL_2B = NO, parameter [319:0] INITVAL_2C = NO,
    parameter [319:0] INITVAL_2D = NO, parameter [319:0] INITVAL_2E = NO, parameter [319:0] INITVAL_2F = NO,
    parameter [319:0] INITVAL_30 = NO, parameter [319:0] INITVAL_31 = NO, parameter [319:0] INITVAL_32 = NO,
    parameter [319:0] INITVAL_33 = NO, parameter [319:0] INITVAL_34 = NO, parameter [319:0] INITVAL_35 = NO,
    parameter [319:0] INITVAL_36 = NO, parameter [319:0] INITVAL_37 = NO, parameter [319:0] INITVAL_38 = NO,
    parameter [319:0] INITVAL_39 = NO, parameter [319:0] INITVAL_3A = NO, parameter [319:0] INITVAL_3B = NO,
    parameter [319:0] INITVAL_3C = NO, parameter [319:0] INITVAL_3D = NO, parameter [319:0] INITVAL_3E = NO,
    parameter [319:0] INITVAL_3F = NO
) (
    input wire CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
    input wire ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
    input wire DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15,
        DIA16, DIA17,
    output wire DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15,
        DOA16, DOA17,
    input wire CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
    input wire ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
    input wire DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15,
        DIB16, DIB17,
    output wire DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15,
        DOB16, DOB17
);
    generate
        if (RESETMODE != "SYNC" || GSR != "DISABLED" || WRITEMODE_A != "NORMAL" || WRITEMODE_B != "NORMAL"
            || CSDECODE_A != "0b000" || CSDECODE_B != "0b000" || REGMODE_A != REGMODE_B
            || DATA_WIDTH_A != DATA_WIDTH_B) begin : refuse
            DP16KD_is_modelled_for_other_parameters wrong ();
        end
    endgenerate
    localparam [20479:0] INITIAL = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A,
        INITVAL_39, INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31,
        INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F,
        INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
        INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D,
        INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04,
        INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};
    localparam PDP = DATA_WIDTH_A == 36;
    localparam BYTES = DATA_WIDTH_A == 36 ? 4 : DATA_WIDTH_A == 18 ? 2 : 1;
    localparam OFFSET = // the lowest address bit that belongs to a word's number
        PDP ? 5 : BYTES == 2 ? 4 : DATA_WIDTH_A == 9 ? 3 : DATA_WIDTH_A == 4 ? 2 : DATA_WIDTH_A == 2 ? 1 : 0;
    localparam [8:0] MASK = DATA_WIDTH_A >= 9 ? 9'h1FF : (9'd1 << DATA_WIDTH_A) - 9'd1;

    reg [8:0] bytes [0:2047];
    integer n;
    initial
        if (!INITIAL[19])
            for (n = 0; n < 1024; n = n + 1) begin
                bytes[2*n] = INITIAL[20*n +: 9];
                bytes[2*n+1] = INITIAL[20*n+9 +: 9];
            end

    wire [13:0] ada, adb;
    wire [35:0] di;
    assign ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    assign adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    assign di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
        DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0};

    // A word's first byte, and where in it a word of less than 9 bits begins.
    wire [10:0] first_a = {ada[13:OFFSET], {OFFSET{1'b0}}} >> 3;
    wire [10:0] first_b = {adb[13:OFFSET], {OFFSET{1'b0}}} >> 3;
    wire [2:0] place_a = OFFSET < 3 ? {ada[13:OFFSET], {OFFSET{1'b0}}} : 3'd0;
    wire [2:0] place_b = OFFSET < 3 ? {adb[13:OFFSET], {OFFSET{1'b0}}} : 3'd0;

    wire selected_a = CEA & ~CSA0 & ~CSA1 & ~CSA2;
    wire selected_b = CEB & ~CSB0 & ~CSB1 & ~CSB2;
    wire [3:0] enables = {4{selected_a & WEA}} & (PDP ? ada[3:0] : BYTES == 2 ? {2'b00, ada[1:0]} : 4'b0001);
    wire [8:0] mask = MASK << place_a;
    wire [35:0] written = di << place_a;
    integer i;
    always @(posedge CLKA)
        for (i = 0; i < BYTES; i = i + 1)
            if (enables[i])
                bytes[first_a + i[10:0]] <= (bytes[first_a + i[10:0]] & ~mask) | (written[9*i +: 9] & mask);

    // Pins above a narrow word are not defined either.
    wire [35:0] undefined = DATA_WIDTH_A >= 18 ? 36'd0 : ~36'd0 << DATA_WIDTH_A;
    wire collision = enables != 0 && ada[13:OFFSET] == adb[13:OFFSET];
    wire [35:0] bytes_a = {18'd0, bytes[first_a + 11'd1], bytes[first_a]};
    wire [35:0] bytes_b = {bytes[first_b + 11'd3], bytes[first_b + 11'd2], bytes[first_b + 11'd1], bytes[first_b]};
    wire [35:0] word_a = (bytes_a >> place_a) | undefined;
    wire [35:0] word_b = (bytes_b >> place_b) | undefined;
    reg [35:0] latch_a, latch_b, register_a, register_b;
    always @(posedge CLKA)
        if (RSTA) {latch_a, register_a} <= 72'd0;
        else begin
            if (selected_a && !WEA) latch_a <= word_a;
            if (OCEA) register_a <= latch_a;
        end
    always @(posedge CLKB)
        if (RSTB) {latch_b, register_b} <= 72'd0;
        else begin
            if (selected_b) latch_b <= {36{collision}} ^ word_b;
            // Which port's pin enables the register of the low half at 36 bits was not to be found out: both must.
            if (OCEB && (OCEA || !PDP)) register_b[17:0] <= latch_b[17:0];
            if (OCEB) register_b[35:18] <= latch_b[35:18];
        end
    wire [35:0] out_a = REGMODE_A == "OUTREG" ? register_a : latch_a;
    wire [35:0] out_b = REGMODE_B == "OUTREG" ? register_b : latch_b;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
        DOA1, DOA0} = PDP ? out_b[17:0] : out_a[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
        DOB1, DOB0} = PDP ? out_b[35:18] : out_b[17:0];
    always @(posedge CLKB)
        if (WEB) begin
            $display("DP16KD: a write through port B is not modelled");
            $finish;
        end
endmodule

// The buffer before global wires, with its enable held: another is not modelled.
module DCCA (
    input  wire CLKI,
    input  wire CE,
    output wire CLKO
);
    assign CLKO = CE ? CLKI : ~CLKI;
endmodule
`default_nettype wire
