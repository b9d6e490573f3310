"""Nexus' PLL: its dividers keep the data sheet's limits, its filter is LiteX's; slow: both reach the bitstream."""

import contextlib
import io
import re
from fractions import Fraction

import pytest

from mbconv.fpga.boards import find_board
from mbconv.fpga.families import find_part
from mbconv.fpga.flow.bitstream import _clock, build_bitstream
from mbconv.fpga.flow.pll import Reference
from mbconv.fpga.flow.tools import run_tool
from mbconv.fpga.nexus.loop_filter import loop_filter
from mbconv.fpga.nexus.pll import pll
from mbconv.generators.emission.design import make_design
from mbconv.models import load


def settings(verilog: str) -> dict[str, str]:
    return dict(re.findall(r'\.(\w+)\("(\w+)"\)', verilog))


@pytest.mark.parametrize("reference", [18, 25, 27, 48, 50, 100, 125, 500])
@pytest.mark.parametrize("wanted", [7, 33.3, 66, 101.7, 150])
def test_dividers_keep_the_limits(reference, wanted):
    found = pll(reference, wanted)
    told = settings(found.verilog)
    divider, feedback, output = int(told["REF_MMD_DIG"]), int(told["DIVF"]) + 1, int(told["DIVA"]) + 1
    assert 18 <= Fraction(reference, divider) <= 500
    assert 800 <= Fraction(reference * feedback, divider) <= 1600
    assert found.mhz == pytest.approx(reference * feedback / divider / output, rel=1e-12)
    assert wanted * 0.99 < found.mhz <= wanted * (1 + 1e-9)
    assert (told["DELF"], told["DELA"]) == (told["DIVF"], told["DIVA"])
    assert told["REF_MMD_PULS_CTL"] == ("0b0000" if divider <= 2 else "0b0001")


def test_a_reference_below_the_range():
    """Only where the board says so, and then undivided."""
    part = find_part("LIFCL-40")
    assert pll(12, 60) is None and part.family.pll(part, Reference(12, "L13"), 60) is None
    found = part.family.pll(part, Reference(12, "L13", below_range=True), 60)
    assert found.mhz == 60 and settings(found.verilog)["REF_MMD_DIG"] == "1"
    assert pll(25, 60, True) == pll(25, 60), "a reference in the range keeps to it"
    assert [_clock(find_board(name), 60)[0] for name in ("crosslink-nx-evn", "crosslink-nx-evn-pll")] == [12, 60]


@pytest.mark.parametrize(("reference", "feedback"), [(12, 67), (12, 103), (25, 40), (27, 33), (50, 20), (100, 12)])
def test_the_filter_is_that_of_litex(reference, feedback):
    """Of the release here, which takes the reference for MHz where it compares it with the bandwidth."""
    litex = pytest.importorskip("litex.soc.cores.clock.lattice_nx", reason="compares with LiteX: pip install litex")
    with contextlib.redirect_stdout(io.StringIO()):
        expected = litex.NXPLL().calc_optimal_params(reference, feedback)
    found = loop_filter(reference, feedback).parameters
    assert {name: value.strip('"') for name, value in found.items()} == expected


def test_no_filter_suits():
    with pytest.raises(ValueError, match=r"a reference of 0\.1 MHz and a feedback of 100"):
        loop_filter(0.1, 100)


@pytest.mark.slow
def test_the_setting_is_in_the_bitstream(tmp_path):
    """What nextpnr gives the packer is what the netlist was given, and a divider is in one byte that the bitstream
    writes to the PLL's registers. (prjoxide's ``unpack`` leaves these registers out.)"""
    board = find_board("crosslink-nx-evn-pll")
    design = make_design(load("digits").layers(9, 11), multipliers=2, family=board.part.resources.circuits)
    built = build_bitstream(design, board, tmp_path, clock_mhz=60)
    assert built.clock_mhz == 60 <= built.made.best.fmax_mhz
    routed = built.made.best.output.read_text(encoding="utf-8")
    found = dict(re.findall(r"IP_PLL_\w+\.(\w+)\[\d+:0\] = \d+'b([01]+)", routed))
    given = settings(_clock(board, 60)[1].verilog)
    for name in ("DIVA", "DELA", "DIVF", "DELF", "REF_MMD_DIG", "FBK_MMD_DIG"):
        assert int(found[name], 2) == int(given[name]), name
    for name in ("IPP_CTRL", "BW_CTL_BIAS", "IPP_SEL", "IPI_CMP", "IPI_CMPN", "KP_VCO", "V2I_PP_ICTRL"):
        assert found[name] == given[name][2:], name
    for name in ("CSET", "CRIPPLE", "V2I_PP_RES", "V2I_KVCO_SEL", "CLKMUX_FB"):  # SEL_FBK is a way of wires
        assert re.search(rf"\.{name}\.{given[name]}\b", routed), name
    other = re.sub(r"(\.DIVF\[6:0\] = )7'b[01]+", r"\g<1>7'b0000001", routed)
    (tmp_path / "other.fasm").write_text(other, encoding="utf-8")
    run_tool("yowasp-prjoxide", ["pack", "other.fasm", "other.bit"], tmp_path, "other.log")
    first, second = (registers(path.read_bytes()) for path in (built.path, tmp_path / "other.bit"))
    assert first.keys() == second.keys() and len(first) > 50
    assert len([address for address in first if first[address] != second[address]]) == 1


def registers(bitstream: bytes) -> dict[bytes, bytes]:
    """Address and value of each byte that a bitstream writes to a PLL: the bus' address, padding, a write of one."""
    return dict(re.findall(rb"\xf6\0\0\0(\x0e...)\xff{9}\x72\xd0\0\x01(.)", bitstream, re.DOTALL))
