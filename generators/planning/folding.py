"""Foldings: how many of a stage's products are computed in one cycle, and what that makes of its cycles and lanes.

The rules that a folding must keep (they are those of the circuits; ``mbconv.hdl`` refuses what breaks them), with C
channels in, Co out, L_in and L_out lanes of the streams at its ends:

===============  ======================================================================================
pointwise        L_in divides Pi, Pi < Ci + L_in; L_out divides Po, Po < Co + L_out; Po/L_out ≤ ⌈Ci/Pi⌉
convolution      L_in divides C; taps × C that its window gives a cycle divide Pi, or Pi divides them; Pi ≤ k²·C;
                 L_out, Po as above, with k²·C for Ci
depthwise        L_in and L_out divide P, P < C + lcm(L_in, L_out); K is 1, a kernel row or all taps;
                 P/L_out ≤ ⌈k²/K⌉
===============  ======================================================================================

The last of each says that a block of outputs leaves before the next one is done.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stages.network import Network, Node


@dataclass(frozen=True, order=True)
class Folding:
    """``inputs`` × ``outputs`` products a cycle: Pi × Po of a pointwise stage or convolution, K taps × P channels of
    a depthwise one."""

    inputs: int
    outputs: int

    @property
    def multipliers(self) -> int:
        return self.inputs * self.outputs

    def __str__(self) -> str:
        return f"{self.inputs}×{self.outputs}"


def ceil_div(a, b):
    return -(-a // b)


def round_up(value, multiple):
    return ceil_div(value, multiple) * multiple


def window_taps(node: Node) -> tuple[int, ...]:
    """The kernel taps that a window can give in one cycle: one, a row, all."""
    return tuple(sorted({1, node.kernel[1], node.kernel[0] * node.kernel[1]}))


def cycles(network: Network, node: Node, folding: Folding | None, lanes: int) -> int:
    """Cycles that a stage needs for a frame; ``lanes`` are those of its output (its input, for a pool)."""
    shape = network.shapes[node.output]
    if node.kind == "depthwise":
        taps = node.kernel[0] * node.kernel[1]
        return shape.pixels * ceil_div(shape.channels, folding.outputs) * ceil_div(taps, folding.inputs)
    if node.is_mac:
        products = ceil_div(node.reduction, folding.inputs) * ceil_div(shape.channels, folding.outputs)
        return shape.pixels * max(products, _window_steps(network, node, folding.inputs))
    return network.shapes[node.inputs[0]].beats(lanes)


def steps(network: Network, node: Node, folding: Folding) -> int:
    """Issue cycles of one group of outputs."""
    return ceil_div(node.reduction, folding.inputs)


def fitting_taps(network: Network, node: Node, inputs: int) -> list[int]:
    """The taps a cycle with which a convolution's window can feed ``inputs`` multipliers: one of taps × C and
    ``inputs`` must divide the other."""
    channels = network.shapes[node.inputs[0]].channels
    return [t for t in window_taps(node) if inputs % (t * channels) == 0 or t * channels % inputs == 0]


def _window_steps(network: Network, node: Node, inputs: int) -> int:
    """Cycles a pixel that the fastest window for ``inputs`` multipliers of a convolution takes; 0 where there is
    none."""
    taps = fitting_taps(network, node, inputs) if node.kind == "convolution" else []
    return ceil_div(node.kernel[0] * node.kernel[1], max(taps)) if taps else 0


def convolution_taps(network: Network, node: Node, inputs: int, budget: int) -> int | None:
    """The fewest taps a cycle with which a convolution's window feeds ``inputs`` multipliers within ``budget`` cycles
    a frame; None if no number does.

    There is one wherever ``inputs`` keeps the rules and ``budget`` is at least :func:`cycles`.
    """
    pixels = network.shapes[node.output].pixels
    kernel = node.kernel[0] * node.kernel[1]
    for taps in fitting_taps(network, node, inputs):
        if pixels * ceil_div(kernel, taps) <= budget:
            return taps
    return None


def cheapest(network: Network, node: Node, budget: int, lanes_in: int, lanes_out: int) -> Folding | None:
    """The folding of fewest multipliers whose frame takes at most ``budget`` cycles between streams of the given
    lanes; None if no folding does."""
    inputs, outputs = cheapest_for(network, node, budget, lanes_in, np.array([lanes_out]))
    return Folding(int(inputs[0]), int(outputs[0])) if inputs[0] else None


def cheapest_for(
    network: Network, node: Node, budget: int, lanes_in: int, lanes_out: np.ndarray, drained: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """:func:`cheapest` for many lane counts of the output at once.

    Args:
        drained: keep the rule that a block leaves before the next is done; without it, and with one lane, the result
            is a lower bound for all lanes.

    Returns:
        The foldings' ``inputs`` and ``outputs``, 0 where there is none.
    """
    channels = network.shapes[node.output].channels
    per_pixel = budget // network.shapes[node.output].pixels
    inputs = _useful_inputs(network, node, per_pixel, lanes_in)
    words = ceil_div(node.reduction, inputs)
    groups = per_pixel // words
    inputs, words, groups = (values[groups > 0][:, None] for values in (inputs, words, groups))
    if not inputs.size:
        return np.zeros((2, lanes_out.size), np.int64)
    unit = np.lcm(lanes_in, lanes_out) if node.kind == "depthwise" else lanes_out
    outputs = round_up(ceil_div(channels, groups), unit)
    possible = outputs // lanes_out <= words if drained else outputs > 0
    # Fewest multipliers; among equals the widest group of inputs, which needs the fewest accumulators, but the fewest
    # taps of a depthwise window, which needs the fewest banks.
    preferred = inputs if node.kind == "depthwise" else -inputs
    cost = np.where(possible, inputs * outputs * (1 << 20) + preferred, np.iinfo(np.int64).max)
    best = cost.argmin(axis=0)
    column = np.arange(lanes_out.size)
    found = possible[best, column]
    return np.where(found, inputs[best, 0], 0), np.where(found, outputs[best, column], 0)


def _useful_inputs(network: Network, node: Node, per_pixel: int, lanes_in: int) -> np.ndarray:
    """The ``inputs`` of foldings worth comparing: the least for each number of steps, as far as the rules allow."""
    if per_pixel < 1:
        return np.zeros(0, np.int64)
    if node.kind == "depthwise":
        return np.array(window_taps(node), np.int64)
    if node.kind == "convolution":
        if network.shapes[node.inputs[0]].channels % lanes_in:
            return np.zeros(0, np.int64)
        possible = [i for i in range(1, node.reduction + 1) if 0 < _window_steps(network, node, i) <= per_pixel]
        return np.array(possible, np.int64)
    words = np.arange(1, min(node.reduction, per_pixel) + 1)
    return np.unique(round_up(np.unique(ceil_div(node.reduction, words)), lanes_in))
