// An SDR SDRAM of four banks: bursts of 8 that read, single words that are written. It ends the simulation where a real
// one would lose or invent data. Its times are parameters, in cycles; a word that was never written reads as 5A5A….
`default_nettype none
module mbconv_sdram #(
    parameter DATA = 16, COLUMN = 9, WORDS = 20, CAS = 2,  // bits of a word, a column, a place; cycles
    parameter START = 1, T_RP = 1, T_RCD = 1, T_RC = 1, T_RAS = 1, T_RFC = 1, T_WR = 1, INTERVAL = 100
) (
    input wire              clk,
    input wire              cke,
    input wire              cs_n,
    input wire              ras_n,
    input wire              cas_n,
    input wire              we_n,
    input wire [1:0]        ba,
    input wire [12:0]       a,
    inout wire [DATA-1:0]   dq,
    input wire [DATA/8-1:0] dqm
);
    localparam MODE = 3'b000, REFRESH = 3'b001, PRECHARGE = 3'b010, ACTIVATE = 3'b011, WRITE = 3'b100, READ = 3'b101,
               NOTHING = 3'b111;
    localparam POSTPONED = 8;  // refreshes

    reg [DATA-1:0] contents [0:(1<<WORDS)-1];
    integer i;
    initial for (i = 0; i < 1 << WORDS; i = i + 1) contents[i] = {DATA/8{8'h5A}};

    integer now = 0, refreshed = -1000, mode_at = -1, refreshes = 0, left = 0;
    integer activated [0:3], closed [0:3], written [0:3];
    reg [3:0] open = 4'd0;
    reg all_closed = 1'b0;
    reg [12:0] row [0:3];
    reg [31:0] place = 0;
    reg [DATA-1:0] pipe [0:3];
    reg [3:0] gives = 4'd0;
    initial for (i = 0; i < 4; i = i + 1) begin
        activated[i] = -1000; closed[i] = -1000; written[i] = -1000; row[i] = 13'd0; pipe[i] = 0;
    end

    task check(input right, input [8*40-1:0] what);
        if (!right) begin
            $display("SDRAM, cycle %0d: %0s", now, what);
            $stop;
        end
    endtask

    // what the edge that comes finds on the lines
    assign dq = gives[0] ? pipe[0] : {DATA{1'bz}};
    wire [2:0] command = cs_n ? NOTHING : {ras_n, cas_n, we_n};
    wire [31:0] at = {row[ba], ba, {COLUMN{1'b0}}} | {19'd0, a} & ((1 << COLUMN) - 1);

    always @(posedge clk) begin
        now <= now + 1;
        for (i = 0; i < 3; i = i + 1) pipe[i] <= pipe[i + 1];
        gives <= {1'b0, gives[3:1]};
        if (left != 0) begin
            left <= left - 1;
            place <= {place[31:3], place[2:0] + 3'd1};
            pipe[CAS - 1] <= contents[{place[31:3], place[2:0] + 3'd1} & ((1 << WORDS) - 1)];
            gives[CAS - 1] <= 1'b1;
        end
        if (command != NOTHING) begin
            check(cke && dqm == 0, "a command without clock or data");
            check(now >= START, "a command too soon after power");
            check(now - refreshed >= T_RFC, "tRFC");
            check(mode_at < 0 || now - mode_at >= 2, "a command too soon after the mode");
            check(mode_at >= 0 || command == PRECHARGE || command == REFRESH || command == MODE,
                  "a command before the mode");
        end
        check(mode_at < 0 || refreshes + POSTPONED >= (now - mode_at) / INTERVAL, "refreshes are missing");
        case (command)
            PRECHARGE: begin
                for (i = 0; i < 4; i = i + 1) if (a[10] || ba == i) begin
                    check(!open[i] || now - activated[i] >= T_RAS, "tRAS");
                    check(!open[i] || now - written[i] >= T_WR, "tWR");
                    open[i] <= 1'b0;
                    closed[i] <= now;
                end
                if (a[10]) all_closed <= 1'b1;
            end
            REFRESH, MODE: begin
                check(all_closed && open == 0, "a refresh or the mode while a row may be open");
                for (i = 0; i < 4; i = i + 1) check(now - closed[i] >= T_RP, "tRP");
                if (command == REFRESH) begin
                    refreshes <= refreshes + 1;
                    refreshed <= now;
                end else begin
                    check(refreshes >= 2, "the mode before two refreshes");
                    check(a == (13'd1 << 9 | CAS << 4 | 13'd3), "another mode");
                    mode_at <= now;
                    refreshes <= 0;
                end
            end
            ACTIVATE: begin
                check(!open[ba], "a row is opened in a bank whose row is open");
                check(now - closed[ba] >= T_RP, "tRP");
                check(now - activated[ba] >= T_RC, "tRC");
                open[ba] <= 1'b1;
                row[ba] <= a;
                activated[ba] <= now;
            end
            READ, WRITE: begin
                check(open[ba], "a read or write in a bank without an open row");
                check(now - activated[ba] >= T_RCD, "tRCD");
                check(at < 1 << WORDS, "a place that is not simulated");
                if (command == READ) begin
                    pipe[CAS - 1] <= contents[at & ((1 << WORDS) - 1)];
                    gives[CAS - 1] <= 1'b1;
                    place <= at;
                    left <= 7;
                end else begin
                    check(gives == 0 && left == 0, "a write while the device gives words");
                    contents[at & ((1 << WORDS) - 1)] <= dq;
                    written[ba] <= now;
                end
            end
            default: ;
        endcase
    end
endmodule
`default_nettype wire
