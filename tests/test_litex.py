"""``emit --litex``: the module in a simulated SoC of LiteX: frames through its endpoints, its counters over the bus."""

import importlib.util
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.models import load
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation import verilator

litex = pytest.importorskip("litex", reason="LiteX is not installed (pip install litex migen)")

MODEL = "block:pointwise,height=3,width=3,channels=3,output_channels=3"
FRAMES = 4

PROGRAM = """
// Beats from in.txt (data, last) into the SoC's sink. To standard output: what its source gives, with pauses; then the
// words at the bus addresses of the command line.
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "Vtop.h"
#include "verilated.h"
struct Beat { unsigned data, last; };
int main(int argc, char** argv) {
    VerilatedContext context;
    Vtop soc{&context};
    std::vector<Beat> beats;
    FILE* file = fopen("in.txt", "r");
    for (Beat beat; fscanf(file, "%x %x", &beat.data, &beat.last) == 2;) beats.push_back(beat);
    size_t given = 0;
    int address = 1;
    for (int cycle = 0; cycle < 2000 && address < argc; ++cycle) {
        soc.feed_valid = cycle > 100 && given < beats.size();
        soc.feed_data = soc.feed_valid ? beats[given].data : 0;
        soc.feed_last = soc.feed_valid ? beats[given].last : 0;
        soc.drain_ready = cycle % 3 != 0;
        soc.host_cyc = soc.host_stb = cycle > 1000;
        soc.host_adr = strtoul(argv[address], nullptr, 0) / 4;
        soc.sys_clk = 0;
        soc.eval();
        const bool taken = soc.feed_valid && soc.feed_ready, came = soc.drain_valid && soc.drain_ready;
        if (came) printf("beat %x %x\\n", soc.drain_data, soc.drain_last);
        if (soc.host_cyc && soc.host_ack) { printf("word %x\\n", soc.host_dat_r); ++address; }
        soc.sys_clk = 1;
        soc.eval();
        given += taken;
    }
    return address < argc;
}
"""


def make_soc(network_file):
    """A SoC without a processor: the network, and a master of the bus at pads; its Verilog and registers' addresses."""
    from litex.build.generic_platform import Pins, Subsignal
    from litex.build.sim import SimPlatform
    from litex.gen import ClockSignal  # noqa: F401  (LiteX's names come with its star imports)
    from litex.soc.integration.export import get_csr_json
    from litex.soc.integration.soc_core import SoCMini
    from litex.soc.interconnect import wishbone
    from migen.genlib.io import CRG

    found = importlib.util.spec_from_file_location("network_litex", network_file)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)

    stream = [Subsignal(name, Pins(width)) for name, width in (("valid", 1), ("ready", 1), ("data", 32), ("last", 1))]
    bus = [Subsignal(name, Pins(width)) for name, width in
           (("adr", 30), ("dat_r", 32), ("cyc", 1), ("stb", 1), ("ack", 1))]  # fmt: skip
    platform = SimPlatform("SIM", [("sys_clk", 0, Pins(1)), ("feed", 0, *stream), ("drain", 0, *stream),
                                   ("host", 0, *bus)])  # fmt: skip
    soc = SoCMini(platform, clk_freq=int(1e6), ident="", ident_version=False)
    soc.crg = CRG(platform.request("sys_clk"))
    soc.network = network = module.Network(platform)
    feed, drain, host = platform.request("feed"), platform.request("drain"), platform.request("host")
    master = wishbone.Interface(data_width=32, address_width=32, addressing="word")
    soc.bus.add_master("host", master)
    soc.comb += [
        *(getattr(network.sink, name).eq(getattr(feed, name)) for name in ("valid", "data", "last")),
        feed.ready.eq(network.sink.ready),
        *(getattr(drain, name).eq(getattr(network.source, name)) for name in ("valid", "data", "last")),
        network.source.ready.eq(drain.ready),
        *(getattr(master, name).eq(getattr(host, name)) for name in ("adr", "cyc", "stb")),
        master.sel.eq(0b1111),
        host.dat_r.eq(master.dat_r),
        host.ack.eq(master.ack),
    ]
    soc.finalize()
    text = str(platform.get_verilog(soc, name="soc"))
    registers = json.loads(get_csr_json(soc.csr_regions, soc.constants, soc.mem_regions))["csr_registers"]
    return text, registers, [source[0] for source in platform.sources]


def test_a_network_in_a_soc(tmp_path):
    folder = tmp_path / "rtl"
    emitted = CliRunner().invoke(main, ["emit", MODEL, "--multipliers", "9", "-o", str(folder), "--litex"])
    assert emitted.exit_code == 0, emitted.output
    manifest = json.loads((folder / "manifest.json").read_text())
    (module,) = (name for name in manifest["files"] if name.endswith("_litex.py"))
    text, registers, sources = make_soc(folder / module)
    assert sorted(sources) == sorted(str(folder / name) for name in manifest["verilog"])

    graph = load(MODEL)
    generator = np.random.default_rng(3)
    tensor = graph.tensors[graph.inputs[0]]
    lines, expected = [], b""
    for _ in range(FRAMES):
        values = generator.integers(-128, 128, tensor.shape).astype(np.int8)
        padded = values.tobytes() + bytes(1)  # 27 bytes, 4 a beat
        beats = np.frombuffer(padded, "<u4")
        lines += [f"{beat:x} {index == len(beats) - 1:d}" for index, beat in enumerate(beats)]
        expected += golden.run(graph, {tensor.index: values})[graph.outputs[0]].tobytes()
    lines += [f"{beat:x} {index == 2:d}" for index, beat in enumerate(beats[:3])]  # a packet that is too short
    (tmp_path / "in.txt").write_text("\n".join(lines))

    verilog = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in sources}
    build = verilator.build({"soc.v": text, **verilog}, "soc", program=PROGRAM)
    names = ("network_results", "network_short_frames", "network_long_frames")
    done = subprocess.run(
        [str(build.folder / build.top), *(hex(registers[name]["addr"]) for name in names)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line.split() for line in done.stdout.splitlines()]
    found = [(int(line[1], 16), int(line[2])) for line in said if line[0] == "beat"]
    assert len(found) == 7 * (FRAMES + 1) and [last for _, last in found] == [0, 0, 0, 0, 0, 0, 1] * (FRAMES + 1)
    frames = np.array([data for data, _ in found], "<u4").reshape(FRAMES + 1, 7)
    assert b"".join(frame.tobytes()[:27] for frame in frames[:FRAMES]) == expected
    words = [int(line[1], 16) for line in said if line[0] == "word"]
    assert words == [FRAMES + 1, 1, 0]
