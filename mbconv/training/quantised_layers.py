"""A trained MobileNetV2 with the arithmetic of int8 TFLite, simulated in floating point: for fine-tuning and export.

Every tensor holds multiples of its scale, as the integers of the file will; gradients pass the rounding unchanged
(the straight-through estimator of Bengio et al., 2013; training as in Jacob et al., 2018). With scales that are powers
of two sums of int8 products are exact in float32 below 2^24, and the simulation differs from the reference kernels in
the rounding of ties only.

Scales are either powers of two, with which requantisation is a shift, or any number.
"""

from __future__ import annotations

from math import ceil, log2
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mbconv.training.mobilenet import ConvolutionNorm, MobileNetV2, pad_same
from mbconv.training.tflite_writer import TfliteWriter

WEIGHT_LIMIT = 127


def straight_through(x: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    """``rounded``, with the gradient of ``x``."""
    return x + (rounded - x).detach()


def power_of_two(scale: float) -> float:
    """The least power of two that is not below ``scale``."""
    return 2.0 ** ceil(log2(scale))


class ActivationQuantiser(nn.Module):
    """Rounds a tensor to int8 at its scale and zero point, which it first chooses from what it observes.

    Args:
        relu6: the tensor is a ReLU6's output: its scale is known without data.
        powers: scales are powers of two (and signed tensors have zero point 0).
    """

    def __init__(self, relu6: bool, powers: bool):
        super().__init__()
        self.relu6 = relu6
        self.powers = powers
        self.observing = True
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.scale, self.zero_point = 1.0, 0

    def freeze(self) -> None:
        """Choose scale and zero point."""
        self.observing = False
        low, high = min(float(self.low), 0.0), max(float(self.high), 1e-6)
        if self.relu6:
            self.scale, self.zero_point = (2.0**-5 if self.powers else 6 / 255), -128
        elif self.powers:
            self.scale, self.zero_point = power_of_two(max(-low / 128, high / 127)), 0
        else:
            self.scale = float(np.float32((high - low) / 255))
            self.zero_point = int(np.clip(round(-128 - low / self.scale), -128, 127))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.observing:
            self.low = torch.minimum(self.low, x.detach().min())
            self.high = torch.maximum(self.high, x.detach().max())
            return x
        # The clamp is part of the graph, so that no gradient pushes a saturated element further out.
        x = x.clamp((-128 - self.zero_point) * self.scale, (127 - self.zero_point) * self.scale)
        return straight_through(x, torch.round(x / self.scale) * self.scale)


class QuantisedLayer(nn.Module):
    """A convolution or the classifier, folded, with int8 weights (one scale for each output) and an int32 bias."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, stride: int, groups: int, relu6: bool, powers: bool):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.stride, self.groups, self.relu6, self.powers = stride, groups, relu6, powers
        self.output = ActivationQuantiser(relu6, powers)
        self.input_scale = 1.0

    def weight_scales(self) -> torch.Tensor:
        largest = self.weight.detach().abs().flatten(1).amax(1).clamp(min=1e-8)
        scales = largest / WEIGHT_LIMIT
        return torch.exp2(torch.ceil(torch.log2(scales))) if self.powers else scales

    def integers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, weight scales and biases as the file holds them."""
        scales = self.weight_scales()
        weights = torch.round(self.weight.detach() / scales.view(-1, *[1] * (self.weight.dim() - 1)))
        bias = torch.round(self.bias.detach().double() / (self.input_scale * scales.double()))
        return weights.numpy().astype(np.int64), scales.numpy(), bias.numpy().astype(np.int64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weight, self.bias
        if not self.output.observing:
            scales = self.weight_scales()
            shaped = scales.view(-1, *[1] * (weight.dim() - 1))
            weight = straight_through(weight, torch.round(weight / shaped) * shaped)
            step = self.input_scale * scales
            bias = straight_through(bias, torch.round(bias / step) * step)
        if weight.dim() == 2:
            y = functional.linear(x, weight, bias)
        else:
            x = pad_same(x, weight.shape[2], self.stride)
            y = functional.conv2d(x, weight, bias, self.stride, groups=self.groups)
        return self.output(functional.relu6(y) if self.relu6 else y)


class QuantisedBlock(nn.Module):
    """An inverted residual of quantised layers."""

    def __init__(self, layers: list[QuantisedLayer], residual: bool, powers: bool):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.sum = ActivationQuantiser(False, powers) if residual else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        return y if self.sum is None else self.sum(x + y)


class QuantisedMobileNetV2(nn.Module):
    """A trained network with its batch norms folded; call :meth:`calibrate` once, then train further or export.

    Args:
        network: the trained network.
        input_scale, input_zero_point: of the picture.
        powers: all scales are powers of two.
    """

    def __init__(self, network: MobileNetV2, input_scale: float, input_zero_point: int, powers: bool):
        super().__init__()
        self.topology = network.topology
        self.powers = powers
        self.input_scale, self.input_zero_point = input_scale, input_zero_point
        self.stem = self._layer(network.stem)
        self.blocks = nn.ModuleList(
            QuantisedBlock([self._layer(layer) for layer in block.layers], block.residual, powers)
            for block in network.blocks
        )
        self.head = self._layer(network.head) if network.head is not None else None
        weight, bias = (p.detach().clone() for p in (network.classifier.weight, network.classifier.bias))
        self.classifier = QuantisedLayer(weight, bias, 1, 1, False, powers)
        self.pool_scale = 1.0

    def _layer(self, layer: ConvolutionNorm) -> QuantisedLayer:
        weight, bias = layer.folded()
        return QuantisedLayer(weight, bias, layer.stride, layer.convolution.groups, not layer.linear, self.powers)

    @torch.no_grad()
    def calibrate(self, pictures: torch.Tensor) -> None:
        """Choose every activation's scale and zero point from pictures."""
        for start in range(0, len(pictures), 256):
            self(pictures[start : start + 256])
        for module in self.modules():
            if isinstance(module, ActivationQuantiser):
                module.freeze()
        self.stem.input_scale = scale = self.input_scale
        scale = self.stem.output.scale
        for block in self.blocks:
            for layer in block.layers:
                layer.input_scale, scale = scale, layer.output.scale
            scale = scale if block.sum is None else block.sum.scale
        if self.head is not None:
            self.head.input_scale, scale = scale, self.head.output.scale
        self.pool_scale = self.classifier.input_scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        if self.head is not None:
            x = self.head(x)
        x = x.mean(dim=(2, 3))
        if not self.stem.output.observing:
            # The pool's output has its input's scale.
            x = straight_through(x, torch.round(x / self.pool_scale) * self.pool_scale)
        return self.classifier(x)

    def export(self, name: str, description: str) -> TfliteWriter:
        """The network as a file: operators in order, AVERAGE_POOL_2D, FULLY_CONNECTED and SOFTMAX at the end."""
        writer = TfliteWriter(name, description)
        size = self.topology.size
        shape = (1, size, size, self.topology.channels)
        x = writer.input("picture", shape, self.input_scale, self.input_zero_point)
        x = _write_layer(writer, x, self.stem, "stem")
        for number, block in enumerate(self.blocks, 1):
            names = ("expand", "depthwise", "project")[-len(block.layers) :]
            y = x
            for layer, stage in zip(block.layers, names, strict=True):
                y = _write_layer(writer, y, layer, f"block{number}/{stage}")
            if block.sum is not None:
                y = writer.add(x, y, block.sum.scale, block.sum.zero_point, name=f"block{number}/add")
            x = y
        if self.head is not None:
            x = _write_layer(writer, x, self.head, "head")
        x = writer.average_pool(x, writer.tensors[x].shape[1:3], name="pool")
        x = _write_layer(writer, x, self.classifier, "classifier")
        writer.output(writer.softmax(x, name="probabilities"))
        return writer


def _write_layer(writer: TfliteWriter, x: int, layer: QuantisedLayer, name: str) -> int:
    weights, scales, bias = layer.integers()
    scale, zero_point = layer.output.scale, layer.output.zero_point
    activation = "RELU6" if layer.relu6 else "NONE"
    if weights.ndim == 2:
        return writer.fully_connected(x, weights, scales, bias, scale, zero_point, name=name)
    strides = (layer.stride, layer.stride)
    if layer.groups > 1:
        kernel = weights[:, 0].transpose(1, 2, 0)
        return writer.depthwise(x, kernel, scales, bias, scale, zero_point, strides, "SAME", activation, name=name)
    kernel = weights.transpose(0, 2, 3, 1)
    return writer.convolution(x, kernel, scales, bias, scale, zero_point, strides, "SAME", activation, name=name)


def reference_logits(content: bytes, pictures: np.ndarray) -> np.ndarray:
    """Outputs of LiteRT's reference kernels for int8 pictures ``[N][H][W][C]``, one at a time."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    results = []
    for picture in pictures:
        interpreter.set_tensor(source, picture[np.newaxis])
        interpreter.invoke()
        results.append(interpreter.get_tensor(target)[0])
    return np.stack(results)


def reference_accuracy(content: bytes, pictures: np.ndarray, labels: np.ndarray) -> float:
    """The share of pictures whose largest output is their label's, by LiteRT's reference kernels."""
    return float((reference_logits(content, pictures).argmax(1) == labels).mean())


def file_content(network: QuantisedMobileNetV2, name: str, description: str, path: Path | None = None) -> bytes:
    """The network's file, written to ``path`` if one is given."""
    content = network.export(name, description).to_bytes()
    if path is not None:
        path.write_bytes(content)
    return content
