"""Targets: how they are read, what they become, and what is said where one cannot be met."""

import re
from fractions import Fraction

import pytest

from mbconv.fpga.boards import find_board
from mbconv.fpga.families import find_part
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.graph.shown import counted
from mbconv.generators.planning.planner import plan_for_interval
from mbconv.generators.planning.targets import Target, least_interval, make_target, number, plan_for_target
from mbconv.generators.stages.network import build_network
from mbconv.models import load


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 multipliers"), (1, "1 multiplier"), (2, "2 multipliers"), (2048, "2,048 multipliers")]
)
def test_counts(count, text):
    assert counted(count, "multiplier") == text


def test_plurals():
    assert [counted(2, noun) for noun in ("mismatch", "class", "box", "block")] == [
        "2 mismatches", "2 classes", "2 boxes", "2 blocks",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.000001", "1e-06"),
        ("0.00012345", "0.0001234"),
        ("0.5", "0.5"),
        ("30", "30"),
        ("187500", "187,500"),
        ("29.97", "29.97"),
    ],
)
def test_numbers(value, text):
    assert number(Fraction(value)) == text


@pytest.mark.parametrize("clock", ["0.001", "0.0123", "0.5", "12"])
def test_a_refused_rate_names_one_that_can_be_met(clock, network):
    """However small the numbers are: what a refusal names is a target that has a plan."""
    with pytest.raises(GraphError, match="nearest: ") as refused:
        plan_for_target(network, make_target(fps="1e6", clock_mhz=clock))
    fps, faster = re.search(r"nearest: (\S+) fps at \S+ MHz, or (\S+) MHz for", str(refused.value)).groups()
    for target in ((fps, clock), ("1e6", faster)):
        fps, clock = (number.replace(",", "") for number in target)
        assert float(fps) > 0 and plan_for_target(network, make_target(fps=fps, clock_mhz=clock))


@pytest.fixture(scope="module")
def network():
    return build_network(load("digits"))


def test_a_target_is_one_of_its_kinds():
    assert make_target() == Target(multipliers=64)
    assert make_target(multipliers=3).budget == 3
    assert make_target(board=find_board("ULX3S_85F")).budget == 156
    rate = make_target(fps=30, clock_mhz=50)
    assert (rate.budget, rate.interval_limit) == (None, 1_666_666)
    for fields in ({"multipliers": 3, "board": find_board("icebreaker")}, {"multipliers": 3, "fps": 1, "clock_mhz": 1}):
        with pytest.raises(GraphError, match="a target is one of"):
            make_target(**fields)
    for fields in ({"fps": 3}, {"clock_mhz": 3}, {"clock_mhz": 3, "multipliers": 3}):
        with pytest.raises(GraphError, match="give both"):
            make_target(**fields)
    for fields in ({"multipliers": 0}, {"fps": -1, "clock_mhz": 1}, {"fps": 1, "clock_mhz": 0}, {"interval": 0}):
        with pytest.raises(GraphError, match=r"must be from .* to .*, not"):
            make_target(**fields)
    for value in ("nan", "inf", "1/0", "ten"):
        with pytest.raises(GraphError, match="the frames per second must be a number, not"):
            make_target(fps=value, clock_mhz=1)


def test_rates_are_decimal():
    """In binary 0.3 MHz ÷ 0.1 fps is 2,999,999.99…; the frame has three million cycles."""
    assert make_target(fps=0.1, clock_mhz=0.3).interval_limit == 3_000_000
    assert make_target(fps=7, clock_mhz=1).interval_limit == 142_857
    assert make_target(fps=29.97, clock_mhz=12).fps == Fraction(2997, 100)


def test_a_rate_gets_the_fewest_multipliers(network):
    target = make_target(fps=1000, clock_mhz=12)
    plan = plan_for_target(network, target)
    assert plan == plan_for_interval(network, 12_000)
    assert plan.interval <= 12_000


@pytest.mark.parametrize(("fps", "clock"), [(100_000, 5), (1_000_000_000, 0.3)])
def test_the_nearest_rate_can_be_met(network, fps, clock):
    with pytest.raises(GraphError) as caught:
        plan_for_target(network, make_target(fps=fps, clock_mhz=clock))
    text = str(caught.value)
    assert "cannot be met: the input of tensor 0 (8×8×1) takes a cycle for each of its 64 pixels; nearest: " in text
    nearest = text.partition("nearest: ")[2].replace(",", "").split()
    assert plan_for_target(network, make_target(fps=nearest[0], clock_mhz=clock)).interval == 64
    assert plan_for_target(network, make_target(fps=fps, clock_mhz=nearest[6])).interval == 64


def test_the_nearest_interval(network):
    with pytest.raises(GraphError, match=r"63 cycles a frame cannot be met: .* the nearest interval is 64"):
        plan_for_target(network, make_target(interval=63))
    assert least_interval(network)[0] == 64


DP16KD = find_part("LFE5U-25F").resources.block_ram
ICE40_RAM = find_part("iCE40UP5K").resources.block_ram


@pytest.mark.parametrize(
    ("kind", "width", "depth", "blocks"),
    [
        (DP16KD, 36, 512, 1),
        (DP16KD, 37, 512, 2),
        (DP16KD, 36, 513, 2),
        (DP16KD, 18, 1024, 1),
        (DP16KD, 1, 16384, 1),
        (DP16KD, 64, 2048, 8),
        (DP16KD, 72, 16, 2),
        (ICE40_RAM, 8, 512, 1),
        (ICE40_RAM, 20, 256, 2),
    ],
)
def test_blocks_of_a_memory(kind, width, depth, blocks):
    assert kind.blocks(width, depth) == blocks
