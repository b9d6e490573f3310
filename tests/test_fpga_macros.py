"""Macros get sites of their own, those of a stage beside each other."""

import random

import numpy as np
import pytest

from mbconv.fpga.families import find_part
from mbconv.fpga.flow import annealing, macro_wires
from mbconv.fpga.flow.annealing import Annealing
from mbconv.fpga.flow.macro_groups import GroupCost, groups_of, pins
from mbconv.fpga.flow.macro_wires import WireCost, couplings
from mbconv.fpga.flow.macros import Site, macro_places

ROWS = {"DSP": (10, 30), "RAM": (20, 40)}
SITES = {kind: [Site(f"X{x}/Y{y}/{kind}", x, y) for y in rows for x in range(12)] for kind, rows in ROWS.items()}
POSITIONS = {kind: [(site.x, site.y) for site in found] for kind, found in SITES.items()}
PLACE = {site.name: site for sites in SITES.values() for site in sites}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(annealing, "MOVES", 800)


def chain(stages: int, products: int, memories: int, order: random.Random | None = None) -> dict:
    """A netlist of stages in a row: memories feed products, products a table that feeds the next stage's memories."""
    cells, bit = {}, 10
    for stage in range(stages):
        name = f"board.core.layer_{stage}"
        for number in range(products):
            wires = {"A": [bit + number], "P": [bit + 100 + number], "CE": ["1"], "CLK": [1]}
            cells[f"{name}.array.product_{number}"] = {"type": "DSP", "connections": wires}
        for number in range(memories):
            wires = {"Q": [bit + number, bit + number + memories], "D": [bit - 1], "CLK": [1]}
            cells[f"{name}_rom.block_{number}"] = {"type": "RAM", "connections": wires}
        wires = {"A": [bit + 100 + number for number in range(products)], "Z": [bit + 999]}
        cells[f"{name}.out.table"] = {"type": "LUT4", "connections": wires}
        bit += 1000
    names = list(cells)
    if order is not None:
        order.shuffle(names)
    return {"modules": {"top": {"cells": {name: cells[name] for name in names}}}}


def spread(places: dict[str, str], wanted) -> float:
    """The mean distance of the macros of a stage from their middle."""
    found = [PLACE[site] for name, site in places.items() if wanted(name)]
    x, y = sum(site.x for site in found) / len(found), sum(site.y for site in found) / len(found)
    return sum(abs(site.x - x) + abs(site.y - y) for site in found) / len(found)


def test_every_macro_has_a_site_of_its_kind_and_no_other_cell_has():
    netlist = chain(6, 4, 4, random.Random(3))
    places = macro_places(netlist, "top", SITES, 1)
    cells = netlist["modules"]["top"]["cells"]
    assert sorted(places) == sorted(name for name, cell in cells.items() if cell["type"] in SITES)
    assert len(set(places.values())) == len(places), "no site twice, in rows that are full"
    assert all(places[name].endswith(cells[name]["type"]) for name in places)


def test_the_macros_of_a_stage_are_together():
    places = macro_places(chain(6, 4, 4, random.Random(3)), "top", SITES, 1)
    anyhow = dict(zip(places, random.Random(1).sample(list(places.values()), len(places)), strict=True))

    def mean(found: dict[str, str]) -> float:
        return sum(spread(found, lambda name, s=s: name.startswith(f"board.core.layer_{s}")) for s in range(6)) / 6

    assert mean(places) < 8 < 11 < mean(anyhow)


def test_a_seed_gives_the_same_places_and_another_one_others():
    netlist = chain(5, 4, 3)
    first = macro_places(netlist, "top", SITES, 1)
    assert first == macro_places(netlist, "top", SITES, 1) != macro_places(netlist, "top", SITES, 2)


def test_sums_that_are_kept_are_those_of_the_places():
    cells = chain(5, 4, 3)["modules"]["top"]["cells"]
    names = [name for name, cell in cells.items() if cell["type"] in SITES]
    cost = GroupCost([pins(cells[name]) for name in names], *groups_of(cells, names))
    placed = Annealing([cells[name]["type"] for name in names], POSITIONS, cost, 7)
    placed.run(lambda said: None)
    kept, first = [*cost.total, *cost.x, *cost.y], placed.first_cost
    assert cost.begin(placed.places) < first / 2
    assert kept == pytest.approx([*cost.total, *cost.x, *cost.y])
    assert len({(kind, site) for kind, site in zip(placed.kinds, placed.site, strict=True)}) == len(names)


def test_a_netlist_without_macros_and_one_with_too_many():
    tables = {"modules": {"top": {"cells": {"a.b.table": {"type": "LUT4", "connections": {"Z": [5]}}}}}}
    assert macro_places(tables, "top", SITES, 1) == {}
    with pytest.raises(ValueError, match="there are 28 DSP for 24 sites"):
        macro_places(chain(7, 4, 3), "top", SITES, 1)


def test_the_sites_of_a_device_are_as_many_as_its_cells():
    part = find_part("LFE5U-25F")
    sites = part.family.macro_sites(part)
    assert {kind: len(found) for kind, found in sites.items()} == {kind: part.cells[kind] for kind in sites}
    names = [site.name for found in sites.values() for site in found]
    assert sorted(sites) == ["DP16KD", "MULT18X18D"] and len(set(names)) == len(names)
    assert all(site.name.startswith(f"X{site.x}/Y{site.y}/") for found in sites.values() for site in found)


def one_instance(lanes: int, order: random.Random) -> dict:
    """A netlist of one instance: in each lane a memory feeds a product through a table, and each lane the next."""
    cells = {}
    for lane in range(lanes):
        wires = 10 * lane + 10
        cells[f"board.engine.product_{lane}"] = {"type": "DSP", "connections": {"A": [wires, 2], "P": [wires + 1]}}
        cells[f"board.engine.block_{lane}"] = {"type": "RAM", "connections": {"Q": [wires + 2], "D": [wires - 9, 2]}}
        cells[f"board.engine.table_{lane}"] = {"type": "LUT4", "connections": {"A": [wires + 2], "Z": [wires]}}
    names = list(cells)
    order.shuffle(names)
    return {"modules": {"top": {"cells": {name: cells[name] for name in names}}}}


def test_wires_through_logic_are_springs_one_after_another():
    cells = {
        "one": {"type": "RAM", "connections": {"Q": [10, 11]}},
        "table": {"type": "LUT4", "connections": {"A": [10], "Z": [12]}},
        "other": {"type": "RAM", "connections": {"D": [12, 11, "0"]}},
        "alone": {"type": "LUT4", "connections": {"A": [20], "Z": [21]}},
        "neighbour": {"type": "LUT4", "connections": {"A": [21], "Z": [20]}},
    }
    found = couplings(cells, ["one", "other"])  # a wire, and two behind each other, of half its strength
    assert found == pytest.approx(np.array([[1.5, -1.5], [-1.5, 1.5]]), abs=1e-4)


def test_tables_that_are_joined_most_are_one_where_there_are_many(monkeypatch):
    cells = {
        "block": {"type": "RAM", "connections": {"Q": [10]}},
        **{f"table_{n}": {"type": "LUT4", "connections": {"A": [10 + n], "Z": [11 + n]}} for n in range(3)},
        "product": {"type": "DSP", "connections": {"A": [13]}},
    }
    assert couplings(cells, ["block", "product"])[0, 1] == pytest.approx(-1 / 4, abs=1e-4)
    monkeypatch.setattr(macro_wires, "_MOST_NODES", 1)
    assert couplings(cells, ["block", "product"])[0, 1] == pytest.approx(-1 / 2, abs=1e-4)


def test_macros_of_one_instance_are_placed_by_their_wires():
    lanes = 12
    netlist = one_instance(lanes, random.Random(5))
    places = macro_places(netlist, "top", SITES, 1)
    assert len(set(places.values())) == 2 * lanes
    assert all(places[name].endswith(netlist["modules"]["top"]["cells"][name]["type"]) for name in places)

    def apart(found: dict[str, str]) -> float:
        """The mean distance of a lane's memory and product."""
        pairs = [(PLACE[found[f"board.engine.{kind}_{n}"]] for kind in ("product", "block")) for n in range(lanes)]
        return sum(abs(a.x - b.x) + abs(a.y - b.y) for a, b in pairs) / lanes

    anyhow = dict(zip(places, places.values(), strict=True))
    for kind in ("DSP", "RAM"):
        names = [name for name in places if places[name].endswith(kind)]
        sites = random.Random(1).sample([places[name] for name in names], lanes)
        anyhow |= dict(zip(names, sites, strict=True))
    assert apart(places) < 12 < 14 <= apart(anyhow)
    assert places == macro_places(netlist, "top", SITES, 1) != macro_places(netlist, "top", SITES, 2)


def test_the_pulls_that_are_kept_are_those_of_the_places():
    cells = one_instance(6, random.Random(4))["modules"]["top"]["cells"]
    names = [name for name, cell in cells.items() if cell["type"] != "LUT4"]
    cost = WireCost(couplings(cells, names))
    placed = Annealing([cells[name]["type"] for name in names], POSITIONS, cost, 3)
    for macro in range(len(names)):
        for target in range(0, 24, 5):
            if target != placed.site[macro]:
                placed.attempt(macro, target, temperature=1e9)  # taken, whatever it costs
    kept = cost.pull.copy()
    assert (cost.places == placed.places).all()
    cost.renew()
    assert kept == pytest.approx(cost.pull)
    placed.run(lambda said: None)
    assert cost.begin(placed.places) < placed.first_cost / 2


@pytest.mark.parametrize("seed", range(4))
def test_a_change_is_the_difference_of_two_costs(seed):
    """Of either cost, of moves to a free site and exchanges, kept or not."""
    chosen = random.Random(seed)
    netlist = chain(4, 3, 3, chosen) if seed % 2 else one_instance(9, chosen)
    cells = netlist["modules"]["top"]["cells"]
    names = [name for name, cell in cells.items() if cell["type"] in SITES]
    for cost in (
        GroupCost([pins(cells[name]) for name in names], *groups_of(cells, names)),
        WireCost(couplings(cells, names)),
    ):
        places = [chosen.choice(POSITIONS[cells[name]["type"]]) for name in names]
        now = cost.begin(places)
        for _ in range(40):
            one, other = chosen.sample(range(len(names)), 2)
            free = chosen.choice(POSITIONS["DSP"])
            exchange = chosen.random() < 0.5
            steps = [(one, places[one], places[other] if exchange else free)]
            steps += [(other, places[other], places[one])] if exchange else []
            change = cost.change(steps)
            if chosen.random() < 0.5:
                cost.undo()
                continue
            cost.keep()
            for macro, _, there in steps:
                places[macro] = there
            fresh = type(cost).__new__(type(cost))
            fresh.__dict__.update(cost.__dict__)
            after = fresh.begin(places)
            assert change == pytest.approx(after - now, abs=1e-6 * abs(now))
            now = after
