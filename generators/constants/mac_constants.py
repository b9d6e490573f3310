"""The constants of a multiply-accumulate stage: a requantisation proved equal to the model's rounding, and the width of
the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..graph.graph import Tensor
from ..graph.mac_operator import MacOperator
from ..operators.fully_connected import FullyConnected
from .remembered import remembered
from .requantization import Requantization, RequantizationSearch
from .step_function import AffineRule, RealRule, Rule, ShiftRule, activation_limits, quantize_multiplier
from .weights import effective_weights, weight_bits

if TYPE_CHECKING:
    from ..stages.network import Network, Node


@dataclass(frozen=True, eq=False)
class MacConstants:
    """The width of the weights less their zero point, and the requantisation."""

    weight_bits: int
    requantization: Requantization


@dataclass(frozen=True, eq=False)
class MacForms:
    """What of :class:`MacConstants` no plan changes: the weights' width, and all forms of the requantisation."""

    weight_bits: int
    search: RequantizationSearch


def mac_rule(op: MacOperator, input_tensor: Tensor, output: Tensor) -> Rule:
    """The model's own requantisation, a function of Σ w·(x − zero point) + bias."""
    channels = op.bias.size
    scales = np.broadcast_to(np.asarray(op.weight_scales, np.float32), (channels,))
    limits = activation_limits(op.activation, output.element, output.scale, output.zero_point)
    common = channels, output.zero_point, *limits
    if op.numbers == "fixed":
        # All scales are powers of two: their quotient is ½ · 2^(shift + 1), exactly.
        shift = np.frexp(np.float64(output.scale) / (np.float64(input_tensor.scale) * scales))[1].astype(np.int64) - 1
        return ShiftRule(*common, shift)
    if op.weight_element.signed or isinstance(op, FullyConnected):
        real = np.float64(input_tensor.scale) * scales.astype(np.float64) / np.float64(output.scale)
    else:  # the kernels of uint8 multiply the scales as float32 (kernel_util.cc, GetQuantizedConvolutionMultipler)
        real = (np.float32(input_tensor.scale) * scales).astype(np.float64) / np.float64(output.scale)
    multiplier = quantize_multiplier(real)
    return RealRule(*common, *multiplier, real) if isinstance(op, FullyConnected) else AffineRule(*common, *multiplier)


def mac_constants(network: Network, node: Node, *, lanes: int, interval: int) -> MacConstants:
    """Everything of a stage that depends on its weights.

    Args:
        lanes, interval: of the requantisation circuit, which weigh its cost.

    Raises:
        GraphError: no requantisation circuit is exact.
    """
    forms = mac_forms(network, node)
    return MacConstants(forms.weight_bits, forms.search.cheapest(lanes, interval))


def mac_forms(network: Network, node: Node) -> MacForms:
    """What of a stage depends on its weights and not on its plan; it is searched for once.

    Raises:
        GraphError: no requantisation circuit is exact.
    """
    return remembered(network.graph, ("constants", node.operator.index), lambda: _forms(network, node))


def _forms(network: Network, node: Node) -> MacForms:
    op = node.operator
    assert isinstance(op, MacOperator)
    input_tensor, output = network.graph.tensors[op.inputs[0]], network.tensor(node.output)
    weights = effective_weights(node)
    low, high = input_tensor.element.minimum, input_tensor.element.maximum
    search = RequantizationSearch(
        mac_rule(op, input_tensor, output),
        np.minimum(weights * low, weights * high).sum(axis=1),
        np.maximum(weights * low, weights * high).sum(axis=1),
        op.bias.astype(np.int64) - input_tensor.zero_point * weights.sum(axis=1),
        output.element,
        f"operator {op.index} {op.kind}",
    )
    return MacForms(weight_bits(weights), search)
