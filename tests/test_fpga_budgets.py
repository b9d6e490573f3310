"""What budgets of multipliers take of a board's FPGA."""

import pytest

from mbconv.cli_status import run_module
from mbconv.fpga import budgets
from mbconv.fpga.boards import find_board
from mbconv.models import load


def test_more_multipliers_than_dsp_blocks_are_rows(capsys):
    device = find_board("icebreaker").part.resources
    few, many = (budgets.budget(load("digits"), device, count) for count in (8, 40))
    assert few.rows == 0 and many.rows > 0 and many.multipliers > device.multipliers
    assert many.interval < few.interval and many.luts > few.luts
    assert few.clock_mhz(1000) == few.interval / 1000
    budgets.main(["digits", "icebreaker", "8", "--fps", "1000"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == f"| 8 | 0 | 18,432 | {few.block_rams} | {few.luts:,} | 18.4 |"


def test_requantisations_without_dsp_blocks_take_tables(capsys):
    device = find_board("ulx3s-85f").part.resources
    shared, apart = (budgets.budget(load("cifar10", (3, 7)), device, 20, products_only=only) for only in (False, True))
    assert (shared.interval, shared.multipliers, shared.rows) == (apart.interval, apart.multipliers, apart.rows)
    assert shared.rows == 0 and shared.luts < apart.luts
    budgets.main(["cifar10", "ulx3s-85f", "20", "--layers", "3:7", "--products-only"])
    assert f"| {apart.block_rams} | {apart.luts:,} |" in capsys.readouterr().out


def test_a_range_takes_less_than_the_network(capsys):
    tables = []
    for layers in ([], ["--layers", "1:5"]):
        budgets.main(["digits", "icebreaker", "8", *layers])
        tables.append([int(field.replace(",", "")) for field in capsys.readouterr().out.split("|")[-5:-2]])
    (interval, rams, luts), (part_interval, part_rams, part_luts) = tables
    assert part_interval < interval and part_rams < rams and part_luts < luts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "icebreaker", "8", "--layers", "1-5"], "'1-5' is not A:B"),
        (["digits", "icebreaker", "8", "--layers", "5:90"], "not a range of this network"),
        (["digits", "icebreaker", "3"], "at least"),
        (["digits", "de10", "8"], "there is no board"),
    ],
)
def test_refusals(arguments, message, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["budgets", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_module(budgets.main)
    assert ended.value.code == 2 and message in capsys.readouterr().err
