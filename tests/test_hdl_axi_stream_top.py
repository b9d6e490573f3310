"""A whole design with AXI4-Stream edges, driven by cocotbext-axi: pauses, wrong packets, reset in mid-frame."""

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from amaranth.hdl import signed
from amaranth.lib.data import ArrayLayout
from axi_packets import frame_beats, packet_bytes
from circuits import random_requantization, requantization_beats, weight_beats
from elements import random_elements
from verilog_lint import lint

from mbconv.generators.timing.edge_timing import InputEdgeTiming, OutputEdgeTiming
from mbconv.hdl.axi_stream_top import AxiStreamEdge, AxiStreamTop
from mbconv.hdl.fifo import Fifo
from mbconv.hdl.pointwise import Pointwise, PointwiseParameters
from mbconv.hdl.rom_source import RomSource
from mbconv.hdl.stream_graph import Port, Stream, StreamGraph
from mbconv.hdl.verilog import Verilog, to_verilog
from mbconv.sim.circuits.testbench_data import pack
from mbconv.sim.simulation import simulator, verilator
from mbconv.sim.simulation.design_source import DesignPort, DesignSource
from mbconv.sim.simulation.run_design import run_design

PIXELS = 7
FILL = -3
INPUT = AxiStreamEdge("s_axis", signed(8), 3, PIXELS, 3, 4, FILL)
OUTPUT = AxiStreamEdge("m_axis", signed(12), 5, PIXELS, 2, 4)


def pointwise_network() -> tuple[StreamGraph, np.ndarray, object, object]:
    """A pointwise stage with its weights, 3 to 5 channels, and what computes the same."""
    rng = np.random.default_rng(3)
    weights = random_elements(rng, signed(8), (5, 3))
    format, words = random_requantization(rng, weights, signed(8), signed(12))
    parameters = PointwiseParameters(
        inputs=3,
        outputs=5,
        input_folding=3,
        output_folding=2,
        data_shape=signed(8),
        weight_shape=signed(8),
        format=format,
        input_lanes=3,
        lanes=2,
    )
    stage = Pointwise(parameters)
    stages = {"pointwise": stage}
    streams = [
        Stream("pixels", Port("", "pixels"), (Port("pointwise", "i"),)),
        Stream("results", Port("pointwise", "o"), (Port("", "results"),)),
    ]
    for port, beats in (
        ("weights", weight_beats(weights, 3, 2)),
        ("requantization", requantization_beats(format, words, 2)),
    ):
        shape = getattr(stage, port).payload.shape()
        stages[port] = RomSource(shape, pack(shape, beats.beats), f"axi_{port}")
        streams.append(Stream(port, Port(port, "o"), (Port("pointwise", port),)))
    return StreamGraph(stages, streams, ["pixels"], ["results"]), weights, format, words


def queues(first: AxiStreamEdge, second: AxiStreamEdge) -> StreamGraph:
    """Two inputs to two outputs."""
    stages = {
        "first": Fifo(ArrayLayout(first.shape, first.lanes), 2),
        "second": Fifo(ArrayLayout(second.shape, second.lanes), 50),
    }
    streams = [
        Stream(f"{name}_{end}", *ports)
        for name in stages
        for end, ports in (
            ("in", (Port("", f"{name}_in"), (Port(name, "i"),))),
            ("out", (Port(name, "o"), (Port("", f"{name}_out"),))),
        )
    ]
    return StreamGraph(stages, streams, ["first_in", "second_in"], ["first_out", "second_out"])


def axi_testbench(top: AxiStreamTop) -> str:
    """A Verilog top around module ``accelerator`` whose ports cocotb may touch: it adds the empty beats that
    cocotbext-axi does not send, and counts broken rules."""
    ports, connections, rules = ["input wire aclk", "input wire aresetn"], [".aclk(aclk), .aresetn(aresetn)"], []
    for edge in top.inputs.values():
        name, bits, size = edge.name, 8 * edge.data_bytes, edge.data_bytes
        ports += [f"input wire [{bits - 1}:0] {name}_tdata", f"input wire [{size - 1}:0] {name}_tkeep"]
        ports += [f"input wire {name}_{field}" for field in ("tlast", "tvalid", "empty")]
        ports += [f"output wire {name}_tready"]
        connections += [
            f".{name}_tdata({name}_tdata), .{name}_tkeep({name}_empty ? {size}'d0 : {name}_tkeep)",
            f".{name}_tlast({name}_tlast | {name}_empty), .{name}_tvalid({name}_tvalid | {name}_empty)",
            f".{name}_tready({name}_tready)",
        ]
        rules.append(f"(~aresetn & {name}_tready)")
    for edge in top.outputs.values():
        name, bits, size = edge.name, 8 * edge.data_bytes, edge.data_bytes
        ports += [f"output wire [{bits - 1}:0] {name}_tdata", f"output wire [{size - 1}:0] {name}_tkeep"]
        ports += [f"output wire {name}_{field}" for field in ("tlast", "tuser", "tvalid")]
        ports += [f"input wire {name}_tready"]
        fields = ("tdata", "tkeep", "tlast", "tuser", "tvalid", "tready")
        connections += [f".{name}_{field}({name}_{field})" for field in fields]
        rules += [f"(~aresetn & {name}_tvalid)", f"({name}_waiting & {name}_now != {name}_before)"]
    connections += [f".{name}({name})" for name in status_names(top)]
    ports += [f"output wire [15:0] {name}" for name in status_names(top)] + ["output reg [31:0] broken_rules"]
    lines = ["module axi_testbench (", ",\n".join(f"    {port} /* verilator public_flat_rw */" for port in ports), ");"]
    for edge in top.outputs.values():
        name, bits = edge.name, 9 * edge.data_bytes + 3
        fields = ", ".join(f"{name}_{field}" for field in ("tdata", "tkeep", "tlast", "tuser", "tvalid"))
        lines += [
            f"    wire [{bits - 1}:0] {name}_now = {{{fields}}};",
            f"    reg [{bits - 1}:0] {name}_before;",
            f"    reg {name}_stalled;",
            f"    wire {name}_waiting = aresetn & {name}_stalled;",
            "    always @(posedge aclk) begin",
            f"        {name}_before <= {name}_now;",
            f"        {name}_stalled <= aresetn & {name}_tvalid & ~{name}_tready;",
            "    end",
        ]
    lines += [
        "    initial broken_rules = 0;",
        f"    always @(posedge aclk) if ({' | '.join(rules)}) broken_rules <= broken_rules + 1;",
        f"    accelerator dut ({', '.join(connections)});",
        "endmodule\n",
    ]
    return "\n".join(lines)


def status_names(top: AxiStreamTop) -> list[str]:
    return [name for name in top.signature.members if name.endswith(("short_frames", "long_frames"))]


def drive(top: AxiStreamTop, runs: Sequence[Mapping], folder) -> list[dict]:
    """Simulate with cocotbext-axi and return what each run received."""
    verilog = to_verilog(top, "accelerator")
    sources = {"design.v": verilog.text, "primitives.v": verilog.primitives, "testbench.v": axi_testbench(top)}
    build = verilator.build(sources, "axi_testbench")
    for name, text in verilog.memory_files.items():
        (folder / name).write_text(text)
    plan = {
        "inputs": [edge.name for edge in top.inputs.values()],
        "outputs": [edge.name for edge in top.outputs.values()],
        "status": status_names(top),
        "runs": list(runs),
    }
    simulator.run(build, folder, "axi_stream_testbench", environment={"AXI_STREAM_PLAN": json.dumps(plan)})
    result = json.loads((folder / "result.json").read_text())
    assert result["broken_rules"] == 0
    return result["runs"]


def run(packets: Mapping[str, Sequence[bytes]], frames: int, **changes) -> dict:
    run = {"packets": {name: [packet.hex() for packet in given] for name, given in packets.items()}, "frames": frames}
    run |= {"seed": 1, "source_pause": 0, "sink_pause": 0, "patient": False, "reset_after": None, "reset_cycles": 2}
    return run | changes


RUNS = (
    {},
    {"patient": True},
    *({"source_pause": 0.5, "sink_pause": 0.5, "seed": seed, "reset_cycles": 1} for seed in (1, 2)),
    {"source_pause": 0.8, "sink_pause": 0.2},
    {"source_pause": 0.2, "sink_pause": 0.8},
    *({"reset_after": after, "reset_cycles": 1} for after in (5, 21, 40, 77)),
    *({"reset_after": after, "source_pause": 0.3, "sink_pause": 0.3, "seed": after} for after in (33, 90, 150)),
)
"""Pauses at both ends, sinks that wait for TVALID, resets in mid-frame."""


def packet_frame(edge: AxiStreamEdge, elements: np.ndarray) -> np.ndarray:
    """The frame that a packet of any number of elements makes: cut, or completed by the fill."""
    whole = np.full(edge.frame.elements, edge.fill)
    count = min(len(elements), len(whole))
    whole[:count] = elements[:count]
    return whole.reshape(edge.pixels, edge.channels)


def check_frame(got: Mapping, edge: AxiStreamEdge, expected: np.ndarray, bad: bool) -> None:
    """Data, no padding, TKEEP partial on the last beat only, TUSER on the last beat only."""
    data, size = packet_bytes(expected.reshape(-1), edge.frame), edge.data_bytes
    keep = [int(byte < len(data)) for byte in range(edge.frame.beats * size)]
    assert got["keep"] == keep
    assert bytes.fromhex(got["data"])[: len(data)] == data
    assert got["user"] == [0] * (len(keep) - size) + [int(bad)] * size


LENGTHS = (21, 20, 21, 22, 0, 21, 1, 60, 21, 0, 0, 24, 21, 23, 4, 21)
"""Elements of packets that should have 21: short and long by a part of a beat, by beats, empty, and right ones."""


def test_wrong_packets_pauses_and_resets(tmp_path):
    network, weights, format, words = pointwise_network()
    top = AxiStreamTop(network, {"pixels": INPUT}, {"results": OUTPUT}, mark_depth=4)
    rng = np.random.default_rng(8)
    elements = [random_elements(rng, signed(8), (length,)) for length in LENGTHS]
    packets = [packet_bytes(given, INPUT.frame) for given in elements]
    results = drive(top, [run({"s_axis": packets}, len(packets), **changes) for changes in RUNS], tmp_path)
    for result in results:
        assert result["status"] == {
            "short_frames": sum(length < 21 for length in LENGTHS),
            "long_frames": sum(length > 21 for length in LENGTHS),
        }
        assert result["surplus"] == {"m_axis": 0}
        for got, given in zip(result["received"]["m_axis"], elements, strict=True):
            expected = format.compute(weights @ packet_frame(INPUT, given).T, words).T
            check_frame(got, OUTPUT, expected, len(given) != 21)


def test_several_inputs_and_outputs(tmp_path):
    """A packet that is wrong at one input marks the frame at every output; and marks for a single frame suffice."""
    edges = {
        "first": AxiStreamEdge("s_axis_t3", signed(8), 5, 6, 5, 2, 7),
        "second": AxiStreamEdge("s_axis_t9", signed(16), 2, 9, 2, 4, -300),
    }
    outputs = {
        "first_out": AxiStreamEdge("m_axis_t4", signed(8), 5, 6, 5, 8),
        "second_out": AxiStreamEdge("m_axis_t11", signed(16), 2, 9, 2, 2),
    }
    top = AxiStreamTop(
        queues(*edges.values()), {f"{name}_in": edge for name, edge in edges.items()}, outputs, mark_depth=1
    )
    lengths = {"first": (30, 29, 30, 30, 33, 30), "second": (18, 18, 18, 0, 17, 18)}
    rng = np.random.default_rng(8)
    elements = {
        name: [random_elements(rng, edge.shape, (length,)) for length in lengths[name]] for name, edge in edges.items()
    }
    packets = {edge.name: [packet_bytes(given, edge.frame) for given in elements[name]] for name, edge in edges.items()}
    bad = [first != 30 or second != 18 for first, second in zip(*lengths.values(), strict=True)]
    for result in drive(top, [run(packets, 6, **changes) for changes in RUNS], tmp_path):
        assert result["status"] == {
            "s_axis_t3_short_frames": 1,
            "s_axis_t3_long_frames": 1,
            "s_axis_t9_short_frames": 2,
            "s_axis_t9_long_frames": 0,
        }
        assert result["surplus"] == {"m_axis_t4": 0, "m_axis_t11": 0}
        for name, edge in edges.items():
            output = outputs[f"{name}_out"]
            for number, got in enumerate(result["received"][output.name]):
                check_frame(got, output, packet_frame(edge, elements[name][number]), bad[number])


@pytest.mark.parametrize(("channels", "lanes", "into", "out_of"), [(5, 3, 4, 4), (5, 5, 8, 2), (8, 2, 1, 16)])
def test_cycles(channels, lanes, into, out_of):
    """Free-running: interval and latency as the event models of the edges count them."""
    frames = 3
    source = AxiStreamEdge("s_axis", signed(8), channels, PIXELS, lanes, into)
    sink = AxiStreamEdge("m_axis", signed(8), channels, PIXELS, lanes, out_of)
    core = Fifo(ArrayLayout(signed(8), lanes), 4)
    top = AxiStreamTop(core, {"i": source}, {"o": sink}, mark_depth=4)
    verilog = to_verilog(top, "accelerator")
    ports = [DesignPort.axi_stream("s_axis", True, 8 * into), DesignPort.axi_stream("m_axis", False, 8 * out_of, 1)]
    design = DesignSource(
        {"design.v": verilog.text, "primitives.v": verilog.primitives},
        verilog.memory_files,
        "accelerator",
        ports,
        dict.fromkeys(status_names(top), 16),
        "aclk",
        "aresetn",
        reset_active_low=True,
    )
    x = random_elements(np.random.default_rng(4), signed(8), (frames, PIXELS, channels))
    beats = [beat for frame in x for beat in frame_beats(frame, source.frame)]
    expected = [beat for frame in x for beat in frame_beats(frame, sink.frame, user=0)]
    record = run_design(design, {"s_axis": beats}, {"m_axis": len(expected)}, frames, patience=1000)
    got = [int.from_bytes(row.tobytes(), "little") for row in record.streams["m_axis"].payloads]
    assert got == expected
    assert record.outputs == {"short_frames": 0, "long_frames": 0}
    assert record.streams["m_axis"].broken_rules == []
    entered = InputEdgeTiming.of(top.input_edges["i"]).run(np.zeros(len(beats), np.int64))
    left = OutputEdgeTiming.of(top.output_edges["o"]).run(entered + core.latency).reshape(frames, -1)
    assert record.latency("m_axis") == left[0, -1]
    assert record.interval("m_axis") == left[-1, -1] - left[-2, -1]


def lint_of(verilog: Verilog, folder) -> str:
    """What Verilator's lint finds in a design."""
    (folder / "design.v").write_text(verilog.text)
    (folder / "primitives.v").write_text(verilog.primitives)
    return lint(folder, ["design.v", "primitives.v"], verilog.top)


def test_verilog(tmp_path):
    """The same text each time, the names of AXI4-Stream, and no warning but those of style."""
    top = AxiStreamTop(pointwise_network()[0], {"pixels": INPUT}, {"results": OUTPUT}, mark_depth=4)
    verilog = to_verilog(top, "accelerator")
    again = AxiStreamTop(pointwise_network()[0], {"pixels": INPUT}, {"results": OUTPUT}, mark_depth=4)
    assert to_verilog(again, "accelerator") == verilog
    header = re.search(r"^module accelerator\((.*?)\);", verilog.text, re.MULTILINE | re.DOTALL)[1]
    fields = ("tdata", "tkeep", "tlast", "tvalid", "tready")
    expected = {"aclk", "aresetn", "short_frames", "long_frames", "m_axis_tuser"}
    expected |= {f"{name}_{field}" for name in ("s_axis", "m_axis") for field in fields}
    assert set(re.split(r",\s*", header)) == expected
    assert lint_of(verilog, tmp_path) == ""


def test_cost():
    network = pointwise_network()[0]
    top = AxiStreamTop(network, {"pixels": INPUT}, {"results": OUTPUT}, mark_depth=4)
    assert top.multipliers == 6
    assert top.memory_bits - network.memory_bits == 2 * (32 + 4 + 1) + 2 + 4 + 2 * (32 + 2)  # TKEEP is made of TLAST


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({}, {"o": OUTPUT}, "at least one input and one output"),
        ({"i": INPUT}, {"o": AxiStreamEdge("s_axis", signed(8), 3, PIXELS, 3, 4)}, "two edges are named s_axis"),
        ({"x": INPUT}, {"o": OUTPUT}, "input edges are given for ['x'], the core has ['i']"),
        ({"i": INPUT}, {"o": OUTPUT}, "the edge m_axis has beats of ArrayLayout(signed(12), 2), the core's o of"),
    ],
)
def test_top_refuses(inputs, outputs, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        AxiStreamTop(Fifo(ArrayLayout(signed(8), 3), 2), inputs, outputs, mark_depth=1)


def test_edge_refuses():
    with pytest.raises(ValueError, match="'8th' cannot begin the names of Verilog ports"):
        AxiStreamEdge("8th", signed(8), 3, PIXELS, 3, 4)
    with pytest.raises(ValueError, match="power of two of bytes, not 6"):
        AxiStreamEdge("s_axis", signed(8), 3, PIXELS, 3, 6)
