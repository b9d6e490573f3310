"""The best initiation interval that a topology allows, by enumerating every folding of every stage.

This is how the built-in models' channel counts were chosen, before training: it knows the cycle formulas alone, neither
lanes nor memories, so it bounds what the planner can reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import isqrt

from mbconv.training.mobilenet import Stage, mac_count


@cache
def cheapest_foldings(stage: Stage, budget: int) -> tuple[tuple[int, int], ...]:
    """Pairs (multipliers, cycles) of a stage, each faster than all cheaper ones.

    Pointwise with Pi × Po multipliers: pixels · ⌈Ci/Pi⌉ · ⌈Co/Po⌉ cycles; depthwise k×k with P × K, K in 1, k, k²:
    pixels · ⌈C/P⌉ · k²/K.
    """
    kind, pixels, inputs, outputs, taps = stage
    cycles: dict[int, int] = {}
    if kind == "depthwise":
        at_once = (1, isqrt(taps), taps)
        choices = [(p * k, -(-inputs // p) * (taps // k)) for p in range(1, inputs + 1) for k in at_once]
    else:
        choices = [
            (pi * po, -(-inputs // pi) * -(-outputs // po))
            for pi in range(1, inputs + 1)
            for po in range(1, min(outputs, budget // pi) + 1)
        ]
    for multipliers, steps in choices:
        if multipliers <= budget:
            cycles[multipliers] = min(cycles.get(multipliers, pixels * steps), pixels * steps)
    best: list[tuple[int, int]] = []
    for multipliers in sorted(cycles):
        if not best or cycles[multipliers] < best[-1][1]:
            best.append((multipliers, cycles[multipliers]))
    return tuple(best)


def best_interval(stages: Sequence[Stage], budget: int) -> tuple[int, list[int]]:
    """The least interval within a budget of multipliers, and each stage's multipliers.

    Raises:
        ValueError: there are more stages than multipliers.
    """
    if budget < len(stages):
        raise ValueError(f"{len(stages)} stages need at least as many multipliers, not {budget}")
    foldings = [cheapest_foldings(stage, budget) for stage in stages]
    for interval in sorted({cycles for choices in foldings for _, cycles in choices}):
        chosen = [next((m for m, cycles in choices if cycles <= interval), budget + 1) for choices in foldings]
        if sum(chosen) <= budget:
            return interval, chosen
    raise AssertionError("unreachable: one multiplier a stage always fits")


def best_efficiency(stages: Sequence[Stage], budget: int) -> float:
    """MACs ÷ (budget × interval) at the least interval."""
    interval, _ = best_interval(stages, budget)
    return mac_count(stages) / (budget * interval)
