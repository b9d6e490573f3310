// Takes a stream of a design under test, stalling as mbconv_source does, checks the stream's rules and logs every beat.
// A patient sink is ready only for a beat that was offered in the cycle before: a valid that waits for it never rises.
// It takes nothing in the first `late` cycles, nor while it is not allowed to.
module mbconv_sink #(
    parameter WIDTH = 8,
    parameter ID = 0,
    // The expected number of beats in NAME.beats, log in NAME.log: "run N", then "CYCLE PAYLOAD" of each beat and
    // "!CYCLE RULE" where a rule is first broken.
    parameter NAME = "sink"
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [31:0]      run,
    input  wire [31:0]      seed,
    input  wire [31:0]      stall,
    input  wire [31:0]      resume,
    input  wire             patient,
    input  wire [31:0]      late,
    input  wire             allowed,
    input  wire             valid,
    input  wire [WIDTH-1:0] payload,
    output wire             ready,
    output wire             done,
    output wire             progress
);
    localparam EXTRA = 4;  // beats logged beyond the expected ones
    reg [31:0] expected [0:0];
    reg [31:0] count, cycle, noise;
    reg go, waiting, reported, in_reset;
    reg [WIDTH-1:0] held;
    wire [31:0] noise1 = noise ^ (noise << 13);
    wire [31:0] noise2 = noise1 ^ (noise1 >> 17);
    wire take = valid & ready;
    integer log;

    initial begin
        $readmemh({NAME, ".beats"}, expected);
        log = $fopen({NAME, ".log"}, "w");
        in_reset = 0;
    end

    assign ready = ~rst & go & allowed & (cycle >= late) & (~patient | waiting);
    assign done = count >= expected[0];
    assign progress = take & ~done;

    always @(posedge clk) begin
        in_reset <= rst;
        if (rst) begin
            if (!in_reset) $fwrite(log, "run %0d\n", run);
            count <= 0;
            cycle <= 0;
            waiting <= 0;
            reported <= 0;
            go <= stall == 0 || seed[0];
            noise <= (seed + 32'd1) * 32'h9E3779B1 ^ (ID + 32'd1) * 32'h85EBCA6B | 32'd1;
        end else begin
            cycle <= cycle + 1;
            noise <= noise2 ^ (noise2 << 5);
            go <= go ? {16'd0, noise[31:16]} >= stall : {16'd0, noise[31:16]} < resume;
            waiting <= valid & ~ready;
            held <= payload;
            if (waiting & ~reported & (~valid | (payload != held))) begin
                reported <= 1;
                if (valid) $fwrite(log, "!%0d changed\n", cycle);
                else $fwrite(log, "!%0d withdrawn\n", cycle);
            end
            if (take) begin
                count <= count + 1;
                if (count < expected[0] + EXTRA) $fwrite(log, "%0d %h\n", cycle, payload);
            end
        end
    end
endmodule
