"""A trained network with the arithmetic of int8 TFLite, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from mbconv.training.mobilenet import InvertedResidual, MobileNet, SqueezeExcite
from mbconv.training.quantised_layers import (
    ActivationQuantiser,
    QuantisedLayer,
    QuantisedSqueezeExcite,
)
from mbconv.training.tflite_writer import TfliteWriter


class QuantisedBlock(nn.Module):
    """An inverted residual of quantised layers."""

    def __init__(self, block: InvertedResidual, powers: bool):
        super().__init__()
        self.layers = nn.ModuleList(
            QuantisedSqueezeExcite(layer, powers)
            if isinstance(layer, SqueezeExcite)
            else QuantisedLayer.of(layer, powers)
            for layer in block.layers
        )
        self.sum = ActivationQuantiser(powers) if block.residual else None

    def connect(self, input_scale: float) -> ActivationQuantiser:
        """Take the input's scale; returns the output's quantiser."""
        for layer in self.layers:
            output = layer.connect(input_scale)
            input_scale = output.scale
        return output if self.sum is None else self.sum

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for layer in self.layers:
            y = layer(y)
        return y if self.sum is None else self.sum(x + y)

    def write(self, writer: TfliteWriter, x: int, name: str) -> int:
        """Add the operators to a file."""
        convolutions = [layer for layer in self.layers if isinstance(layer, QuantisedLayer)]
        names = dict(zip(convolutions, ("expand", "depthwise", "project")[-len(convolutions) :], strict=True))
        y = x
        for layer in self.layers:
            y = layer.write(writer, y, f"{name}/{names.get(layer, 'squeeze_excite')}")
        if self.sum is None:
            return y
        return writer.add(x, y, self.sum.scale, self.sum.zero_point, name=f"{name}/add")


class QuantisedMobileNet(nn.Module):
    """A trained network with its batch norms folded; call :meth:`calibrate` once, then train further or export.

    Args:
        network: the trained network.
        input_scale, input_zero_point: of the picture.
        powers: all scales are powers of two.
    """

    def __init__(self, network: MobileNet, input_scale: float, input_zero_point: int, powers: bool):
        super().__init__()
        self.topology = network.topology
        self.input_scale, self.input_zero_point = input_scale, input_zero_point
        self.stem = QuantisedLayer.of(network.stem, powers)
        self.blocks = nn.ModuleList(QuantisedBlock(block, powers) for block in network.blocks)
        self.head = QuantisedLayer.of(network.head, powers) if network.head is not None else None
        self.pool = ActivationQuantiser(powers)
        self.classifier = QuantisedLayer.of(network.classifier, powers)

    @torch.no_grad()
    def calibrate(self, pictures: torch.Tensor) -> None:
        """Choose every activation's scale and zero point from pictures."""
        for start in range(0, len(pictures), 256):
            self(pictures[start : start + 256])
        for module in self.modules():
            if isinstance(module, ActivationQuantiser):
                module.freeze()
        output = self.stem.connect(self.input_scale)
        for layer in [*self.blocks, *([self.head] if self.head is not None else [])]:
            output = layer.connect(output.scale)
        if not self.topology.fine_mean:
            self.pool.scale, self.pool.zero_point = output.scale, output.zero_point
        self.classifier.connect(self.pool.scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        if self.head is not None:
            x = self.head(x)
        return self.classifier(self.pool(x.mean(dim=(2, 3))))

    def export(self, name: str, description: str) -> TfliteWriter:
        """The network as a file: operators in order, the mean, FULLY_CONNECTED and SOFTMAX at the end."""
        writer = TfliteWriter(name, description)
        size = self.topology.size
        shape = (1, size, size, self.topology.channels)
        x = writer.input("picture", shape, self.input_scale, self.input_zero_point)
        x = self.stem.write(writer, x, "stem")
        for number, block in enumerate(self.blocks, 1):
            x = block.write(writer, x, f"block{number}")
        if self.head is not None:
            x = self.head.write(writer, x, "head")
        if self.topology.fine_mean:
            x = writer.mean(x, self.pool.scale, self.pool.zero_point, name="pool")
        else:
            x = writer.average_pool(x, writer.tensors[x].shape[1:3], name="pool")
        x = self.classifier.write(writer, x, "classifier")
        writer.output(writer.softmax(x, name="probabilities"))
        return writer


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


def file_content(network: QuantisedMobileNet, name: str, description: str, path: Path | None = None) -> bytes:
    """The network's file, written to ``path`` if one is given."""
    content = network.export(name, description).to_bytes()
    if path is not None:
        path.write_bytes(content)
    return content
