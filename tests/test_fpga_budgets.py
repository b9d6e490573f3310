"""What budgets of multipliers take of a board's FPGA."""

from mbconv.fpga import budgets
from mbconv.fpga.boards import find_board
from mbconv.models import load


def test_more_multipliers_than_dsp_blocks_are_rows(capsys):
    device = find_board("icebreaker").part.resources
    few, many = (budgets.budget(load("digits"), device, count) for count in (8, 40))
    assert few.rows == 0 and many.rows > 0 and many.multipliers > device.multipliers
    assert many.interval < few.interval and many.luts > few.luts
    assert few.clock_mhz(1000) == few.interval / 1000
    assert budgets.main(["digits", "icebreaker", "8", "--fps", "1000"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == f"| 8 | 0 | 18,432 | {few.block_rams} | {few.luts:,} | 18.4 |"


def test_a_range_takes_less_than_the_network(capsys):
    tables = []
    for layers in ([], ["--layers", "1:5"]):
        assert budgets.main(["digits", "icebreaker", "8", *layers]) == 0
        tables.append([int(field.replace(",", "")) for field in capsys.readouterr().out.split("|")[-5:-2]])
    (interval, rams, luts), (part_interval, part_rams, part_luts) = tables
    assert part_interval < interval and part_rams < rams and part_luts < luts


def test_refusals(capsys):
    assert budgets.main(["digits", "icebreaker", "8", "--layers", "1-5"]) == 2
    assert "--layers takes A:B, not '1-5'" in capsys.readouterr().err
    assert budgets.main(["digits", "icebreaker", "8", "--layers", "5:90"]) == 2
    assert "not a range of this network" in capsys.readouterr().err
    assert budgets.main(["digits", "icebreaker", "3"]) == 2 and "at least" in capsys.readouterr().err
    assert budgets.main(["digits", "de10", "8"]) == 2 and "there is no board" in capsys.readouterr().err
