// The clock and the serial line of a simulated board: bytes of standard input go to rx bit by bit, tx comes back as
// bytes on standard output. While the board is quiet and nothing comes the simulation stands still and takes no time.
//
// Arguments: a bit's length as numerator and denominator of cycles. SIGUSR1 presses the board's reset. The end of the
// input, or of whoever reads, ends the program.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <poll.h>
#include <unistd.h>

#include "Vtop.h"
#include "verilated.h"

namespace {

volatile sig_atomic_t reset_pressed = 0;

constexpr int kCyclesBetweenLooks = 2000;
constexpr int kResetCycles = 4;
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
    unsigned byte = 0;
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
        if (place > kStart) byte |= static_cast<unsigned>(level) << (place - 1);
        ++place;
        return false;
    }
};

// False when the other side is gone.
bool read_bytes(Line& line, int timeout) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, timeout) <= 0) return true;  // nothing, or a signal
    uint8_t buffer[4096];
    const ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
    for (ssize_t index = 0; index < count; ++index) line.bytes.push_back(buffer[index]);
    return count > 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    signal(SIGUSR1, [](int) { reset_pressed = 1; });
    sigset_t pressed;  // blocked by whoever starts the program, so that none is lost or deadly before now
    sigemptyset(&pressed);
    sigaddset(&pressed, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &pressed, nullptr);
    signal(SIGPIPE, SIG_IGN);
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vtop board{&context};
    Line line{atof(argv[1]) / atof(argv[2])};
    board.clk = 0;
    board.rst = 0;
    board.rx = 1;
    int reset = 0, look = 0;
    while (true) {
        const bool quiet = line.bytes.empty() && !line.receiving && !board.active && reset == 0 && board.tx;
        if (quiet || --look <= 0) {
            if (!read_bytes(line, quiet && !reset_pressed ? -1 : 0)) return 0;
            look = kCyclesBetweenLooks;
        }
        if (reset_pressed) {
            reset_pressed = 0;
            reset = kResetCycles;
        }
        board.rst = reset > 0;
        if (reset > 0) --reset;
        board.rx = line.rx();
        board.clk = 1;
        board.eval();
        board.clk = 0;
        board.eval();
        if (line.tx(board.tx)) {
            const uint8_t byte = line.byte;
            if (write(STDOUT_FILENO, &byte, 1) != 1) return 0;
        }
    }
}
