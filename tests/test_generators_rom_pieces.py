"""Requantisation words in pieces where block RAM is short: fewer blocks, the same cycles and results."""

from dataclasses import replace

import pytest

from mbconv.fpga.families import find_part
from mbconv.frames import random_frames
from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.planning.board_plan import design_cost
from mbconv.generators.planning.resources import Resources
from mbconv.hdl.verilog import to_verilog
from mbconv.models import load
from mbconv.sim.simulation.simulate import simulate

ECP5 = find_part("LFE5U-85F").resources
BLOCK = "block:inverted_residual,height=4,width=4,channels=16,expansion=3,stride=1"


def design(block_rams: int) -> Design:
    return make_design(load(BLOCK), 6, device=replace(ECP5, dsp_blocks=0, block_rams=block_rams))


def block_rams(made: Design) -> int:
    return Resources(design_cost(made), ECP5).block_rams


def test_only_where_block_ram_is_short():
    roomy = design(100)
    assert not any(stage.rom_pieces for stage in roomy.stages)
    needed = block_rams(roomy)
    tight = design(needed)
    assert block_rams(tight) < needed
    pieces = {stage.name: stage.rom_pieces["requantization"] for stage in tight.stages}
    assert max(pieces.values()) == 2 and min(pieces.values()) == 1, pieces
    for stage in tight.stages:
        assert pieces[stage.name] <= (stage.mac.interval if stage.mac and not stage.mac.biased else 1)
    assert tight.schedule.latency == roomy.schedule.latency


def test_the_memories_of_the_verilog_are_those_counted():
    made = design(1)
    verilog = to_verilog(made.core(), "core")
    roms = {cell.name: (cell.width, cell.depth) for cell in verilog.memories if cell.kind == "rom"}
    split = [stage for stage in made.stages if stage.rom_pieces.get("requantization", 1) > 1]
    assert split
    for stage in split:
        pieces, words = stage.rom_pieces["requantization"], stage.sources["requantization"]
        width = stage.mac.format.word_bits * stage.mac.lanes
        assert roms[f"{stage.name}_requantization"] == (-(-width // pieces), pieces * len(words))


@pytest.mark.slow
def test_simulated_as_predicted():
    made = design(1)
    assert any(stage.rom_pieces.get("requantization", 1) > 1 for stage in made.stages)
    frames = random_frames(made.graph, made.schedule.frames, 5)
    result = simulate(made, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.interval_cycles == made.schedule.interval
    assert result.latency_cycles == made.schedule.latency
