"""What pools share: a window that moves over each channel by itself, and its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .graph import NO_PADDING, Activation, Operator, Padding, Tensor, Window
from .window_checks import pool_problems, window_problems

if TYPE_CHECKING:
    from ..readers.tflite_reader import Reader


@dataclass(frozen=True, eq=False)
class PoolOperator(Operator):
    """A function of each window of each channel; padding counts for nothing."""

    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    activation: Activation = Activation.NONE

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.strides, self.padding)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        return window_problems(self.window, input_tensor, output) + pool_problems(input_tensor, output)


Pool = TypeVar("Pool", bound=PoolOperator)


def read_pool(reader: Reader, kind: type[Pool]) -> Pool:
    """A pool of a TFLite file, from its ``Pool2DOptions``."""
    reader.check_inputs(1, 1)
    input_tensor = reader.computed()
    kernel, strides = reader.pool_kernel(), reader.strides()
    return kind(
        **reader.common(input_tensor),
        kernel=kernel,
        strides=strides,
        padding=reader.padding(kernel, strides),
        activation=reader.activation(),
    )
