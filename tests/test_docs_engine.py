"""Figures of the engine in README and docs, against what ``mbconv plan --engine`` and the two forms' table say now."""

import re

import pytest
from test_docs_figures import DOCS, ROOT, printed

from mbconv.generators.engine.two_forms import NETWORKS, two_forms
from mbconv.models import builtin, load

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")
FILES = [name for name, *_ in NETWORKS if not builtin(name)]
OF_BOARDS = (DOCS / "engine_boards.md").read_text(encoding="utf-8")


def table(text: str, header: str) -> list[list[str]]:
    """The rows of a Markdown table with this header, back-ticks taken away."""
    (found,) = re.findall(rf"^{re.escape(header)}\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in found.splitlines()]


def planned(model: str, engine: str, *options: str) -> str:
    return "\n".join(printed("plan", model, "--engine", engine, *options))


def cycles(plan: str) -> str:
    return re.search(r"^a frame every ([\d,]+) cycles", plan, re.MULTILINE)[1]


def rate(plan: str) -> str:
    return re.search(r"MHz ([\d.,]+) frames per second", plan)[1]


def test_the_smallest_engine():
    command = re.search(
        r"takes ([\d,]+) cycles, ([\d.]+) ms \(`mbconv plan digits --engine up5k --clock 24`\)", OF_BOARDS
    )
    found = planned("digits", "up5k", "--clock", "24")
    assert command[1] == cycles(found) and f"a frame every {command[2]} ms" in found


def test_networks_on_the_default_engine():
    """Those of the table that are built in; frames alternate, so that a lone one takes a cycle less."""
    rows = [
        row for row in table((DOCS / "engine.md").read_text(), "| network | parameters | cycles |") if builtin(row[0])
    ]
    assert [row[0] for row in rows] == ["digits", "cifar10"]
    for name, parameters, count in rows:
        parameters = "channels=8" if parameters == "default" else parameters
        assert f"total {count}" in re.sub(r"total +\d+ +", "total ", planned(name, parameters)), name


def test_two_forms_of_digits():
    (row,) = (two_forms(load(name), *rest).row for name, *rest in NETWORKS if name == "digits")
    assert row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("name", "multipliers", "engine"), NETWORKS[1:], ids=[name for name, *_ in NETWORKS[1:]])
def test_two_forms(name, multipliers, engine, shared):
    graph = load(name if builtin(name) else str(shared / "models" / f"{name}.tflite"))
    assert two_forms(graph, multipliers, engine).row in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.shared
def test_a_person_detector_from_flash(shared):
    plan = planned(str(shared / "models" / "vww_96_int8.tflite"), "up5k_flash", "--clock", "24")
    for page in (OF_BOARDS, (ROOT / "README.md").read_text(encoding="utf-8")):
        text = " ".join(page.split())
        found = re.search(r"`vww_96_int8` takes ([\d,]+) cycles(?: on it)?, ([\d.]+) pictures a second", text)
        assert found.groups() == (cycles(plan), rate(plan))


def on_boards() -> list[tuple[str, str, str, str, str]]:
    """Engine, MHz, network, cycles and rate of every row of the tables of boards."""
    header = r"\n\n\| network \| cycles a frame \| pictures a second \|\n\|[-|]+\n((?:\|.*\n)+)"
    commands = rf"`mbconv plan MODEL --engine (\w+) --clock ([\d.]+)`[^|]*?{header}"
    found = [
        (engine, clock, *map(str.strip, row.replace("`", "").strip("|").split("|")))
        for engine, clock, rows in re.findall(commands, OF_BOARDS)
        for row in rows.splitlines()
    ]
    (header,) = re.findall(r"^\| network \| `.*\|$", OF_BOARDS, re.MULTILINE)
    for place, (engine, clock) in enumerate(re.findall(r"`(\w+)`: cycles a frame \|[^|]* ([\d.]+) MHz", header)):
        rows = [(row[0], *row[1 + 2 * place : 3 + 2 * place]) for row in table(OF_BOARDS, header)]
        found += [(engine, clock, *row) for row in rows if row[2]]
    return found


ROWS = on_boards()


def test_rows_of_boards_are_found():
    assert {engine for engine, *_ in ROWS} == {"ecp5_32", "ecp5_24", "ecp5_64", "gw2ar_32"}
    assert {name for engine, _, name, *_ in ROWS if engine == "ecp5_32"} == set(FILES)


@pytest.mark.parametrize(("engine", "clock", "name", "count", "shown"), [row for row in ROWS if row[2] == "digits"])
def test_digits_on_boards(engine, clock, name, count, shown):
    plan = planned(name, engine, "--clock", clock)
    assert (count, shown) == (cycles(plan), rate(plan))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(
    ("engine", "clock", "name", "count", "shown"),
    [pytest.param(*row, id=f"{row[2]}, {row[0]}") for row in ROWS if row[2] != "digits"],
)
def test_boards_with_an_sdram(engine, clock, name, count, shown, shared):
    plan = planned(name if builtin(name) else str(shared / "models" / f"{name}.tflite"), engine, "--clock", clock)
    assert (count, shown) == (cycles(plan), rate(plan))


LARGE = [row[0] for row in table(OF_BOARDS, "| network | cycles a frame | waiting for weights | instructions |")]


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", LARGE)
def test_the_engine_of_144_multipliers(name, shared):
    plan = planned(str(shared / "models" / f"{name}.tflite"), "ecp5_144")
    waits = re.search(r"^a frame every [\d,]+ cycles, ([\d,]+) waiting for weights", plan, re.MULTILINE)
    count = re.search(r"instructions ([\d,]+) of", plan)[1]
    rows = table(OF_BOARDS, "| network | cycles a frame | waiting for weights | instructions |")
    assert [name, cycles(plan), waits[1], count] in rows
