"""Figures in README and docs, against what their commands print now."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.command_bench import _buffers
from mbconv.fpga import area, budgets, rom_limit
from mbconv.generators.emission.board import model_hash, plan_hash
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.ranges import block_ranges
from mbconv.generators.planning.latency_plan import plan_for_latency
from mbconv.generators.planning.nearest_plan import list_plans
from mbconv.generators.planning.plan_report import report_design
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.stages.network import build_network
from mbconv.models import load

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
STAGES = {"digits": 16, "cifar10": 64, "cifar10_v3": 64}

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


def lines(text: str) -> list[str]:
    """Without the spaces at both ends, and without empty lines, which tables have around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def printed(*command: str) -> list[str]:
    done = CliRunner(env={"COLUMNS": "150"}).invoke(main, list(command))
    assert done.exit_code == 0, done.stderr
    return lines(done.stdout)


def block(page: Path, first: str) -> list[str]:
    """The lines of the fenced block that begins so."""
    found = re.search(rf"^```\n({re.escape(first)}.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"{page.name} has no block that begins {first!r}"
    return lines(found[1])


def cells(page: Path, first: str) -> list[str]:
    """The cells of the row of a table whose first cell begins so."""
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {first}")]
    assert len(rows) == 1, f"{page.name} has {len(rows)} rows that begin {first!r}"
    return [cell.strip() for cell in rows[0].strip("|").split("|")]


def test_the_table_of_a_plan():
    assert block(DOCS / "planning.md", "digits, planned") == printed("plan", "digits", "--multipliers", "16")


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        ("V1:", "block:separable,height=56,width=56,channels=144"),
        ("V2:", "block:inverted_residual,height=56,width=56,channels=24,expansion=6,stride=1"),
    ],
)
def test_the_linear_bottleneck(row, spec):
    found = printed("plan", spec, "--fps", "442.8", "--clock", "100")
    (depthwise,) = (re.split(r" {2,}", line) for line in found if "_depthwise " in line and "100.0%" in line)
    total = next(re.split(r" {2,}", line) for line in found if line.startswith("total"))
    macs = next(re.search(r": ([\d,]+) MACs", line) for line in found if "MACs" in line)[1]
    assert cells(DOCS / "mobilenetv2.md", row)[1:] == [macs, total[2], depthwise[4], total[-1], depthwise[-1]]


@pytest.mark.parametrize("name", STAGES)
def test_stages_of_the_built_in_models(name):
    """The columns of multipliers and cycles, stage by stage."""
    report = report_design(make_design(load(name), multipliers=STAGES[name]))
    stages = [stage for stage in report.stages if stage.multipliers]
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    table = re.search(rf"multipliers of {STAGES[name]} \| cycles \|\n\|[-|]+\n((?:\|.*\n)+)", page)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    multipliers, cycles = (
        [int(number.replace(",", "")) for row in rows for number in re.findall(r"\d[\d,]*\d|\d", row[column])]
        for column in (2, 3)
    )
    assert multipliers == [stage.multipliers for stage in stages]
    assert cycles == [stage.cycles for stage in stages]


def test_the_demo():
    """What README shows of ``make demo`` that is predicted; its tests show that simulations agree."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    graph = load("digits")
    for name, part in (("digits_1_5: 4 operators", graph.layers(1, 5)), ("digits: 11 operators", graph)):
        found = text[text.index(name) :]
        design = make_design(part, multipliers=16)
        for quantity, value in (("interval", design.schedule.interval), ("latency", design.schedule.latency)):
            assert re.search(rf"{quantity}, cycles +([\d,]+) +([\d,]+)", found).groups() == (f"{value:,}", f"{value:,}")
        assert f"{name}, {design.schedule.frames} frames back to back" in found
        used = re.search(r"\n(\d+ multipliers of .*?%) of the budget", found)[1]
        efficiency = f"MAC efficiency {design.mac_efficiency:.1%}"
        assert used == f"{design.multipliers} multipliers of 16; {design.macs:,} MACs a frame; {efficiency}"


def test_the_board_that_is_served():
    """The identity that measure and selftest show of digits at 8 multipliers."""
    design = make_design(load("digits"), multipliers=8)
    text = (DOCS / "boards.md").read_text(encoding="utf-8")
    shown = f"model {model_hash(design.graph).hex()}, plan {plan_hash(design).hex()}, {design.multipliers} multipliers"
    assert text.count(shown) == 2
    schedule = design.schedule
    assert f"interval {schedule.interval:,} cycles, latency {schedule.latency:,} cycles (predicted)" in text


def test_queues_in_the_page_of_design():
    """The example of a residual's delay."""
    text = " ".join((DOCS / "design.md").read_text(encoding="utf-8").split())
    found = re.search(r"`mbconv emit (block:\S+) --multipliers (\d+) -o DIR` writes (.*?) for the bursts of", text)
    schedule = make_design(load(found[1]), multipliers=int(found[2])).schedule
    shown = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+\d) (?:and two|beats)", found[3])]
    assert shown == [schedule.interval, *(depth for depth in schedule.depths.values() if depth)]


@pytest.mark.parametrize("name", [name for name, circuit in area.CIRCUITS.items() if circuit[3] != area.ENGINE])
def test_cells(name):
    """The columns of measured cells, as make area keeps them."""
    before, kept = (area.figures()[name][when] for when in ("before", "kept"))
    kinds = ("cells", "registers", "memories")
    numbers = [f"{count[kind]:,}" for kind in kinds for count in (before, kept)]
    row = f"{name} | {area.CIRCUITS[name][2]} | {numbers[0]} |"
    assert cells(DOCS / "fpga.md", row)[2:9] == [*numbers, f"{kept['cells'] / before['cells']:.0%}"]


@pytest.mark.parametrize("name", [name for name, circuit in area.CIRCUITS.items() if circuit[3] != area.ENGINE])
def test_estimated_cells(name):
    """The columns beside them: what a plan counts with, and how far off that is."""
    if not area.available(name):
        pytest.skip("its model is not here")
    estimated, kept = area.estimate(name), area.figures()[name]["kept"]["cells"]
    row = f"{name} | {area.CIRCUITS[name][2]} | {area.figures()[name]['before']['cells']:,} |"
    assert cells(DOCS / "fpga.md", row)[9:] == [f"{estimated:,}", f"{estimated / kept - 1:+.1%}"]


def test_cells_of_digits():
    kept = area.figures()["digits at 8"]["kept"]
    text = (DOCS / "digits.md").read_text(encoding="utf-8")
    assert f"{kept['cells']:,} of its 5,280 logic cells, {kept['memories']} of its 30 block RAMs" in text


def test_networks_in_the_page_of_planning():
    """The same rows as in README's table."""
    text = (DOCS / "planning.md").read_text(encoding="utf-8")
    table = re.search(r"\| network \| multipliers \| interval \| MAC efficiency \|\n\|[-|]+\n((?:\|.*\n)+)", text)[1]
    found = [[cell.strip().replace(" %", "%") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    expected = {(row[0], row[1]): [row[3], row[6]] for row in measured()}
    assert len(found) >= 8
    for name, multipliers, *figures in found:
        assert figures == expected[name, multipliers.replace(",", "")], name


def test_lone_frames_in_the_page_of_planning():
    """The rows of digits: interval and latency of the plan for each."""
    text = (DOCS / "planning.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| digits \| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|\n", text)
    assert len(rows) == 2
    graph = load("digits")
    for multipliers, *figures in rows:
        plans = [plan(build_network(graph), int(multipliers)) for plan in (plan_for_multipliers, plan_for_latency)]
        schedules = [make_design(graph, plan=plan).schedule for plan in plans]
        assert figures == [f"{value:,}" for s in schedules for value in (s.interval, s.latency)]


@pytest.mark.shared
@pytest.mark.parametrize("case", range(4))
def test_small_roms(case, shared):
    """The table of docs/fpga.md."""
    model, multipliers, device = rom_limit.NETWORKS[case]
    row = cells(DOCS / "fpga.md", f"{Path(model).stem} at {multipliers} | {device} | 4")
    model = str(shared / "models" / Path(model).name) if model.endswith(".tflite") else model
    found = rom_limit.small_roms(model, multipliers, device)
    assert row[2:] == [
        str(found.roms),
        f"{found.luts:,} of {found.all_luts:,}",
        str(found.blocks),
        f"{found.all_blocks} of {found.available_blocks}",
    ]


def budgets_printed(*arguments: str) -> list[str]:
    """The rows of a table of ``python -m mbconv.fpga.budgets``."""
    out = StringIO()
    with redirect_stdout(out):
        budgets.main(arguments)
    return out.getvalue().splitlines()[2:]


def test_block_rams_of_cifar10_v3():
    (row,) = budgets_printed("cifar10_v3", "ulx3s-85f", "64")
    count = row.split(" | ")[3]
    for page in ("cifar10_v3", "mobilenetv3"):
        assert re.search(rf"{count}( of an ECP5's block RAMs| `DP16KD` at 64)", (DOCS / f"{page}.md").read_text()), page


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("page", "model", "budget"),
    [
        ("fpga", "vww_96_int8", "156 190 220 256 285 320"),
        ("mobilenetv3", "ppocr_cls_mnv3s035_int8", "54 64 128 256"),
        ("mobilenetv3", "ppocr_cls_mnv3s035_int8", "32 64 128 --layers 0:64"),
    ],
)
def test_budgets(page, model, budget, shared):
    rows = budgets_printed(str(shared / "models" / f"{model}.tflite"), "ulx3s-85f", *budget.split())
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert budget in " ".join(text.split()) and "\n".join(rows) in text


@pytest.mark.slow
@pytest.mark.shared
def test_dsp_blocks_of_requantisations(shared):
    """What they save of VWW at 320 multipliers."""
    arguments = str(shared / "models" / "vww_96_int8.tflite"), "ulx3s-85f", "320"
    (with_them,), (without,) = budgets_printed(*arguments), budgets_printed(*arguments, "--products-only")
    _, rows, interval, rams, luts, _ = with_them.strip("| ").split(" | ")
    text = " ".join((DOCS / "fpga.md").read_text(encoding="utf-8").split())
    assert f"{320 - int(rows)} products have one and {rows} are in rows, {156 - 320 + int(rows)} blocks are" in text
    _, _, same, more_rams, more_luts, _ = without.strip("| ").split(" | ")
    assert f"{luts} remain of {more_luts}, at the same interval of {interval} cycles" in text and same == interval
    assert f"{rams} of 208 `DP16KD` instead of {more_rams}" in text


@pytest.mark.shared
def test_plans_within_a_boards_multipliers(shared):
    page = (DOCS / "planning.md").read_text(encoding="utf-8")
    counts = re.search(
        r"within a board's multipliers \(VWW (\d+) within 156, MobileNetV2-0.35-160 (\d+)\)", page
    ).groups()
    for name, count in zip(("vww_96_int8", "mobilenetv2_160_035_cfu"), counts, strict=True):
        network = build_network(load(str(shared / "models" / f"{name}.tflite")))
        assert len(list_plans(network, plan_for_multipliers(network, 156, sharing=False).interval, 156)) == int(count)


@pytest.mark.slow
@pytest.mark.shared
def test_blocks_of_a_mobilenet(shared):
    """README's table of every block: what is predicted of each."""
    graph = load(str(shared / "models" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"))
    rows = [re.split(r" {2,}", line) for line in block(ROOT / "README.md", " layers   operators")][2:-1]
    ranges = block_ranges(graph)
    assert len(rows) == len(ranges) == 19
    for row, (first, last) in zip(rows, ranges, strict=True):
        design = make_design(graph.layers(first, last), multipliers=64)
        interval, latency = f"{design.schedule.interval:,}", f"{design.schedule.latency:,}"
        assert row[0] == f"{first}:{last}"
        assert [row[2], *row[4:]] == ["0", interval, interval, latency, latency, str(design.multipliers)]


@pytest.mark.slow
def test_what_waits_for_what():
    """The page of verification shows where a block of digits stalls and starves."""
    found = printed("sim", "digits", "--layers", "1:5", "--multipliers", "16", "--stalls")
    table = block(DOCS / "verification.md", " stream of  ")
    first = found.index(table[0])
    assert found[first : first + len(table)] == table


def measured() -> list[list[str]]:
    """The rows of README's table of whole networks."""
    rows = [re.split(r" {2,}", line) for line in block(ROOT / "README.md", " network  ")]
    return [row for row in rows if len(row) > 10 and row[0] != "network"]


def check_row(row: list[str], model: str) -> None:
    """What does not need a simulation."""
    design = make_design(load(model), multipliers=int(row[1]))
    buffers = _buffers(design)
    schedule = design.schedule
    assert row[2:7] == [
        *(f"{value:,}" for value in (design.macs, schedule.interval, schedule.interval, schedule.latency)),
        f"{design.mac_efficiency:.1%}",
    ]
    assert row[8:11] == [
        f"{buffers['line_buffer_bytes']:,} B",
        f"{buffers['residual_delay_bytes']:,} B",
        f"{design.memory_bits // 8:,} B",
    ]


@pytest.mark.parametrize("name", STAGES)
def test_readme_of_the_built_in_models(name):
    (row,) = (row for row in measured() if row[0] == name)
    check_row(row, name)


@pytest.mark.slow
@pytest.mark.shared
def test_readme_of_the_larger_models(shared):
    rows = [row for row in measured() if row[0] not in STAGES]
    assert len(rows) == 6
    for row in rows:
        check_row(row, str(shared / "models" / f"{row[0]}.tflite"))
