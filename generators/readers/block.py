"""Single blocks described in one line: ``block:inverted_residual,height=56,width=56,channels=24,expansion=6,stride=1``.

A block is a small network with seeded random weights, or those of an ``.npz``, to measure and verify circuits without a
model file. Kinds and their layers:

=====================  ========================================================================================
``pointwise``          1×1 convolution; the input is linear (signed)
``depthwise``          k×k depthwise convolution; the input is a ReLU6 output
``separable``          depthwise, then pointwise, as in MobileNetV1; the input is a ReLU6 output
``inverted_residual``  expansion (none where ``expansion=1``), depthwise, linear projection, and the residual's ADD
                       where stride is 1 and output channels equal channels, as in MobileNetV2; the input is linear
=====================  ========================================================================================

``numbers=affine`` makes what a post-training-quantised TFLite file has: int8, one weight scale for each output channel,
ReLU6 outputs with zero point −128, linear ones with another. ``numbers=fixed`` makes binary fixed point: ReLU6 outputs
unsigned with 3 integer bits, linear ones signed, every scale a power of two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod

from ..graph.checks import check_graph
from ..graph.graph import Activation, Graph, GraphError
from .block_layers import BlockBuilder
from .block_weights import load_block_arrays

PREFIX = "block:"
MAXIMUM_WEIGHTS = 1 << 24

_KINDS = {
    "pointwise": ("output_channels", "activation"),
    "depthwise": ("output_channels", "stride", "kernel", "activation"),
    "separable": ("output_channels", "stride", "kernel", "activation"),
    "inverted_residual": ("output_channels", "stride", "kernel", "expansion"),
}
_REQUIRED = ("height", "width", "channels")
_OPTIONAL = ("seed", "numbers", "activation_bits", "weight_bits", "weights")
_RANGES = {
    "height": (1, 8192),
    "width": (1, 8192),
    "channels": (1, 16384),
    "output_channels": (1, 16384),
    "expansion": (1, 64),
    "kernel": (1, 31),
    "stride": (1, 16),
    "seed": (0, 2**31 - 1),
    "activation_bits": (2, 16),
    "weight_bits": (2, 16),
}
_PAIRS = ("kernel", "stride")  # of rows and columns
_CHOICES = {"numbers": ("affine", "fixed"), "activation": ("none", "relu", "relu6")}
_MEANINGS = {
    "height": "rows of the input",
    "width": "columns of the input",
    "channels": "channels of the input",
    "output_channels": "channels of the output (default: channels; of a depthwise block a multiple of them)",
    "expansion": "wide channels ÷ channels (default 6)",
    "kernel": "rows and columns of the depthwise kernel, or ROWSxCOLUMNS (default 3)",
    "stride": "stride of the depthwise layer, or ROWSxCOLUMNS (default 1)",
    "activation": "none, relu or relu6 (default relu6)",
    "seed": "of the random weights (default 0)",
    "numbers": "affine (TFLite's int8; default) or fixed (binary fixed point)",
    "activation_bits": "bits of an activation (default 8; affine: 8)",
    "weight_bits": "bits of a weight (default 8; affine: 8)",
    "weights": "an .npz file with the weights",
}


@dataclass(frozen=True)
class Block:
    """A block's description, defaults filled in."""

    kind: str
    height: int
    width: int
    channels: int
    output_channels: int
    expansion: int = 1
    strides: tuple[int, int] = (1, 1)
    kernel: tuple[int, int] = (3, 3)
    activation: Activation = Activation.RELU6
    seed: int = 0
    numbers: str = "affine"
    activation_bits: int = 8
    weight_bits: int = 8
    weights: str | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.height}x{self.width}x{self.channels}"

    @property
    def residual(self) -> bool:
        """Whether the block's input joins its output."""
        return self.kind == "inverted_residual" and self.strides == (1, 1) and self.channels == self.output_channels

    @property
    def weight_count(self) -> int:
        wide = self.channels * self.expansion
        taps = prod(self.kernel)
        return {
            "pointwise": self.channels * self.output_channels,
            "depthwise": taps * self.output_channels,
            "separable": self.channels * (taps + self.output_channels),
            "inverted_residual": wide * (self.channels * (self.expansion > 1) + taps + self.output_channels),
        }[self.kind]


def parse_block(spec: str) -> Graph:
    """The graph of a block given in one line.

    Args:
        spec: ``block:KIND,key=value,…``; the keys are those of the error message that an unknown one gets, the keys of
            ``weights=FILE.npz`` those of :mod:`~mbconv.generators.readers.block_weights`.

    Returns:
        A graph with one input and one output, operators numbered from 0, tensors from 0 (the input).

    Raises:
        GraphError: unknown kind, unknown, repeated or missing keys, values out of range, an unusable weights file; all
            that is wrong in one message, with the keys allowed.
    """
    return build_block(parse_block_spec(spec))


def build_block(block: Block) -> Graph:
    """The graph of a block.

    Raises:
        GraphError: the weights file is unusable, or the numbers do not fit (accumulators beyond 32 bits).
    """
    arrays = None if block.weights is None else load_block_arrays(block.weights)
    builder = BlockBuilder(block.numbers, block.activation_bits, block.weight_bits, block.seed, arrays)
    shape = (1, block.height, block.width, block.channels)
    x = builder.input(shape, linear=block.kind in ("pointwise", "inverted_residual"))
    if block.kind == "inverted_residual":
        y = x
        if block.expansion > 1:
            y = builder.pointwise("expansion", y, block.channels * block.expansion, Activation.RELU6)
        y = builder.depthwise("depthwise", y, 1, block.kernel, block.strides, Activation.RELU6)
        y = builder.pointwise("projection", y, block.output_channels, Activation.NONE)
        if block.residual:
            y = builder.add("add", x, y)
    else:
        y = x
        if block.kind != "pointwise":
            multiplier = block.output_channels // block.channels if block.kind == "depthwise" else 1
            y = builder.depthwise("depthwise", y, multiplier, block.kernel, block.strides, block.activation)
        if block.kind != "depthwise":
            y = builder.pointwise("pointwise", y, block.output_channels, block.activation)
    graph = builder.graph(block.name, x, y)
    check_graph(graph)
    return graph


def parse_block_spec(spec: str) -> Block:
    """A block's description from one line; arguments and errors as :func:`parse_block`."""
    kind, *items = spec.removeprefix(PREFIX).split(",")
    if kind not in _KINDS:
        raise GraphError(
            f"{spec!r}: there is no block {kind!r}{_nearest(kind, _KINDS)}; the kinds are {', '.join(_KINDS)}, as in "
            "block:inverted_residual,height=56,width=56,channels=24,expansion=6,stride=1"
        )
    allowed = (*_REQUIRED, *_KINDS[kind], *_OPTIONAL)
    problems: list[str] = []
    values: dict[str, str] = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals:
            problems.append(f"{item!r} is not key=value")
        elif key not in allowed:
            problems.append(f"{key!r} is not a key of {kind}{_nearest(key, allowed)}")
        elif key in values:
            problems.append(f"{key} is given twice")
        else:
            values[key] = value
    problems += [f"{key} is missing" for key in _REQUIRED if key not in values]
    fields = {key: _value(key, text, problems) for key, text in values.items()}
    if not problems:
        block = _block(kind, fields)
        problems = _contradictions(block)
        if not problems:
            return block
    keys = "\n".join(f"  {key:16} {_MEANINGS[key]}{_range(key)}" for key in allowed)
    raise GraphError(f"{spec!r}: {'; '.join(problems)}.\nThe keys of {kind} are\n{keys}")


def _nearest(word: str, known: Iterable[str]) -> str:
    """What a misspelt word may have meant."""
    close = get_close_matches(word.lower(), list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _range(key: str) -> str:
    return f"; {_RANGES[key][0]} to {_RANGES[key][1]}" if key in _RANGES else ""


def _value(key: str, text: str, problems: list[str]) -> int | str | tuple[int, int] | None:
    """A key's value; what is wrong with it is added to ``problems``."""
    if key == "weights":
        if not text:
            problems.append("weights names no file")
        return text
    if key in _CHOICES:
        if text not in _CHOICES[key]:
            problems.append(f"{key}={text} is none of {', '.join(_CHOICES[key])}")
        return text
    least, most = _RANGES[key]
    parts = text.split("x") if key in _PAIRS else [text]
    if len(parts) > 2 or not all(re.fullmatch("[0-9]{1,4000}", part) for part in parts):
        problems.append(f"{key}={text} is not a whole number")
        return None
    numbers = [int(part) for part in parts]
    if not all(least <= number <= most for number in numbers):
        problems.append(f"{key}={text} is not in {least}..{most}")
    if key in _PAIRS:
        return numbers[0], numbers[-1]
    return numbers[0]


def _block(kind: str, fields: dict) -> Block:
    fields = dict(fields)
    fields.setdefault("output_channels", fields["channels"])
    if kind == "inverted_residual":
        fields.setdefault("expansion", 6)
    if "stride" in fields:
        fields["strides"] = fields.pop("stride")
    if "activation" in fields:
        fields["activation"] = Activation(fields["activation"])
    return Block(kind, **fields)


def _contradictions(block: Block) -> list[str]:
    """What is wrong with values that are each in range."""
    problems = []
    if block.kind == "depthwise" and block.output_channels % block.channels:
        problems.append(f"output_channels={block.output_channels} is no multiple of channels={block.channels}")
    if block.numbers == "affine" and (block.activation_bits, block.weight_bits) != (8, 8):
        problems.append(
            f"activation_bits={block.activation_bits} and weight_bits={block.weight_bits} with numbers=affine, which "
            "is TFLite's int8; other widths need numbers=fixed"
        )
    if block.weight_count > MAXIMUM_WEIGHTS:
        problems.append(f"the block would have {block.weight_count} weights; at most {MAXIMUM_WEIGHTS} are supported")
    wide = prod((block.height, block.width, block.channels * block.expansion))
    if wide > 1 << 27:
        problems.append(f"its widest tensor would have {wide} elements; at most {1 << 27} are supported")
    return problems
