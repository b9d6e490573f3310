"""Starts a network in floating point from the ``.tflite`` file of an earlier training.

A file keeps what a checkpoint does but for the batch norms, which are folded into its weights, and for the optimiser.
:func:`load_weights` makes the network compute the file's function with norms that do nothing; :func:`restore_norms`
then gives the norms the statistics of pictures again, which training needs, without changing the function::

    network = MobileNet(topology)
    load_weights(network, read_tflite("cycle1.tflite"))
    restore_norms(network, pictures)

What is lost is at most half a step of every weight and bias.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from mbconv.generators.graph.graph import Graph, GraphError
from mbconv.generators.graph.mac_operator import MacOperator
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.training.mobilenet import ConvolutionNorm, MobileNet


def real_weights(operator: MacOperator) -> torch.Tensor:
    """An operator's weights as real numbers in PyTorch's order, ``[outputs][inputs or 1][height][width]`` or
    ``[outputs][inputs]``."""
    integers = operator.weights.astype(np.int64) - operator.weight_zero_point
    if isinstance(operator, Convolution):
        integers = integers.transpose(0, 3, 1, 2)
    elif isinstance(operator, DepthwiseConvolution):
        integers = integers.transpose(2, 0, 1)[:, np.newaxis]
    scales = np.broadcast_to(operator.weight_scales, len(integers)).astype(np.float64)
    return torch.from_numpy((integers * scales.reshape(-1, *[1] * (integers.ndim - 1))).astype(np.float32))


def real_bias(operator: MacOperator, input_scale: float) -> torch.Tensor:
    """An operator's biases, whose scale is the input's times the weights'."""
    scales = np.broadcast_to(operator.weight_scales, len(operator.bias)).astype(np.float64) * input_scale
    return torch.from_numpy((operator.bias * scales).astype(np.float32))


@torch.no_grad()
def load_weights(network: MobileNet, graph: Graph) -> None:
    """Give a network the weights and biases of a file; every norm adds its layer's bias and does nothing else.

    Raises:
        GraphError: the file's layers are not the network's.
    """
    layers = [module for module in network.modules() if isinstance(module, ConvolutionNorm | nn.Linear)]
    operators = [op for op in graph if isinstance(op, MacOperator)]
    if len(layers) != len(operators):
        raise GraphError(
            f"{graph.name} has {len(operators)} layers with weights, the network that is trained has {len(layers)}; "
            "start from a file of the same topology"
        )
    for layer, operator in zip(layers, operators, strict=True):
        target = layer.convolution.weight if isinstance(layer, ConvolutionNorm) else layer.weight
        weights = real_weights(operator)
        if isinstance(layer, nn.Linear):
            weights = weights.flatten(1)  # a layer of a squeeze-excite is a 1×1 convolution
        if weights.shape != target.shape:
            raise GraphError(
                f"operator {operator.index} {operator.kind} has weights of shape {list(weights.shape)}, the network "
                f"that is trained has {list(target.shape)} there; start from a file of the same topology"
            )
        target.copy_(weights)
        bias = real_bias(operator, graph.tensors[operator.inputs[0]].scale)
        if isinstance(layer, nn.Linear):
            layer.bias.copy_(bias)
            continue
        layer.norm.running_mean.zero_()
        layer.norm.running_var.fill_(1 - layer.norm.eps)
        layer.norm.weight.fill_(1)
        layer.norm.bias.copy_(bias)


@torch.no_grad()
def restore_norms(network: MobileNet, pictures: torch.Tensor, batch: int = 250) -> None:
    """Set every norm's statistics to those of pictures ``[N][C][H][W]``, and its weight and bias so that the network
    computes what it did."""
    sums: dict[ConvolutionNorm, list[torch.Tensor]] = {}

    def observe(layer: ConvolutionNorm):
        def add(_module: nn.Module, _inputs: tuple, y: torch.Tensor) -> None:
            values = y.double()
            new = [values.mean(dim=(0, 2, 3)), values.square().mean(dim=(0, 2, 3))]
            weighted = [len(y) / len(pictures) * moment for moment in new]
            sums[layer] = [a + b for a, b in zip(sums[layer], weighted, strict=True)] if layer in sums else weighted

        return layer.convolution.register_forward_hook(add)

    hooks = [observe(layer) for layer in network.modules() if isinstance(layer, ConvolutionNorm)]
    network.eval()
    for part in pictures.split(batch):
        network(part)
    for hook in hooks:
        hook.remove()
    for layer, (mean, square) in sums.items():
        norm, variance = layer.norm, (square - mean.square()).clamp(min=0)
        factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        offset = norm.bias.double() - norm.running_mean.double() * factor
        norm.weight.copy_(factor * torch.sqrt(variance + norm.eps))
        norm.bias.copy_(offset + factor * mean)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
