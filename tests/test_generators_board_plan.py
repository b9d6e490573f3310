"""Plans for boards: the fastest where it fits, else the fastest that does, else what is short and who has it."""

from dataclasses import replace

import pytest

from mbconv.fpga.boards import boards, find_board
from mbconv.fpga.families import find_part
from mbconv.generators.emission.board import linked_cost
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.board_plan import (
    check_board,
    design_cost,
    design_for_board,
    shortages,
)
from mbconv.generators.planning.device import Board
from mbconv.generators.planning.plan_report import report_design
from mbconv.generators.planning.planner import plan_for_interval, plan_for_multipliers, slowest_interval
from mbconv.generators.planning.resources import Resources
from mbconv.generators.stages.network import build_network
from mbconv.models import load

ECP5_25, UP5K = find_part("LFE5U-25F").resources, find_part("iCE40UP5K").resources

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


@pytest.fixture(scope="module")
def graph():
    return load("digits")


def board(**changes) -> Board:
    return Board("mine", "Mine", replace(ECP5_25, name="FPGA", **changes))


def test_resources_are_those_of_the_design(graph):
    design = make_design(graph, multipliers=20)
    found = design_cost(design)
    assert found.multipliers == design.plan.multipliers == design.multipliers
    # Beside the stages and their queues there are the edges' queues of two beats and the fronts of block RAM queues.
    assert design.memory_bits <= found.memory_bits <= design.memory_bits + 4000


def test_the_fastest_plan_where_it_fits(graph):
    design = design_for_board(graph, find_board("ulx3s-25f"))
    expected = plan_for_multipliers(build_network(graph), 28, sharing=False)
    assert (design.plan.interval, design.plan.budget, design.budget) == (expected.interval, 28, 28)
    assert not shortages(design, ECP5_25)


def test_the_fastest_that_fits_where_luts_bind(graph):
    graph = graph.layers(1, 5)
    network = build_network(graph)
    fastest = make_design(graph, plan=plan_for_multipliers(network, 28, sharing=False))
    slowest = make_design(graph, plan=plan_for_interval(network, slowest_interval(network), sharing=False))
    counts = [Resources(linked_cost(design), ECP5_25).luts for design in (slowest, fastest)]
    assert counts[0] < counts[1]
    small = board(luts=int(sum(counts) / 2 / ECP5_25.lut_share) + 1)
    design = design_for_board(graph, small)
    assert not shortages(design, small.device)
    assert fastest.plan.interval < design.plan.interval < slowest.plan.interval
    shorter = plan_for_interval(network, design.plan.interval - 1, sharing=False)
    assert shortages(make_design(graph, plan=shorter), small.device), "the next shorter interval does not fit"


def test_a_board_counts_its_link(graph):
    """A device that holds the design alone, but not with the link that ``build --board`` puts around it."""
    graph = graph.layers(1, 5)
    alone = design_for_board(graph, board(), count=design_cost)
    device = board(luts=int(Resources(design_cost(alone), ECP5_25).luts / ECP5_25.lut_share) + 1)
    assert design_for_board(graph, device, count=design_cost).plan.interval == alone.plan.interval
    assert design_for_board(graph, device).plan.interval > alone.plan.interval
    assert Resources(linked_cost(alone), ECP5_25).luts > Resources(design_cost(alone), ECP5_25).luts + 500


def test_too_few_multipliers(graph):
    with pytest.raises(GraphError) as caught:
        design_for_board(graph, board(dsp_blocks=7), boards())
    text = str(caught.value)
    assert "digits needs at least 8 multipliers, one for each stage that multiplies, more than Mine (FPGA: 7 " in text
    assert "boards that are large enough: ulx3s-12f, " in text


def test_too_little_memory(graph):
    graph = graph.layers(1, 5)
    with pytest.raises(GraphError) as caught:
        design_for_board(graph, board(block_rams=1, luts=100), boards())
    text = str(caught.value)
    assert text.startswith(
        "Mine (FPGA: 28 multipliers, 1 DP16KD, 100 LUTs) is too small for digits_1_5: the nearest of "
    )
    assert " of 1 DP16KD and " in text and " of 90 LUTs" in text and " even without queues; " in text
    assert "boards that are large enough: ulx3s-12f" in text


def test_no_board_is_large_enough(graph):
    graph = graph.layers(1, 5)
    others = (Board("up5k", "UP5K", replace(UP5K, block_rams=0)),)
    with pytest.raises(GraphError, match="no board of the table is large enough"):
        design_for_board(graph, board(block_rams=0), others)


def test_a_given_plan_is_checked(graph):
    design = make_design(graph, multipliers=20)
    check_board(design, find_board("ulx3s-25f"))
    count = design.multipliers
    with pytest.raises(GraphError) as caught:
        check_board(design, board(dsp_blocks=count - 1))
    text = str(caught.value)
    assert f"it needs {count} of {count - 1} multipliers; the nearest plan that fits has" in text
    assert "(--board mine)" in text


def test_the_report_of_a_design(graph):
    design = make_design(graph, multipliers=16)
    report = report_design(design)
    assert (report.interval, report.latency) == (design.schedule.interval, design.schedule.latency)
    assert report.memory_bits == design.memory_bits == sum(stage.memory_bits for stage in report.stages)
    assert float(report.efficiency) == pytest.approx(design.mac_efficiency, rel=1e-12)
    assert [stage.cycles for stage in report.stages] == [stage.cycles for stage in design.stages]
    assert [stage.multipliers for stage in report.stages] == [stage.multipliers for stage in design.stages]


def test_short_intervals_end():
    """Where the interval falls to about a hundred cycles, a hundredth of it is less than one."""
    graph = load("digits").layers(8, 11)
    small = board(luts=800, dsp_blocks=8)
    try:
        design = design_for_board(graph, small)
    except GraphError as error:
        assert "too small" in str(error)
    else:
        assert not shortages(design, small.device)


def test_weights_that_no_plan_makes_fit(graph, monkeypatch):
    monkeypatch.setattr("mbconv.generators.planning.board_plan.make_design", None)  # nothing is built to see it
    with pytest.raises(GraphError, match=r"too small for digits: its weights alone are [\d,]+ bytes, and its memory"):
        design_for_board(graph, board(block_rams=0, luts=1000), boards())
