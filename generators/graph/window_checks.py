"""What is wrong with a window moved over a map."""

from __future__ import annotations

from .graph import GraphError, Tensor, Window
from .number_checks import shape_problems


def window_problems(window: Window, input_tensor: Tensor, output: Tensor) -> list[str]:
    """What is wrong with a window's kernel, strides, padding and the sizes that result, as phrases."""
    kernel, strides, padding = window.kernel, window.strides, window.padding
    if len(input_tensor.shape) != 4 or len(output.shape) != 4 or input_tensor.shape[0] != 1:
        return [
            f"reads shape {list(input_tensor.shape)} and writes {list(output.shape)}; a map has 4 dimensions (NHWC)"
        ]
    if min(kernel) < 1 or min(strides) < 1:
        return [f"has kernel {kernel[0]}×{kernel[1]} and strides {strides[0]}×{strides[1]}; both are at least 1"]
    sides = (padding.top, padding.bottom, padding.left, padding.right)
    if min(sides) < 0 or max(sides[:2]) >= kernel[0] or max(sides[2:]) >= kernel[1]:
        return [f"pads by {padding}; each side is 0 or more and less than the kernel {kernel[0]}×{kernel[1]}"]
    height = input_tensor.height + padding.top + padding.bottom - kernel[0]
    width = input_tensor.width + padding.left + padding.right - kernel[1]
    if height < 0 or width < 0:
        return [f"has kernel {kernel[0]}×{kernel[1]}, larger than its padded input {list(input_tensor.shape)}"]
    expected = (1, height // strides[0] + 1, width // strides[1] + 1, output.channels)
    return shape_problems(output, expected, f"a {kernel[0]}×{kernel[1]} window with padding {padding}")


def pool_problems(input_tensor: Tensor, output: Tensor) -> list[str]:
    """What is wrong with channels and quantisation of a pooling."""
    problems = []
    if output.channels != input_tensor.channels:
        problems.append(f"reads {input_tensor.channels} channels and writes {output.channels}")
    # The reference kernels' own condition: they do not rescale.
    if output.zero_point != input_tensor.zero_point or abs(output.scale - input_tensor.scale) > 1e-6:
        problems.append("writes another scale or zero point than it reads; pooling does not rescale")
    return problems


def begins_in_padding(window: Window) -> bool:
    """Whether a map's first window lies wholly in the padding, which no circuit of a window waits for."""
    return window.padding.top >= window.kernel[0] or window.padding.left >= window.kernel[1]


def check_circuit_window(window: Window) -> Window:
    """A window that the circuits have.

    Raises:
        GraphError: they do not; the message follows the operator's name.
    """
    kernel, padding = window.kernel, window.padding
    if begins_in_padding(window):
        raise GraphError(
            f"has {padding.top} rows of padding above and {padding.left} columns to the left, so that the first window "
            f"of {kernel[0]}×{kernel[1]} lies wholly in the padding; pad less than the kernel"
        )
    return window
