"""An engine as a block of a user's chip: what is emitted, its AXI4-Streams, its test bench."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from verilog_lint import lint

from mbconv.cli import main
from mbconv.frames import random_frames
from mbconv.generators.emission.engine_design import engine_bundle
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.program_file import upload_bytes
from mbconv.hdl.engine.axi_stream_engine import COUNTERS
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.models import load
from mbconv.sim.circuits.testbench_case import ALWAYS, HALF
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation.design_source import DesignPort, DesignSource
from mbconv.sim.simulation.run_design import run_design

TINY = (
    "channels=4,pixels=1,requantizers=4,map_words=64,weight_words=16,constant_words=16,tables=1,instructions=4,"
    "side_bits=5,kernel_bits=3,group_bits=5"
)
STREAMED = (
    "channels=4,pixels=2,requantizers=2,map_words=1024,weight_words=64,constant_words=64,tables=1,instructions=16"
)
NAMES = ((0, "short"), (1, "long"))
BLOCK = "block:pointwise,height=2,width=2,channels=3"


def run(*arguments):
    return CliRunner().invoke(main, ["emit", *map(str, arguments)])


def ports(text: str, top: str) -> set[str]:
    """Of a module."""
    (found,) = re.findall(rf"^module {top}\((.*?)\);", text, re.MULTILINE | re.DOTALL)
    return {name.strip() for name in found.split(",")}


@pytest.mark.parametrize(
    ("engine", "prefix"), [(TINY, ""), (f"{STREAMED},overlaps=1,memory_bytes=2,memory_latency=5", "my_")]
)
def test_what_is_emitted_is_whole_and_clean(engine, prefix, tmp_path):
    """Lint finds nothing, the page's instance has every port, the manifest says what lies there."""
    done = run("--engine", engine, "--name", prefix, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    top = f"{prefix}engine"
    manifest = json.loads((tmp_path / f"{prefix}manifest.json").read_text())
    assert set(manifest["files"]) | {f"{prefix}manifest.json"} == {path.name for path in tmp_path.iterdir()}
    assert manifest["engine"] and manifest["identity"] == EngineParameters.parse(manifest["engine"]).identity
    assert lint(tmp_path, manifest["verilog"], top) == ""
    text = (tmp_path / f"{top}.v").read_text()
    page = (tmp_path / f"{top}.md").read_text()
    assert set(re.findall(r"^    \.(\w+) ", page, re.MULTILINE)) == ports(text, top)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a MODEL, or --engine"),
        (["digits", "--engine", TINY], "an engine takes any MODEL"),
        (["--engine", TINY, "--testbench"], "give a MODEL as well"),
        (["--engine", TINY, "--layers", "1:2"], "--layers are of a MODEL"),
        (["--engine", TINY, "--multipliers", "8", "--litex"], "--multipliers, --litex go with a MODEL's circuit"),
        (["--engine", "lanes=3"], "--engine: 'lanes=3' is none of an engine's parameters"),
        (["digits", "--engine", TINY, "--testbench"], "the engine has map_words = 64"),
    ],
)
def test_refused(arguments, message, tmp_path):
    done = run(*arguments, "-o", tmp_path / "new")
    assert done.exit_code == 2 and message in done.output
    assert not (tmp_path / "new").exists()


def test_an_engine_is_no_design(tmp_path):
    """It is emitted over one of before; commands that take a folder of emit say what it is."""
    for _ in range(2):
        assert run("--engine", TINY, "-o", tmp_path).exit_code == 0
    done = CliRunner().invoke(main, ["sim", str(tmp_path)])
    assert done.exit_code == 2 and "holds an engine" in done.output


def program_and_frame():
    program = compile_network(load(BLOCK), EngineParameters.parse(TINY))
    (frame,) = random_frames(program.graph, 1, 3)
    (tensor,) = program.inputs
    elements = [int(value) & 0xFF for value in np.asarray(frame[tensor]).reshape(-1)]
    return program, tensor, elements


def results(program, tensor, elements) -> list[int]:
    """The golden model's bytes for such elements."""
    shape, dtype = program.graph.tensors[tensor].shape, golden_type(program, tensor)
    frame = {tensor: np.array(elements, np.uint8).view(dtype).reshape(shape)}
    (output,) = program.outputs
    return [int(value) & 0xFF for value in golden.run(program.graph, frame)[output].reshape(-1)]


def golden_type(program, tensor):
    return np.int8 if program.graph.tensors[tensor].element.signed else np.uint8


@pytest.mark.slow  # a simulator of its own
def test_packets_that_are_wrong_are_counted_and_marked():
    """Bytes without TKEEP, packets too short, too long, empty, late in their end; a damaged program before the right
    one."""
    program, tensor, right = program_and_frame()
    fill = program.graph.tensors[tensor].zero_point & 0xFF
    packet = upload_bytes(program)
    damaged = bytes([*packet[:-1], packet[-1] ^ 1])
    beats = [(byte, 1, 0) for byte in right]
    whole = [*beats[:-1], (right[-1], 1, 1)]
    sent = {  # beats (TDATA, TKEEP, TLAST); what the frame is then; whether short or long
        "right": (whole, right, (0, 0)),
        "null beats between": ([beats[0], (9, 0, 0), (9, 0, 0), *whole[1:]], right, (0, 0)),
        "short": ([*beats[:5], (right[5], 1, 1)], [*right[:6], *[fill] * 6], (1, 0)),
        "ends with a null beat": ([*beats[:5], (9, 0, 1)], [*right[:5], *[fill] * 7], (1, 0)),
        "empty": ([(9, 0, 1)], [fill] * 12, (1, 0)),
        "long": ([*beats, (1, 1, 0), (2, 1, 1)], right, (0, 1)),
        "late end": ([*beats, (9, 0, 1)], right, (0, 1)),
        "right again": (whole, right, (0, 0)),
    }
    bundle = engine_bundle(program.parameters)
    design = DesignSource(
        bundle.verilog,
        bundle.memory_files,
        bundle.top,
        [
            DesignPort.axi_stream("s_axis_program", True, 8),
            DesignPort.axi_stream("s_axis", True, 8),
            DesignPort.axi_stream("m_axis", False, 8, 1),
        ],
        {"program_loaded": 1, "program_failed": 1, "program_number": 32, **dict.fromkeys(COUNTERS, 16)},
        clock="aclk",
        reset="aresetn",
        reset_active_low=True,
        reset_cycles=1,
    )
    uploads = [byte | 1 << 8 | (n == len(part) - 1) << 9 for part in (damaged, packet) for n, byte in enumerate(part)]
    frames = [data | keep << 8 | last << 9 for given, _, _ in sent.values() for data, keep, last in given]
    wanted = []
    for _, elements, wrong in sent.values():
        found = results(program, tensor, elements)
        wanted += [byte | 1 << 8 | (n == len(found) - 1) * (1 | any(wrong) << 1) << 9 for n, byte in enumerate(found)]
    for pattern, seed in ((ALWAYS, 1), (HALF, 2)):
        record = run_design(
            design, {"s_axis_program": uploads, "s_axis": frames}, {"m_axis": len(wanted)}, 1, patience=5_000,
            source=pattern, sink=pattern, seed=seed,
        )  # fmt: skip
        assert record.streams["m_axis"].payloads[:, 0].tolist() == wanted
        counts = {f"{name}_frames": sum(wrong[side] for _, _, wrong in sent.values()) for side, name in NAMES}
        assert record.outputs == counts | {
            "program_loaded": 1,
            "program_failed": 0,
            "program_number": int.from_bytes(packet[-4:], "little"),
            "damaged_results": 0,
        }


@pytest.mark.slow  # a simulator of its own, and Python at every edge
@pytest.mark.parametrize(
    "engine",
    [
        f"{STREAMED},memory_bytes=1/2,memory_latency=20",
        f"{STREAMED},overlaps=1,memory_bytes=2,memory_latency=5",
        f"{STREAMED},input_elements=2".replace("weight_words=64", "weight_words=1024"),
    ],
)
def test_the_emitted_bench_passes(engine, tmp_path):
    """Uploads of digits and frames through the emitted Verilog, with and without stalls, cycles as the manifest says;
    an element that is wrong is found."""
    done = run("digits", "--engine", engine, "--testbench", "-o", tmp_path)
    assert done.exit_code == 0, done.output

    def passes() -> bool:
        command = [sys.executable, tmp_path / "testbench" / "run.py"]
        finished = subprocess.run(command, capture_output=True, text=True)
        assert "2 tests" in finished.stdout, finished.stdout + finished.stderr
        return finished.returncode == 0

    assert passes()
    vectors = json.loads((tmp_path / "testbench" / "vectors.json").read_text())
    packet = vectors["outputs"]["m_axis"][-1]
    vectors["outputs"]["m_axis"][-1] = f"{packet[:-2]}{int(packet[-2:], 16) ^ 1:02x}"
    (tmp_path / "testbench" / "vectors.json").write_text(json.dumps(vectors))
    assert not passes()
