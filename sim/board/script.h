// A script for a simulated board: what happens depends on cycles alone. Each step is a letter, a number of four bytes
// (lowest first) and, for S, as many bytes; each is answered on standard output by the number of cycles that it took,
// the number of bytes that the board sent meanwhile, both of four bytes, and these bytes.
//
//   S  send bytes: until the last stop bit is over
//   A  wait for a zero from the board, at most so many cycles
//   Q  wait until the board has sent nothing for so many cycles
//   W  wait so many cycles
//   R  reset for so many cycles
#include <vector>

namespace {

bool get(void* to, size_t count) { return fread(to, 1, count, stdin) == count; }

int run_script(Simulation& simulation) {
    char kind;
    uint32_t number;
    while (get(&kind, 1) && get(&number, sizeof number)) {
        Line& line = simulation.line;
        std::vector<uint8_t> heard, sent;
        if (kind == 'S') {
            sent.resize(number);
            if (!get(sent.data(), number)) return 2;
            line.bytes.insert(line.bytes.end(), sent.begin(), sent.end());
        }
        uint32_t cycles = 0, quiet = 0;
        bool delimiter = false;
        while (true) {
            bool over = cycles >= number;
            if (kind == 'S') over = line.bytes.empty();
            if (kind == 'A') over = over || delimiter;
            if (kind == 'Q') over = quiet >= number;
            if (over) break;
            ++cycles;
            ++quiet;
            if (simulation.cycle(kind == 'R')) {
                heard.push_back(line.byte);
                delimiter = line.byte == 0;
            }
            if (line.receiving || !simulation.board.tx) quiet = 0;
        }
        const uint32_t head[] = {cycles, static_cast<uint32_t>(heard.size())};
        fwrite(head, 1, sizeof head, stdout);
        fwrite(heard.data(), 1, heard.size(), stdout);
        fflush(stdout);
    }
    return 0;
}

}  // namespace
