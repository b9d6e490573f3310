"""From picture files to a network's input: crop, resize, quantise.

A picture's pixels are 0 to 255. Unless told otherwise, 0 becomes the least integer of the input's element and 255 the
greatest, linearly: pixels span the real range that the input's scale and zero point span, which for the usual networks
is [0, 1], [-1, 1] or [0, 255]. With ``mean`` and ``std`` the real value ``(pixel - mean) / std`` is quantised instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import GraphError, Tensor

from ..golden.model import check_values
from .picture_file import open_picture

RESIZE_MODES = ("crop", "stretch", "fit")
MAXIMUM_SIDE = 1 << 16  # pixels that --resize may ask for


def load_picture(
    path: str | Path,
    tensor: Tensor,
    resize: str | int = "crop",
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
) -> np.ndarray:
    """A picture as the values of an input tensor of one or three channels (channels last or first).

    Args:
        path: a file that Pillow reads.
        tensor: the input; one channel makes the picture gray.
        resize: ``crop`` cuts the largest centred part of the input's aspect ratio and resizes it; ``stretch`` resizes
            the whole picture; ``fit`` resizes the whole picture to lie within the input and fills the rest with gray
            (128); a number resizes the shorter side to that many pixels and cuts the centre. All bilinear.
        mean: subtracted from pixels of 0 to 255, one number or one for each channel; 0 where only ``std`` is given.
        std: divides what is left; 1 where only ``mean`` is given.

    Returns:
        Integers of the tensor's shape and element type.

    Raises:
        GraphError: the file is missing or no picture, the tensor is no picture, or an option does not fit.
    """
    height, width, channels, channels_first = picture_shape(tensor)
    picture = open_picture(path, "L" if channels == 1 else "RGB")
    pixels = np.asarray(_resized(picture, width, height, resize), np.float64).reshape(height, width, channels)
    values = _quantised(pixels, tensor, mean, std)
    if channels_first:
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values).reshape(tensor.shape)


def load_values(path: str | Path, tensor: Tensor) -> np.ndarray:
    """The values of an input tensor from a ``.npy`` file of integers, taken as they are.

    A leading dimension of 1 may be missing.

    Raises:
        GraphError: the file is missing or unreadable, or its values do not fit the tensor.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except OSError as error:
        raise GraphError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise GraphError(f"{path} is no .npy file of integers (numpy.save writes one)") from error
    if not isinstance(values, np.ndarray):
        raise GraphError(f"{path} holds several arrays; store one input in a .npy file")
    if tensor.shape[:1] == (1,) and values.shape == tensor.shape[1:]:
        values = values.reshape(tensor.shape)
    try:
        return check_values(tensor, values)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error


def roll_frames(pictures: Sequence[np.ndarray], frames: int, axis: int = -2) -> list[np.ndarray]:
    """``frames`` different inputs from fewer pictures: frame k is a picture rolled by k pixels along the width.

    Pictures are taken in turn, and the first of them unrolled where there are enough.

    Args:
        pictures: input values, at least one.
        frames: how many are wanted.
        axis: the width's axis: -2 of NHWC, -1 of NCHW.

    Raises:
        GraphError: no pictures, or fewer than one frame.
    """
    if not pictures:
        raise GraphError("no picture was given")
    if frames < 1:
        raise GraphError(f"at least one frame is needed, not {frames}")
    if frames <= len(pictures):
        return list(pictures[:frames])
    return [np.roll(pictures[k % len(pictures)], k, axis=axis) for k in range(frames)]


def picture_shape(tensor: Tensor) -> tuple[int, int, int, bool]:
    """Height, width and channels of an input that holds a picture, and whether the channels come first.

    Raises:
        GraphError: the tensor is no picture of one or three channels.
    """
    if len(tensor.shape) == 4 and tensor.shape[0] == 1:
        if tensor.shape[3] in (1, 3):
            return tensor.shape[1], tensor.shape[2], tensor.shape[3], False
        if tensor.shape[1] in (1, 3):
            return tensor.shape[2], tensor.shape[3], tensor.shape[1], True
    raise GraphError(
        f"input {tensor.index} ({tensor.name}) has shape {tensor.shape}, which is no picture of 1 or 3 channels; "
        "give its values as a .npy file (--input)"
    )


def seen_part(size: tuple[int, int], width: int, height: int, resize: str | int) -> tuple[float, float, float, float]:
    """The part of a picture that an input shows: left, top, right, bottom in the picture's pixels.

    Args:
        size: width and height of the picture.
        width, height: of the input.
        resize: as of :func:`load_picture`, of which it is one; what ``fit`` shows reaches beyond the picture.
    """
    if isinstance(resize, str) and resize.isdecimal():
        resize = int(resize)
    if resize == "stretch":
        return 0, 0, *size
    spans = []
    shape = (width, height)
    for axis, length in enumerate(size):
        kept, other = shape[axis], 1 - axis
        if resize == "crop":
            part = max(1, min(length, round(size[other] * kept / shape[other])))
            first: float = (length - part) // 2
            spans.append((first, first + part))
        elif resize == "fit":
            # as ImageOps.pad: the whole picture in the middle, as large as fits
            narrower = size[axis] * shape[other] < size[other] * kept
            inside = round(length / size[other] * shape[other]) if narrower else kept
            margin = round((kept - inside) / 2)
            spans.append((-margin * length / inside, (kept - margin) * length / inside))
        else:
            scaled = max(int(resize), round(length * int(resize) / min(size)))
            first = (scaled - kept) // 2
            spans.append((first * length / scaled, (first + kept) * length / scaled))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom


def _resized(picture, width: int, height: int, resize: str | int):
    """A Pillow picture of the given size."""
    from PIL import Image, ImageOps

    if isinstance(resize, str) and resize.isdecimal():
        resize = int(resize)
    if isinstance(resize, int):
        if resize < max(width, height):
            raise GraphError(f"resize {resize} is less than the input's {width}×{height} pixels (width × height)")
        if resize > MAXIMUM_SIDE:
            raise GraphError(f"resize {resize} is more than {MAXIMUM_SIDE} pixels")
        return _centre_of_scaled(picture, width, height, resize)
    if resize == "crop":
        # Cut first, or the resizing of the border would still see what lies outside.
        picture = picture.crop(tuple(map(int, seen_part(picture.size, width, height, "crop"))))
    if resize in ("crop", "stretch"):
        return picture.resize((width, height), Image.Resampling.BILINEAR)
    if resize == "fit":
        gray = 128 if picture.mode == "L" else (128, 128, 128)
        return ImageOps.pad(picture, (width, height), Image.Resampling.BILINEAR, color=gray)
    raise GraphError(f"resize {resize!r} is neither {', '.join(RESIZE_MODES)} nor a number of pixels")


def _centre_of_scaled(picture, width: int, height: int, side: int):
    """The middle of a picture whose shorter side is scaled to ``side`` pixels; no more is scaled than is kept."""
    from PIL import Image

    part = seen_part(picture.size, width, height, side)
    return picture.resize((width, height), Image.Resampling.BILINEAR, box=part)


def quantised_pixels(pixels: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Pixels of 0 to 255 as the values of an input: over the whole range of its element.

    Raises:
        GraphError: they are not as many as the input holds.
    """
    if pixels.size != tensor.size:
        raise GraphError(f"{pixels.size} pixels do not fill {tensor.name} of shape {list(tensor.shape)}")
    return _quantised(pixels.reshape(tensor.shape), tensor, None, None)


def _quantised(pixels: np.ndarray, tensor: Tensor, mean, std) -> np.ndarray:
    """Pixels of 0 to 255, channels last, as elements of a tensor; halves are rounded away from zero."""
    element = tensor.element
    if mean is None and std is None:
        values = pixels * ((element.maximum - element.minimum) / 255) + element.minimum
    else:
        channels = pixels.shape[-1]
        mean = _for_channels("mean", 0.0 if mean is None else mean, channels)
        std = _for_channels("std", 1.0 if std is None else std, channels)
        if np.any(std <= 0):
            raise GraphError(f"std {_text(std)} is not greater than 0")
        with np.errstate(over="ignore"):  # what is beyond all numbers is beyond the element's range
            values = (pixels - mean) / std / tensor.scale + tensor.zero_point
    rounded = np.copysign(np.floor(np.abs(values) + 0.5), values)
    return np.clip(rounded, element.minimum, element.maximum).astype(element.dtype)


def _for_channels(name: str, value: float | Sequence[float], channels: int) -> np.ndarray:
    numbers = np.atleast_1d(np.asarray(value, np.float64))
    if not np.all(np.isfinite(numbers)):
        raise GraphError(f"{name} {_text(numbers)} is not finite")
    if numbers.shape not in ((1,), (channels,)):
        raise GraphError(f"{name} {_text(numbers)} is neither one number nor {channels}, one for each channel")
    return numbers


def _text(numbers: np.ndarray) -> str:
    return ",".join(f"{number:g}" for number in numbers.reshape(-1))
