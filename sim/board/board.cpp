// A simulated board behind its serial line: bytes of standard input go to rx bit by bit, tx comes back as bytes on
// standard output. While the board is quiet and nothing comes the simulation stands still and takes no time.
//
// Arguments: a bit's length as numerator and denominator of cycles; "script" for what script.h says instead. SIGUSR1
// presses the board's reset. The end of the input, or of whoever reads, ends the program.
namespace {

volatile sig_atomic_t reset_pressed = 0;

constexpr int kCyclesBetweenLooks = 2000;
constexpr int kResetCycles = 4;

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
    Simulation simulation{context, atof(argv[1]) / atof(argv[2])};
    if (!strcmp(argv[argc - 1], "script")) return run_script(simulation);
    Vtop& board = simulation.board;
    Line& line = simulation.line;
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
        const bool byte = simulation.cycle(reset > 0);
        if (reset > 0) --reset;
        if (byte && write(STDOUT_FILENO, &line.byte, 1) != 1) return 0;
    }
}
