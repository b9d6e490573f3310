// Drives a stream of a design under test with beats of a file, stalling by a two-state pattern that is set at run time:
// while going it stalls with probability stall/65536 a cycle, while stalled it resumes with probability resume/65536.
// An offered beat is held until it is taken; while nothing is offered the payload is noise.
module mbconv_source #(
    parameter WIDTH = 8,
    parameter PERIODIC = 0,  // starts over after the last beat; never counts as unfinished
    parameter FILLING = 0,   // cycles after reset in which the payload of a valid beat is noise still, as a memory's is
    parameter ID = 0,
    // Beats in NAME.hex, log in NAME.log: "run N", "first CYCLE" of a beat taken, "taken BEATS" at the next reset.
    parameter NAME = "source"
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [31:0]      run,
    input  wire [31:0]      seed,
    input  wire [31:0]      stall,
    input  wire [31:0]      resume,
    output wire             valid,
    output wire [WIDTH-1:0] payload,
    input  wire             ready,
    output wire             done,
    output wire             progress
);
    localparam REPEAT = (WIDTH + 31) / 32;
    reg [WIDTH-1:0] beat, scanned;
    reg [31:0] taken, cycle, noise;
    reg present, go, held, in_reset;
    wire [31:0] noise1 = noise ^ (noise << 13);
    wire [31:0] noise2 = noise1 ^ (noise1 >> 17);
    wire [32*REPEAT-1:0] garbage = {REPEAT{noise}};
    wire take = valid & ready;
    integer data, log, code;

    initial begin
        data = $fopen({NAME, ".hex"}, "r");
        log = $fopen({NAME, ".log"}, "w");
        in_reset = 0;
    end

    assign done = PERIODIC != 0 || !present;
    assign valid = ~rst & present & (held | go);
    assign payload = valid && cycle >= FILLING ? beat : garbage[WIDTH-1:0];
    assign progress = take & (PERIODIC == 0);

    always @(posedge clk) begin
        in_reset <= rst;
        if (rst) begin
            if (!in_reset) begin
                $fwrite(log, "taken %0d\nrun %0d\n", taken, run);
                code = $rewind(data);
                code = $fscanf(data, "%h", scanned);
                beat <= scanned;
                present <= code == 1;
            end
            taken <= 0;
            cycle <= 0;
            held <= 0;
            go <= stall == 0 || seed[0];
            noise <= (seed + 32'd1) * 32'h9E3779B1 ^ (ID + 32'd1) * 32'h85EBCA6B | 32'd1;
        end else begin
            cycle <= cycle + 1;
            noise <= noise2 ^ (noise2 << 5);
            go <= go ? {16'd0, noise[31:16]} >= stall : {16'd0, noise[31:16]} < resume;
            held <= valid & ~ready;
            if (take) begin
                if (taken == 0) $fwrite(log, "first %0d\n", cycle);
                taken <= taken + 1;
                code = $fscanf(data, "%h", scanned);
                if (code != 1 && PERIODIC != 0) begin
                    code = $rewind(data);
                    code = $fscanf(data, "%h", scanned);
                end
                beat <= scanned;
                present <= code == 1;
            end
        end
    end
endmodule
