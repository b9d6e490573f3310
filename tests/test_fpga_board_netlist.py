"""What is placed on a board, pins, PLL and link included, asked through its UART: the netlist's answers are the golden
model's."""

import numpy as np
import pytest
from link_packets import IDENTIFY, INFER, STATUS, Terminal

from mbconv.fpga.boards import find_board
from mbconv.fpga.flow.bitstream import build_bitstream
from mbconv.fpga.flow.board_netlist import NetlistBoard
from mbconv.generators.emission.design import make_design
from mbconv.hdl.link.identity import Identity
from mbconv.models import load
from mbconv.sim.golden import model as golden

ANSWER = 0x80


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mhz"), [("icebreaker", 24), ("colorlight-i5", 80), ("tang-nano-20k", 27),
                                           ("crosslink-nx-evn", 12), ("crosslink-nx-evn-pll", 60)])  # fmt: skip
def test_the_netlist_behind_its_uart(name, mhz, tmp_path):
    """The last layers of digits, on a board of each family."""
    board = find_board(name)
    graph = load("digits").layers(9, 11)
    design = make_design(graph, multipliers=2, family=board.part.resources.circuits)
    built = build_bitstream(design, board, tmp_path, clock_mhz=mhz)
    assert built.clock_mhz <= built.made.best.fmax_mhz and built.path.stat().st_size > 10_000
    generator = np.random.default_rng(5)
    with NetlistBoard(built.board, built.made.netlist, built.top) as simulated:
        terminal = Terminal(simulated.port)
        assert terminal.silent(1), "the PLL locks, and nothing is said before anything was asked"
        terminal.ask(STATUS, 1)  # whatever the line was before may be answered as garbled
        kind, sequence, payload = terminal.ask(IDENTIFY, 3)
        assert (kind, sequence) == (ANSWER | IDENTIFY, 3)
        found = Identity.decode(payload)
        assert (found.clock, found.baud, found.simulated) == (round(built.clock_mhz * 1e6), round(built.baud), False)
        (source,) = graph.inputs
        for number in range(3):
            values = generator.integers(-128, 128, graph.tensors[source].shape).astype(np.int8)
            (output,) = (int(port[1:]) for port in design.outputs)
            expected = golden.run(graph, {source: values})[output].tobytes()
            assert terminal.ask(INFER, number, values.tobytes()) == (ANSWER | INFER, number, expected)
        terminal.close()
