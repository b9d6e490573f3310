"""Which stages get the DSP blocks of a device, and what that makes of a whole network."""

from dataclasses import replace

import pytest
from amaranth.hdl import signed
from test_hdl_requantize import FORMATS

from mbconv.fpga.families import find_part
from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.emission.design_verilog import design_verilog
from mbconv.generators.emission.manifest import manifest
from mbconv.generators.planning.board_plan import design_cost
from mbconv.generators.planning.dsp_share import share_dsp
from mbconv.generators.planning.resources import Resources
from mbconv.hdl.mac_parameters import DspShare, MacParameters
from mbconv.models import load
from mbconv.sim.simulation.simulate import simulate

ECP5, UP5K = find_part("LFE5U-85F").resources, find_part("iCE40UP5K").resources


def array(outputs: int, terms: int, interval: int, lanes: int = 1, format: str = "typical") -> MacParameters:
    """An array whose requantisation multiplies 20 by 24 bits."""
    return MacParameters(
        outputs=outputs,
        terms=terms,
        channels=outputs,
        steps=interval * outputs // lanes,
        data_shape=signed(8),
        weight_shape=signed(8),
        format=FORMATS[format],
        lanes=lanes,
        shared=True,
        data_latency=2,
        interval=interval,
        family=ECP5.circuits,
    )


def test_requantisations_of_short_intervals_come_first():
    arrays = {"often": array(4, 6, 1), "lanes": array(4, 4, 1, 2), "seldom": array(1, 30, 16)}
    few = share_dsp(arrays, replace(ECP5, dsp_blocks=6))
    assert few == {"often": DspShare(0, 2), "lanes": DspShare(0, 2), "seldom": DspShare(0, 0)}
    some = share_dsp(arrays, replace(ECP5, dsp_blocks=40))
    assert some == {"often": DspShare(24, 2), "lanes": DspShare(10, 2), "seldom": DspShare(0, 0)}
    all_of_it = share_dsp(arrays, ECP5)
    assert all_of_it == {"often": DspShare(24, 2), "lanes": DspShare(16, 2), "seldom": DspShare(30, 0)}
    none = share_dsp(arrays, replace(ECP5, dsp_blocks=0))
    assert set(none.values()) == {DspShare(0, 0)}


def test_pairs_share_a_block_and_a_shift_needs_none():
    """iCE40: two products of 8 bits a block, so that a pair goes before a last product alone."""
    arrays = {name: array(1, 3, 1, format="shift") for name in ("first", "second")}
    arrays = {name: replace(mac, family=UP5K.circuits) for name, mac in arrays.items()}
    assert share_dsp(arrays, replace(UP5K, dsp_blocks=3)) == {"first": DspShare(3, 0), "second": DspShare(2, 0)}
    assert share_dsp(arrays, replace(UP5K, dsp_blocks=1)) == {"first": DspShare(2, 0), "second": DspShare(0, 0)}


@pytest.fixture(scope="module")
def shared():
    """The block of cifar10 with the widest stages, on a device with fewer blocks than products."""
    return make_design(load("cifar10").layers(0, 3), 60, device=replace(ECP5, dsp_blocks=30))


def test_the_estimate_says_what_the_verilog_has(shared):
    found = Resources(design_cost(shared), shared.device)
    cells = design_verilog(shared).multipliers
    assert found.dsp_blocks == sum(cell.dsp_count for cell in cells) == 30
    assert found.products_in_luts == sum(cell.count - cell.dsp_count for cell in cells) > 0
    assert shared.multipliers == sum(cell.count for cell in cells if cell.of_array)
    assert any(cell.dsp_count and not cell.of_array for cell in cells), "requantisations have cells of their own"
    # Without sharing every multiplication of a requantisation is in rows, and so are more products.
    alone = make_design(shared.graph, plan=shared.plan, family=ECP5.circuits)
    assert found.luts < Resources(design_cost(alone), shared.device).luts
    assert shared.schedule.interval == alone.schedule.interval


def test_the_manifest_says_who_has_them(shared):
    entries = manifest(shared)
    assert entries["device"] == "LFE5U-85F"
    stages = [stage["dsp"] for stage in entries["stages"] if "dsp" in stage]
    assert len(stages) == len(shared.plan.foldings)
    lanes = [stage.mac.lanes for stage in shared.stages]
    blocks = [dsp["products"] + dsp["requantization"] * n for dsp, n in zip(stages, lanes, strict=True)]
    assert sum(blocks) == 30


@pytest.mark.slow
def test_simulated_as_predicted(shared):
    assert any(stage.mac.dsp.requantization for stage in shared.stages)
    frames = random_frames(shared.graph, shared.schedule.frames, 5)
    result = simulate(shared, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.interval_cycles == shared.schedule.interval == shared.plan.interval
    assert result.latency_cycles == shared.schedule.latency
