// A simulated board, a cycle at a time, with bytes instead of levels at its serial line.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <poll.h>
#include <unistd.h>

#include "Vtop.h"
#include "verilated.h"

namespace {

constexpr int kStart = 0, kStop = 9;

struct Line {
    double bit;  // cycles

    // Towards the board.
    std::deque<uint8_t> bytes;
    bool sending = false;
    double sent = 0;  // cycles of this byte
    int rx() {
        if (!sending) {
            if (bytes.empty()) return 1;
            sending = true;
            sent = 0;
        }
        const int place = static_cast<int>(sent / bit);
        const int level = place == kStart ? 0 : place >= kStop ? 1 : bytes.front() >> (place - 1) & 1;
        if ((sent += 1) >= (kStop + 1) * bit) {
            sending = false;
            bytes.pop_front();
        }
        return level;
    }

    // From the board.
    bool receiving = false;
    double next = 0;  // cycles to the next sample
    int place = 0;
    uint8_t byte = 0;
    bool tx(int level) {  // true when a byte is complete
        if (!receiving) {
            if (level) return false;
            receiving = true;
            place = kStart;
            next = bit / 2;
            byte = 0;
        }
        if ((next -= 1) > 0) return false;
        next += bit;
        if (place == kStop) {
            receiving = false;
            return level;
        }
        if (place > kStart) byte |= static_cast<uint8_t>(level << (place - 1));
        ++place;
        return false;
    }
};

struct Simulation {
    Vtop board;
    Line line;
    Simulation(VerilatedContext& context, double bit) : board{&context}, line{bit} {
        board.clk = 0;
        board.rst = 0;
        board.rx = 1;
    }
    bool cycle(bool reset) {  // true when the board has sent a byte, which is line.byte
        board.rst = reset;
        board.rx = line.rx();
        board.clk = 1;
        board.eval();
        board.clk = 0;
        board.eval();
        return line.tx(board.tx);
    }
};

}  // namespace
