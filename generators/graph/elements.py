"""Tensors and the integers that they hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from .graph_error import GraphError


@dataclass(frozen=True)
class Element:
    """The integer type of a tensor's elements: ``bits`` (2 to 64) and signedness.

    ``real`` marks the float32 that DEQUANTIZE hands to the host, the only elements that are no integers. More than 32
    bits have only the places that ARG_MAX hands to it.
    """

    bits: int
    signed: bool
    real: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 64:
            raise GraphError(f"an element has 2 to 64 bits, not {self.bits}")

    @property
    def minimum(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype:
        """The smallest numpy type that holds an element."""
        if self.real:
            return np.dtype(np.float32)
        size = next(size for size in (8, 16, 32, 64) if self.bits <= size)
        return np.dtype(f"{'int' if self.signed else 'uint'}{size}")

    def __str__(self) -> str:
        return f"{'float' if self.real else 'int' if self.signed else 'uint'}{self.bits}"


INT8 = Element(8, True)
UINT8 = Element(8, False)
FLOAT32 = Element(32, True, real=True)
INT32 = Element(32, True)
INT64 = Element(64, True)


@dataclass(frozen=True)
class Tensor:
    """A tensor that an operator computes, or an input: NHWC with N = 1, or of any rank with the channels last.

    One that is not ``in_file`` lies between two operators that one of the file's became.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    element: Element
    scale: float  # the float32 of the file, exactly
    zero_point: int
    in_file: bool = True

    # Whatever the rank, the last axis holds the channels and those before it, in raster order, the pixels.

    @property
    def height(self) -> int:
        return prod(self.shape[:-2])

    @property
    def width(self) -> int:
        return self.shape[-2] if len(self.shape) > 1 else 1

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def quantization(self) -> tuple[Element, float, int]:
        return (self.element, self.scale, self.zero_point)
