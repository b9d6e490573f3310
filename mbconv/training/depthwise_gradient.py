"""Depthwise convolution with gradients that do not take most of a training step on a processor.

PyTorch's own backward pass (2.14, oneDNN) is slow in two cases, measured with 64 maps: the gradient of a 5×5 filter
(352 channels of 6×6: 6.9 ms in float32 and 25 ms in bfloat16, where 3×3 takes 0.3 ms), and in bfloat16 the gradient of
a strided convolution's input (32 channels of 24×24: 20 ms in place of 0.4 ms). Here the first is put together from
gradients of 3×3 filters, each with another shift of the map, and the second is computed in float32.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import nn
from torch.nn import functional


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: torch.Tensor, weight: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            dtype = torch.float32 if ctx.stride > 1 else x.dtype
            of_x = _backward(gradient.to(dtype), x.to(dtype), weight.to(dtype), ctx.stride, ctx.padding, True)
            of_x = of_x.to(x.dtype)
        if ctx.needs_input_grad[1]:
            of_weight = _filter_gradient(gradient, x, weight, ctx.stride, ctx.padding)
        return of_x, of_weight, None, None


def _backward(
    gradient: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: int, padding: int, of_x: bool
) -> torch.Tensor:
    """The gradient of the input, or of the filters."""
    found = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(weight),
        [of_x, not of_x, False],
    )  # fmt: skip
    return found[0] if of_x else found[1]


def _filter_gradient(
    gradient: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: int, padding: int
) -> torch.Tensor:
    size = weight.shape[2]
    if size <= 3:
        return _backward(gradient, x, weight, stride, padding, False)
    # The 3×3 filters lie at these corners of the large one; where two overlap they have the same gradient.
    corners = [*range(0, size - 3, 3), size - 3]
    x = functional.pad(x, [padding] * 4)
    reach = [(length - 1) * stride + 3 for length in gradient.shape[2:]]
    whole = torch.empty_like(weight)
    part = weight[:, :, :3, :3]
    for row, column in product(corners, corners):
        shifted = x[:, :, row : row + reach[0], column : column + reach[1]]
        shifted = shifted.contiguous(memory_format=torch.channels_last)
        whole[:, :, row : row + 3, column : column + 3] = _backward(gradient, shifted, part, stride, 0, False)
    return whole


def depthwise(x: torch.Tensor, weight: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
    """Depthwise convolution of ``x`` ``[N][C][H][W]`` with filters ``[C][1][k][k]`` of the same type."""
    return _Depthwise.apply(x, weight, stride, padding)


class DepthwiseConvolution(nn.Conv2d):
    """``nn.Conv2d`` with a filter for each channel, equal stride and padding both ways and no bias.

    It computes in its input's type.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return depthwise(x, self.weight.to(x.dtype), self.stride[0], self.padding[0])
