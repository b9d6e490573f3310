// A quad SPI flash as an FPGA's configuration leaves it: in power-down, four lines not enabled. It takes what
// mbconv.hdl.engine.flash_reader sends; what is wrong about that mbconv.sim.engine.flash_model tells, this one is silent
// then, and gives ones.
`default_nettype none
module mbconv_flash #(
    parameter BASE = 0,  // address of its first byte that is written
    parameter SIZE = 1,
    parameter FILE = ""
) (
    input wire       cs_n,
    input wire       sck,
    inout wire [3:0] io
);
    localparam WAKE = 8'hAB, VOLATILE = 8'h50, STATUS = 8'h31, READ = 8'hEB, DUMMY = 4;

    reg [7:0] contents [0:SIZE-1];
    initial $readmemh(FILE, contents);

    reg        asleep = 1'b1, writable = 1'b0, quad = 1'b0;
    reg        gives = 1'b0;
    reg [3:0]  nibble = 4'hF;
    reg [7:0]  command = 8'd0, value = 8'd0;
    reg [31:0] head = 32'd0;  // address and mode
    reg [31:0] clocks = 32'd0;
    assign io = gives ? nibble : 4'bzzzz;

    always @(posedge sck or posedge cs_n) begin
        if (cs_n) begin
            clocks <= 32'd0;
        end else begin
            clocks <= clocks + 32'd1;
            if (clocks < 8) command <= {command[6:0], io[0]};
            else begin
                value <= {value[6:0], io[0]};
                if (clocks < 16) head <= {head[27:0], io};
            end
        end
    end

    wire [31:0] place = clocks - (8 + 8 + DUMMY);
    wire [31:0] address = {8'd0, head[31:8]} + (place >> 1);
    wire [31:0] offset = address - BASE;
    wire [7:0]  octet = address < BASE || offset >= SIZE ? 8'hFF : contents[offset];
    always @(negedge sck or posedge cs_n) begin
        if (cs_n) gives <= 1'b0;
        else if (command == READ && quad && !asleep && clocks >= 8 + 8 + DUMMY) begin
            gives <= 1'b1;
            nibble <= place[0] ? octet[3:0] : octet[7:4];
        end
    end

    always @(posedge cs_n) begin
        if (clocks == 8 && command == WAKE) asleep <= 1'b0;
        if (clocks == 8 && command == VOLATILE && !asleep) writable <= 1'b1;
        if (clocks == 16 && command == STATUS && writable && !asleep) begin
            quad <= value[1];
            writable <= 1'b0;
        end
    end
endmodule
`default_nettype wire
