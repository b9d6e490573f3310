"""What gowin_pack wrote, read back by gowin_unpack's tables: the cells of the bitstream are those that were placed."""

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from mbconv.fpga.boards import find_board
from mbconv.fpga.flow.bitstream import build_bitstream
from mbconv.generators.emission.design import make_design
from mbconv.models import load


def read_back(die: str, bitstream: Path) -> tuple[Counter, set[str]]:
    """Cells of each kind, DSP macros among them, and what the configuration of the macros is made of."""
    from apycula import chipdb, gowin_unpack
    from apycula.bslib import read_bitstream

    database = chipdb.load_chipdb(str(files("apycula") / f"{die}.msgpack.xz"))
    gowin_unpack._device = die
    gowin_unpack._pinout = database.pinout[die][gowin_unpack._packages[die]]
    found, settings = Counter(), set()
    for (row, column), tile in chipdb.tile_bitmap(database, read_bitstream(str(bitstream))[0]).items():
        for name, modes in gowin_unpack.parse_tile_(database, row, column, tile)[0].items():
            found[re.sub(r"\d", "", name)] += 1
            if name.startswith("DSP"):
                settings |= {str(mode) for mode in modes}
    return found, settings


def placed(routed: Path) -> Counter:
    """The same of what nextpnr wrote; a macro is half a DSP block, of up to four products."""
    cells = json.loads(routed.read_text(encoding="utf-8"))["modules"]["top"]["cells"].values()
    kinds = {"ALU": "ALU", "RAM16SDP4": "RAM", "rPLL": "RPLLA"}
    found = Counter(kinds[cell["type"]] for cell in cells if cell["type"] in kinds)
    found["BSRAM"] = sum("BSRAM" in cell["attributes"].get("NEXTPNR_BEL", "") for cell in cells)
    found["DSP"] = len({cell["attributes"]["NEXTPNR_BEL"][:-1] for cell in cells if cell["type"] == "MULT9X9"})
    return found


@pytest.mark.slow
def test_a_bitstream_holds_what_was_placed(tmp_path):
    board = find_board("tang-nano-9k")
    design = make_design(load("digits").layers(9, 11), multipliers=2, family=board.part.resources.circuits)
    built = build_bitstream(design, board, tmp_path, clock_mhz=27)
    found, settings = read_back("GW1N-9C", built.path)
    wanted = placed(built.made.best.output)
    assert wanted["DSP"] and wanted["BSRAM"] and {kind: found[kind] for kind in wanted} == wanted
    assert not any(setting.startswith("IRBY") for setting in settings), "the products' input registers are on"
