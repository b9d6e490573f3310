"""MobileNetV2 and MobileNetV3 in PyTorch, for small pictures: what the built-in models are trained as.

V2 is Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018): ReLU6 after every convolution but
the projections, a residual around blocks whose ends match. V3 is Howard et al., "Searching for MobileNetV3" (2019):
the same blocks with hard-swish or ReLU, depthwise filters of 3×3 or 5×5, and squeeze-excite in some. Padding is
TFLite's SAME, so that a trained network becomes a ``.tflite`` file with no PAD operator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from mbconv.training.depthwise_gradient import DepthwiseConvolution

ACTIVATIONS = {
    "NONE": lambda x: x,
    "RELU": functional.relu,
    "RELU6": functional.relu6,
    "HARD_SWISH": functional.hardswish,
}


class Stage(NamedTuple):
    """A multiply-accumulate stage.

    Args:
        kind: "pointwise" or "depthwise".
        pixels: of the output.
        inputs, outputs: channels; a depthwise stage has equally many.
        taps: of a depthwise filter.
    """

    kind: str
    pixels: int
    inputs: int
    outputs: int
    taps: int = 9

    @property
    def products(self) -> int:
        """Multiplications for an output element."""
        return self.taps if self.kind == "depthwise" else self.inputs


class Block(NamedTuple):
    """An inverted residual.

    Args:
        hidden: channels of its depthwise convolution; where its input has as many there is no expansion.
        outputs: channels of its projection.
        stride: of its depthwise convolution.
        kernel: height and width of the depthwise filters.
        activation: after the expansion and the depthwise convolution.
        squeezed: channels between the two layers of its squeeze-excite; 0 for none.
    """

    hidden: int
    outputs: int
    stride: int = 1
    kernel: int = 3
    activation: str = "RELU6"
    squeezed: int = 0


@dataclass(frozen=True)
class Topology:
    """A network's shape.

    Args:
        size: height and width of the picture.
        channels: of the picture.
        stem: output channels of the first convolution, 3×3 with stride 1.
        blocks: the inverted residuals.
        head: output channels of the last 1×1 convolution; 0 for none.
        classes: outputs.
        activation: after the first and the last convolution.
        fine_mean: the average before the classifier has a scale of its own (MEAN) and not its input's
            (AVERAGE_POOL_2D).
    """

    size: int
    channels: int
    stem: int
    blocks: tuple[Block, ...]
    head: int
    classes: int
    activation: str = "RELU6"
    fine_mean: bool = False

    def stages(self) -> Iterator[Stage]:
        """The multiply-accumulate stages; the first convolution is a window and a pointwise stage over its 9·C
        inputs."""
        size, width = self.size, self.stem
        yield Stage("pointwise", size * size, 9 * self.channels, width)
        for block in self.blocks:
            if block.hidden != width:
                yield Stage("pointwise", size * size, width, block.hidden)
            size = -(-size // block.stride)
            yield Stage("depthwise", size * size, block.hidden, block.hidden, block.kernel**2)
            if block.squeezed:
                yield Stage("pointwise", 1, block.hidden, block.squeezed)
                yield Stage("pointwise", 1, block.squeezed, block.hidden)
            yield Stage("pointwise", size * size, block.hidden, block.outputs)
            width = block.outputs
        if self.head:
            yield Stage("pointwise", size * size, width, self.head)
            width = self.head
        yield Stage("pointwise", 1, width, self.classes)


def pad_same(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """TFLite's SAME padding with zeros: where it is odd, the larger half comes last."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads) if any(pads) else x


class ConvolutionNorm(nn.Module):
    """Convolution, batch norm and an activation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, activation: str = "NONE"
    ):
        super().__init__()
        self.stride = stride
        self.activation = activation
        # Where the padding is equal on all sides the convolution pads for itself, which is faster.
        self.pads_itself = stride == 1
        padding = kernel // 2 if self.pads_itself else 0
        kind = DepthwiseConvolution if groups > 1 else nn.Conv2d
        self.convolution = kind(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.pads_itself:
            x = pad_same(x, self.convolution.kernel_size[0], self.stride)
        return ACTIVATIONS[self.activation](self.norm(self.convolution(x)))

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and biases with the batch norm's running statistics folded in."""
        factor = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        weight = self.convolution.weight * factor[:, None, None, None]
        return weight.detach().clone(), (self.norm.bias - self.norm.running_mean * factor).detach().clone()


class SqueezeExcite(nn.Module):
    """A factor for each channel of a map, computed from the map's mean: a layer with ReLU, a layer with hard-sigmoid.

    The hard-sigmoid relu6(x + 3) ÷ 6 has its 3 in the second layer's biases, as it is in the file.
    """

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        self.reduce = nn.Linear(channels, squeezed)
        self.expand = nn.Linear(squeezed, channels)
        nn.init.constant_(self.expand.bias, 3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        factors = functional.relu6(self.expand(functional.relu(self.reduce(x.mean(dim=(2, 3)))))) / 6
        return x * factors[:, :, None, None]


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze-excite where the block has one, linear projection, and the residual
    where stride is 1 and the ends match."""

    def __init__(self, inputs: int, block: Block):
        super().__init__()
        hidden = block.hidden
        self.residual = block.stride == 1 and inputs == block.outputs
        layers: list[nn.Module] = []
        if hidden != inputs:
            layers.append(ConvolutionNorm(inputs, hidden, 1, activation=block.activation))
        layers.append(ConvolutionNorm(hidden, hidden, block.kernel, block.stride, hidden, block.activation))
        if block.squeezed:
            layers.append(SqueezeExcite(hidden, block.squeezed))
        layers.append(ConvolutionNorm(hidden, block.outputs, 1))
        self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        return x + y if self.residual else y


class MobileNet(nn.Module):
    """A network of a topology, in floating point; pictures ``[N][C][H][W]`` to logits ``[N][classes]``."""

    def __init__(self, topology: Topology, dropout: float = 0.0):
        super().__init__()
        self.topology = topology
        self.stem = ConvolutionNorm(topology.channels, topology.stem, 3, activation=topology.activation)
        blocks, width = [], topology.stem
        for block in topology.blocks:
            blocks.append(InvertedResidual(width, block))
            width = block.outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvolutionNorm(width, topology.head, 1, activation=topology.activation) if topology.head else None
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
    return sum((stage.products + 1) * stage.outputs for stage in topology.stages())


def mac_count(stages: Sequence[Stage]) -> int:
    """Multiply-accumulate operations of a frame."""
    return sum(stage.pixels * stage.outputs * stage.products for stage in stages)
