"""Which stages get an FPGA's DSP blocks: the one place where that is decided.

Products of multiply-accumulate arrays and the multiplications of requantisations can each be made in DSP blocks or in
rows of carry chains. A product of 8 × 8 bits takes some 140 four-input tables in rows, a requantisation with operands
every cycle or two some 800, for which one or two blocks stand in: where there are more products than blocks, the
requantisations come first. Steps are taken in the order of what they save for each block until none is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mbconv.hdl.mac_parameters import DspShare, MacParameters
from mbconv.hdl.requantize_multiply import cheapest_plan, possible_plans

from .device import Device

LEAST_SAVING = 0.5
"""Of what a product takes in rows: a requantisation takes no block that saves less, since it also costs registers."""


@dataclass(frozen=True)
class _Step:
    """``blocks`` more for a stage, each of which saves so many tables.

    ``products`` of its array are in blocks then, taken one block after the other; otherwise ``requantization`` is the
    number of cells of a lane.
    """

    saving: float
    stage: str
    blocks: int
    products: int = 0
    requantization: int = 0


def share_dsp(arrays: Mapping[str, MacParameters], device: Device) -> dict[str, DspShare]:
    """The share of each stage of a device's DSP blocks.

    Args:
        arrays: the multiply-accumulate pipelines of the stages that have one, in the order of the network.
    """
    steps: list[_Step] = []
    for name, mac in arrays.items():
        steps += [*_product_steps(name, mac, device), *_requantization_steps(name, mac, device)]
    shares = {name: DspShare(products=0) for name in arrays}
    left, ended = device.dsp_blocks, set()
    for step in sorted(steps, key=lambda step: -step.saving):
        share = shares[step.stage]
        if step.products:
            taken = min(step.blocks, left)
            made = min(taken * _together(arrays[step.stage], device), step.products)
            shares[step.stage] = replace(share, products=share.products + made)
        elif step.blocks <= left and step.stage not in ended:
            taken = step.blocks
            shares[step.stage] = replace(share, requantization=step.requantization)
        else:
            taken = 0
            ended.add(step.stage)  # its further steps stand on this one
        left -= taken
    return shares


def _together(mac: MacParameters, device: Device) -> int:
    """Products of an array that share a block; 0: they do not fit one."""
    return device.products_of_a_block(mac.data_shape.width, mac.weight_shape.width)


def _product_steps(name: str, mac: MacParameters, device: Device) -> list[_Step]:
    """The blocks of an array, of which the last may have fewer products than the others."""
    together, luts = _together(mac, device), device.dsp.product_luts
    if not together:
        return []
    whole, rest = divmod(mac.multipliers, together)
    steps = [_Step(together * luts, name, whole, products=whole * together)] if whole else []
    return steps + ([_Step(rest * luts, name, 1, products=rest)] if rest else [])


def _requantization_steps(name: str, mac: MacParameters, device: Device) -> list[_Step]:
    """From rows to ever more cells for a lane, each step saving less for a block than the one before."""
    found = mac.requantize
    if not found.format.multiplier_bits:
        return []
    known = [(0, 0, cheapest_plan(found.format, found.interval).luts)]  # blocks, cells of a lane, tables of a lane
    for cells in sorted({plan.products for plan in possible_plans(found.format, found.interval, True, found.family)}):
        plan = cheapest_plan(found.format, found.interval, cells, found.family)
        widths = [plan.family.product_bits] * (cells - 1)
        widths.append(plan.plain_addend_bits - sum(widths))
        together = [device.products_of_a_block(plan.cell_bits, width) for width in widths]
        if all(together):
            known.append((sum(-(-found.lanes // count) for count in together), cells, plan.luts))
    steps: list[_Step] = []
    blocks, luts = 0, known[0][2]
    while further := [choice for choice in known if choice[0] > blocks and choice[2] < luts]:

        def saving(choice: Sequence[int], blocks: int = blocks, luts: int = luts) -> float:
            return found.lanes * (luts - choice[2]) / (choice[0] - blocks)

        best = max(further, key=saving)
        if saving(best) < LEAST_SAVING * device.dsp.product_luts:
            break
        steps.append(_Step(saving(best), name, best[0] - blocks, requantization=best[1]))
        blocks, luts = best[0], best[2]
    return steps
