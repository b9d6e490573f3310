"""The floorplan: what nextpnr placed, by stage, and its picture."""

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

from mbconv.fpga.flow.floorplan import draw, read_floorplan

SVG = "{http://www.w3.org/2000/svg}"
CELLS = {
    "board.edges.core.layer_00_pointwise.mac.sum_LC": ("ICESTORM_LC", "X1/Y2/lc0"),
    "board.edges.core.layer_00_pointwise.mac.a.b_LC": ("ICESTORM_LC", "X1/Y2/lc1"),
    "board.edges.core.layer_00_pointwise.mac.product": ("ICESTORM_DSP", "X0/Y5/mac16_0"),
    "board.edges.core.layer_01_add<&>.sum_LC": ("ICESTORM_LC", "X1/Y2/lc7"),
    "board.server.crc_LC": ("ICESTORM_LC", "X4Y3/LUT0"),  # as himbaechel writes places
    "$nextpnr_GND": ("GND", None),
}
PATH = (
    "board.server.crc_LC.O",
    "board.edges.core.layer_00_pointwise.mac.a.b_LC.I0",
    "board.edges.core.layer_00_pointwise.mac.a.b_LC.O",
    "board.edges.core.layer_00_pointwise.mac.product.A_3",
)


@pytest.fixture
def placed(tmp_path):
    cells = {
        name: {"type": kind, "attributes": {} if place is None else {"NEXTPNR_BEL": place}}
        for name, (kind, place) in CELLS.items()
    }
    file = tmp_path / "placed_1.json"
    file.write_text(json.dumps({"modules": {"empty": {"cells": {}}, "top": {"cells": cells}}}))
    return file


def test_read(placed):
    found = read_floorplan(placed, PATH)
    assert found.tiles == {
        (1, 2): Counter(layer_00_pointwise=2, **{"layer_01_add<&>": 1}),
        (0, 5): Counter(layer_00_pointwise=1),
        (4, 3): Counter(server=1),
    }
    assert found.cells["layer_00_pointwise"] == Counter(ICESTORM_LC=2, ICESTORM_DSP=1)
    assert found.path == ((4, 3), (1, 2), (0, 5))
    assert found.stages == ["layer_00_pointwise", "layer_01_add<&>", "server"]


def test_picture(placed):
    found = read_floorplan(placed, PATH)
    text = draw(found, "digits on <a board>")
    assert text == draw(found, "digits on <a board>")
    tree = ElementTree.fromstring(text)
    said = [element.text for element in tree.iter(f"{SVG}text")]
    assert said[0] == "digits on <a board>"
    assert said[1:3] == ["layer_00_pointwise", "1 ICESTORM_DSP, 2 ICESTORM_LC"]
    bars = [int(bar.get("width")) for bar in tree.iter(f"{SVG}rect") if bar.get("class") == "bar"]
    assert bars == [300, 100, 100]
    titles = {title.text for title in tree.iter(f"{SVG}title")}
    assert titles == {
        "layer_00_pointwise: 2 of 3 cells at 1, 2",
        "layer_00_pointwise: 1 of 1 cells at 0, 5",
        "server: 1 of 1 cells at 4, 3",
    }
    (line,) = tree.iter(f"{SVG}polyline")
    # 8 pixels a tile, row 5 uppermost, below a line of 16 pixels; from tile middle to tile middle
    assert line.get("points") == "36,36 12,44 4,20"


def test_a_placement_without_places(tmp_path):
    (tmp_path / "placed.json").write_text('{"modules": {"top": {"cells": {}}}}')
    with pytest.raises(ValueError, match="has no cell with a place"):
        read_floorplan(tmp_path / "placed.json", ())
