"""Whether a folding keeps the rules of :mod:`~mbconv.generators.planning.folding`, and what would where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from ..stages.network import Network, Node
from .folding import Folding, ceil_div, fitting_taps, steps, window_taps


def folding_problem(network: Network, node: Node, folding: Folding, lanes_in: int, lanes_out: int) -> str | None:
    """Which rule a stage's folding breaks between streams of the given lanes, with values near it that keep the rule,
    as a sentence's end; None if it keeps them all."""
    channels = network.shapes[node.output].channels
    if folding.outputs not in (allowed := allowed_outputs(network, node, lanes_in, lanes_out)):
        multiple = f"the {lanes_out} lanes of tensor {node.output}"
        if node.kind == "depthwise":
            multiple = f"the {lanes_in} lanes of tensor {node.inputs[0]} and {multiple}"
        return (
            f"outputs {folding.outputs} is no multiple of {multiple} that suits {channels} channels; "
            f"{nearest_text(allowed, folding.outputs)}"
        )
    if folding.inputs not in (allowed := allowed_inputs(network, node, lanes_in)):
        return (
            f"inputs {folding.inputs} {_input_rule(network, node, lanes_in)}; {nearest_text(allowed, folding.inputs)}"
        )
    block, beats = steps(network, node, folding), folding.outputs // lanes_out
    if beats > block:
        return (
            f"{folding.outputs} outputs leave over the {lanes_out} lanes of tensor {node.output} in {beats} cycles, but"
            f" the next are done after {block}; it needs fewer inputs or outputs a cycle, or at least "
            f"{ceil_div(folding.outputs, block)} lanes"
        )
    return None


def allowed_outputs(network: Network, node: Node, lanes_in: int, lanes_out: int) -> list[int]:
    """The ``outputs`` that a stage's folding may have."""
    channels = network.shapes[node.output].channels
    if node.kind == "depthwise":
        unit = lcm(lanes_in, lanes_out)
        return list(range(unit, channels + unit, unit))
    return list(range(lanes_out, channels + lanes_out, lanes_out))


def allowed_inputs(network: Network, node: Node, lanes_in: int) -> list[int]:
    """The ``inputs`` that a stage's folding may have."""
    if node.kind == "depthwise":
        return list(window_taps(node))
    if node.kind == "pointwise":
        return list(range(lanes_in, node.reduction + lanes_in, lanes_in))
    if network.shapes[node.inputs[0]].channels % lanes_in:
        return []
    return [inputs for inputs in range(1, node.reduction + 1) if fitting_taps(network, node, inputs)]


def _input_rule(network: Network, node: Node, lanes_in: int) -> str:
    if node.kind == "depthwise":
        return "is neither 1, nor a kernel row, nor the whole kernel"
    if node.kind == "pointwise":
        return f"is no multiple of the {lanes_in} lanes of tensor {node.inputs[0]} that suits {node.reduction} channels"
    channels = network.shapes[node.inputs[0]].channels
    if channels % lanes_in:
        return f"cannot be fed: the {lanes_in} lanes of tensor {node.inputs[0]} do not divide its {channels} channels"
    given = ", ".join(str(taps * channels) for taps in window_taps(node))
    return f"neither divides nor is a multiple of what the window gives a cycle ({given} elements), up to all of them"


def nearest_text(allowed: Sequence[int], value: int) -> str:
    """``use 8 or 16``: the allowed values on both sides of one that is not."""
    below = [v for v in allowed if v < value]
    above = [v for v in allowed if v > value]
    near = [*below[-1:], *above[:1]]
    return f"use {' or '.join(map(str, near))}" if near else "no value does: change the lanes"
