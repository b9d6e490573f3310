"""MobileNetV2 in PyTorch, for small pictures: what the built-in models are trained as.

The network is Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018): ReLU6 after every
convolution but the projections, a residual around blocks whose ends match. Padding is TFLite's SAME, so that a trained
network becomes a ``.tflite`` file with no PAD operator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Topology:
    """A network's shape.

    Args:
        size: height and width of the picture.
        channels: of the picture.
        stem: output channels of the first convolution, 3×3 with stride 1.
        blocks: (expansion, output channels, stride) of each inverted residual; expansion 1 has no expanding stage.
        head: output channels of the last 1×1 convolution; 0 for none.
        classes: outputs.
    """

    size: int
    channels: int
    stem: int
    blocks: tuple[tuple[int, int, int], ...]
    head: int
    classes: int

    def stages(self) -> Iterator[tuple[str, int, int, int]]:
        """The multiply-accumulate stages as (kind, output pixels, inputs, outputs); kind "pointwise" or "depthwise".

        The first convolution is a window and a pointwise stage over its 9·C inputs; a depthwise stage has equally many
        inputs and outputs.
        """
        size, width = self.size, self.stem
        yield ("pointwise", size * size, 9 * self.channels, width)
        for expansion, outputs, stride in self.blocks:
            hidden = expansion * width
            if expansion > 1:
                yield ("pointwise", size * size, width, hidden)
            size = -(-size // stride)
            yield ("depthwise", size * size, hidden, hidden)
            yield ("pointwise", size * size, hidden, outputs)
            width = outputs
        if self.head:
            yield ("pointwise", size * size, width, self.head)
            width = self.head
        yield ("pointwise", 1, width, self.classes)


def pad_same(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """TFLite's SAME padding with zeros: where it is odd, the larger half comes last."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads) if any(pads) else x


class ConvolutionNorm(nn.Module):
    """Convolution, batch norm and, unless linear, ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False):
        super().__init__()
        self.stride = stride
        self.linear = linear
        # Where the padding is equal on all sides the convolution pads for itself, which is faster.
        self.pads_itself = stride == 1
        padding = kernel // 2 if self.pads_itself else 0
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.pads_itself:
            x = pad_same(x, self.convolution.kernel_size[0], self.stride)
        x = self.norm(self.convolution(x))
        return x if self.linear else functional.relu6(x)

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and biases with the batch norm's running statistics folded in."""
        factor = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        weight = self.convolution.weight * factor[:, None, None, None]
        return weight.detach().clone(), (self.norm.bias - self.norm.running_mean * factor).detach().clone()


class InvertedResidual(nn.Module):
    """Expansion, depthwise 3×3, linear projection, and the residual where stride is 1 and the ends match."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int):
        super().__init__()
        hidden = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        layers = [] if expansion == 1 else [ConvolutionNorm(inputs, hidden, 1)]
        layers += [
            ConvolutionNorm(hidden, hidden, 3, stride, groups=hidden),
            ConvolutionNorm(hidden, outputs, 1, linear=True),
        ]
        self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """A network of a topology, in floating point; pictures ``[N][C][H][W]`` to logits ``[N][classes]``."""

    def __init__(self, topology: Topology, dropout: float = 0.0):
        super().__init__()
        self.topology = topology
        self.stem = ConvolutionNorm(topology.channels, topology.stem, 3)
        blocks, width = [], topology.stem
        for expansion, outputs, stride in topology.blocks:
            blocks.append(InvertedResidual(width, outputs, expansion, stride))
            width = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvolutionNorm(width, topology.head, 1) if topology.head else None
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(topology.head or width, topology.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        if self.head is not None:
            x = self.head(x)
        return self.classifier(self.dropout(x.mean(dim=(2, 3))))


def parameter_count(topology: Topology) -> int:
    """Weights and biases after batch norms are folded."""
    total = 0
    for kind, _, inputs, outputs in topology.stages():
        total += (9 if kind == "depthwise" else inputs) * outputs + outputs
    return total


def mac_count(stages: Sequence[tuple[str, int, int, int]]) -> int:
    """Multiply-accumulate operations of a frame."""
    return sum(pixels * outputs * (9 if kind == "depthwise" else inputs) for kind, pixels, inputs, outputs in stages)
