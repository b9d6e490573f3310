// Watches a stream inside a design and writes its beats to a file: 32-bit words, little endian, the beat's lowest first.
// The end of a reset starts the file anew.
module mbconv_monitor #(
    parameter WIDTH = 8,
    parameter BEATS = 1,  // of a frame
    // The number of beats to wait for in NAME.beats. Beats in NAME.bin; in NAME.log for each frame "CYCLE STALLED STARVED": the cycle of its last beat since reset and,
    // since the frame before, the cycles with valid without ready and with ready without valid; "!CYCLE RULE" as a sink.
    parameter NAME = "monitor"
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             valid,
    input  wire             ready,
    input  wire [WIDTH-1:0] payload,
    output wire             done,
    output wire             progress
);
    reg [31:0] expected [0:0];
    reg [31:0] passed, count, cycle, stalled, starved;
    reg waiting, reported, in_reset;
    reg [WIDTH-1:0] held;
    wire last = count == BEATS - 1;
    integer data, log;

    assign done = passed >= expected[0];
    assign progress = valid & ready & ~rst & ~done;

    initial begin
        $readmemh({NAME, ".beats"}, expected);
        in_reset = 0;
        data = 0;
        log = 0;
    end

    always @(posedge clk) begin
        in_reset <= rst;
        if (rst) begin
            passed <= 0;
            count <= 0;
            cycle <= 0;
            stalled <= 0;
            starved <= 0;
            waiting <= 0;
            reported <= 0;
        end else begin
            if (in_reset) begin
                if (data != 0) $fclose(data);
                if (log != 0) $fclose(log);
                data = $fopen({NAME, ".bin"}, "wb");
                log = $fopen({NAME, ".log"}, "w");
            end
            cycle <= cycle + 1;
            waiting <= valid & ~ready;
            if (valid & ~ready) held <= payload;
            if (waiting & ~reported & (~valid | (payload != held))) begin
                reported <= 1;
                if (valid) $fwrite(log, "!%0d changed\n", cycle);
                else $fwrite(log, "!%0d withdrawn\n", cycle);
            end
            if (valid & ready) begin
                $fwrite(data, "%u", payload);
                passed <= passed + 1;
                count <= last ? 0 : count + 1;
                if (last) $fwrite(log, "%0d %0d %0d\n", cycle, stalled, starved);
            end
            stalled <= valid & ready & last ? 0 : stalled + {31'd0, valid & ~ready};
            starved <= valid & ready & last ? 0 : starved + {31'd0, ready & ~valid};
        end
    end
endmodule
