"""Simulation of whole designs: data, cycles, monitors, progress, waves, and designs that are wrong."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Module, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from mbconv.hdl.fifo import Fifo
from mbconv.hdl.separate import separate
from mbconv.hdl.verilog import to_verilog
from mbconv.sim.circuits.testbench_case import HALF, RARELY
from mbconv.sim.circuits.testbench_data import pack, unpack_words
from mbconv.sim.simulation.design_record import DesignRecord, StreamRecord
from mbconv.sim.simulation.design_source import DesignPort, DesignSource, MonitorPoint
from mbconv.sim.simulation.run_design import UnknownStream, run_design
from mbconv.sim.simulation.toolchain import SimulatorError
from mbconv.sim.simulation.waves import Waves

SHAPE = ArrayLayout(signed(8), 5)  # 40 bits: two words of a record, the second not whole
BEATS = np.random.default_rng(9).integers(-128, 128, (3 * 20, 5))


class Chain(Component):
    """Two queues."""

    def __init__(self):
        super().__init__({"i": In(Signature(SHAPE)), "o": Out(Signature(SHAPE))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.first = first = separate(Fifo(SHAPE, 4), "first")
        m.submodules.second = second = Fifo(SHAPE, 40)
        connect(m, flipped(self.i), first.i)
        connect(m, first.o, second.i)
        connect(m, second.o, flipped(self.o))
        return m


@pytest.fixture(scope="module")
def chain() -> DesignSource:
    verilog = to_verilog(Chain(), "chain")
    ports = [DesignPort.plain("i", True, 40), DesignPort.plain("o", False, 40)]
    files = {"chain.v": verilog.text, "primitives.v": verilog.primitives}
    watched = [MonitorPoint("between", "first.o", 40, 20)]
    return DesignSource(files, verilog.memory_files, "chain", ports, monitors=watched)


def test_free_running(chain, tmp_path):
    record = run_design(chain, {"i": pack(SHAPE, BEATS)}, {"o": 60}, 3, folder=tmp_path)
    for name in ("o", "between"):
        assert np.array_equal(unpack_words(SHAPE, record.streams[name].payloads), BEATS)
        assert record.streams[name].broken_rules == []
    assert (record.first, record.taken) == ({"i": 0}, {"i": 60})
    assert record.interval("o") == 20
    assert record.latency("o") == 19 + 1 + 4
    between = record.streams["between"]
    assert (between.ends, between.stalled, between.starved) == ([20, 40, 60], [0, 0, 0], [1, 0, 0])


def test_other_frames_stalls_and_reset_need_no_new_build(chain):
    record = run_design(
        chain,
        {"i": pack(SHAPE, BEATS[:40])},
        {"o": 40},
        2,
        source=RARELY,
        sink=HALF,
        seed=4,
        reset_after=50,
    )
    assert record.cached
    for name in ("o", "between"):
        assert np.array_equal(unpack_words(SHAPE, record.streams[name].payloads), BEATS[:40])
    assert sum(record.streams["between"].starved) > 40


def test_progress(chain):
    """30,000 beats take 30,000 cycles, of which every ten thousandth is reported."""
    seen = []
    beats = pack(SHAPE, np.resize(BEATS, (30_000, 5)))
    run_design(chain, {"i": beats}, {"o": len(beats)}, 1, progress=lambda *step: seen.append(step))
    assert [cycle for cycle, _ in seen[:3]] == [10_000, 20_000, 30_000]
    assert [part for _, part in seen] == sorted(part for _, part in seen)
    assert seen[0][1] == pytest.approx(1 / 3, abs=1e-3)
    assert seen[-1][1] == 1


def test_interrupted(chain):
    """An exception in the callback, as by control-C, ends the simulator and comes out."""

    def stop(cycle, part):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_design(chain, {"i": pack(SHAPE, BEATS) * 2000}, {"o": 60 * 2000}, 1, progress=stop)


AXI = """
module wrong(input wire aclk, input wire aresetn,
    input wire s_axis_tvalid, output wire s_axis_tready, input wire [7:0] s_axis_tdata, input wire [0:0] s_axis_tkeep,
    input wire s_axis_tlast,
    output wire m_axis_tvalid, input wire m_axis_tready, output wire [7:0] m_axis_tdata, output wire [0:0] m_axis_tkeep,
    output wire m_axis_tlast, output reg [7:0] count);
    // Passes eight beats, adds one to those that it stalled, and takes no more.
    reg again;
    assign m_axis_tvalid = s_axis_tvalid & aresetn & (count != 8);
    assign s_axis_tready = m_axis_tready & aresetn & (count != 8);
    assign m_axis_tdata = s_axis_tdata + {7'd0, again};
    assign m_axis_tkeep = s_axis_tkeep;
    assign m_axis_tlast = s_axis_tlast;
    always @(posedge aclk) begin
        again <= aresetn & m_axis_tvalid & ~m_axis_tready;
        if (!aresetn) count <= 0; else if (m_axis_tvalid & m_axis_tready) count <= count + 1;
    end
endmodule
"""


def test_axi_stream_that_changes_under_stall_and_stops(tmp_path):
    ports = [DesignPort.axi_stream("s_axis", True, 8), DesignPort.axi_stream("m_axis", False, 8)]
    design = DesignSource({"wrong.v": AXI}, {}, "wrong", ports, {"count": 8}, "aclk", "aresetn", True)
    beats = [data | 1 << 8 | (data == 9) << 9 for data in range(10)]
    waves = tmp_path / "waves.vcd"
    record = run_design(
        design, {"s_axis": beats}, {"m_axis": 10}, 1, sink=HALF, patience=500, waves=Waves(waves), folder=tmp_path
    )
    output = record.streams["m_axis"]
    assert (len(output.payloads), record.taken, record.outputs) == (8, {"s_axis": 8}, {"count": 8})
    assert output.broken_rules[0].startswith("the payload changed while stalled, cycle ")
    assert not np.array_equal(output.payloads[:, 0], beats[:8])
    assert "m_axis_tdata" in waves.read_text()


def test_a_stream_that_is_not_there(chain):
    with pytest.raises(UnknownStream, match=r"dut\.third"):
        run_design(
            replace(chain, monitors=[MonitorPoint("m", "third.o", 40, 20)]), {"i": pack(SHAPE, BEATS)}, {"o": 60}, 3
        )


def test_verilog_error_is_shown():
    design = DesignSource({"bad.v": "module bad(input wire clk;\n"}, {}, "bad", [DesignPort.plain("o", False, 1)])
    with pytest.raises(SimulatorError, match=r"bad\.v:1:.*syntax error"):
        run_design(design, {}, {"o": 1}, 1)


def test_ports_and_frames_are_checked(chain):
    with pytest.raises(ValueError, match=r"beats of the inputs \['x'\] are given, chain has \['i'\]"):
        run_design(chain, {"x": [1]}, {"o": 1}, 1)
    with pytest.raises(ValueError, match="3 beats of port i are not 2 equal frames"):
        run_design(chain, {"i": [1, 2, 3]}, {"o": 2}, 2)
    with pytest.raises(ValueError, match="does not fit its 40 bits"):
        run_design(chain, {"i": [1 << 40]}, {"o": 1}, 1)


def test_the_interval_of_a_rhythm_is_its_mean():
    def interval(ends: list[int]) -> int | None:
        streams = {"m_axis": StreamRecord(np.zeros((0, 1)), ends, [], [], [])}
        return DesignRecord({}, {}, streams, {}, 0, False).interval("m_axis")

    assert interval([40]) is None
    assert interval([40, 52]) == 12
    assert interval([40, 52, 63]) == 11
    assert interval([0, 9, 19, 29]) == 10
    assert interval([0, 80, 150, 225, 305, 375, 450]) == 75
