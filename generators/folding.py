"""Foldings: how many of a stage's products are computed in one cycle, and what that makes of its cycles and lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .network import Network, Node


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
        return shape.pixels * ceil_div(node.reduction, folding.inputs) * ceil_div(shape.channels, folding.outputs)
    return network.shapes[node.inputs[0]].beats(lanes)


def steps(network: Network, node: Node, folding: Folding) -> int:
    """Issue cycles of one group of outputs."""
    return ceil_div(node.reduction, folding.inputs)


def convolution_taps(network: Network, node: Node, inputs: int, budget: int) -> int | None:
    """The fewest taps a cycle with which a convolution's window feeds ``inputs`` multipliers within ``budget`` cycles.

    The window gives ``taps`` × C elements a cycle; one of this number and ``inputs`` must divide the other.
    """
    channels = network.shapes[node.inputs[0]].channels
    pixels = network.shapes[node.output].pixels
    kernel = node.kernel[0] * node.kernel[1]
    for taps in window_taps(node):
        given = taps * channels
        if (inputs % given == 0 or given % inputs == 0) and pixels * ceil_div(kernel, taps) <= budget:
            return taps
    return None


def cheapest(network: Network, node: Node, budget: int, lanes_in: int, lanes_out: int) -> Folding | None:
    """The folding of fewest multipliers whose frame takes at most ``budget`` cycles between streams of the given
    lanes."""
    shape = network.shapes[node.output]
    per_pixel = budget // shape.pixels
    if per_pixel < 1:
        return None
    if node.kind == "depthwise":
        return _cheapest_depthwise(node, shape.channels, per_pixel, lanes_in, lanes_out)
    if node.kind == "convolution":
        if network.shapes[node.inputs[0]].channels % lanes_in:
            return None
        possible = range(1, node.reduction + 1)
        inputs = np.array([i for i in possible if convolution_taps(network, node, i, budget)], np.int64)
    else:
        words = np.arange(1, min(node.reduction, per_pixel) + 1)
        inputs = np.unique(round_up(ceil_div(node.reduction, words), lanes_in))
    words = ceil_div(node.reduction, inputs)
    groups = per_pixel // words
    inputs, words, groups = inputs[groups > 0], words[groups > 0], groups[groups > 0]
    outputs = round_up(ceil_div(shape.channels, groups), lanes_out)
    fits = outputs // lanes_out <= words
    if not fits.any():
        return None
    inputs, outputs = inputs[fits], outputs[fits]
    # Fewest multipliers; among equals the widest group of inputs, which needs the fewest accumulators.
    best = np.lexsort((-inputs, inputs * outputs))[0]
    return Folding(int(inputs[best]), int(outputs[best]))


def _cheapest_depthwise(node: Node, channels: int, per_pixel: int, lanes_in: int, lanes_out: int) -> Folding | None:
    unit = np.lcm(lanes_in, lanes_out)
    best = None
    taps = node.kernel[0] * node.kernel[1]
    for given in window_taps(node):
        cycles_each = ceil_div(taps, given)
        groups = per_pixel // cycles_each
        if groups < 1:
            continue
        outputs = int(round_up(ceil_div(channels, groups), unit))
        if outputs > round_up(channels, unit) or outputs // lanes_out > cycles_each:
            continue
        candidate = Folding(given, outputs)
        if best is None or candidate.multipliers < best.multipliers:
            best = candidate
    return best
