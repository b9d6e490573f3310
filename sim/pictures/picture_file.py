"""From a picture file to 8-bit grey or colours as a viewer shows them, or a refusal: never a guess.

Right are grey, colours and palettes of 8 bits and 16-bit grey, turned as their EXIF data say. Refused is what has no
one answer: transparent pixels, inks (CMYK), measured colours (LAB), floating point, integers of 32 bits or with a
sign, whose white nothing says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import GraphError

_REFUSED = {
    "CMYK": "holds inks (CMYK), whose colours depend on a printing profile: convert it to RGB",
    "LAB": "holds LAB colours: convert it to RGB",
    "HSV": "holds HSV colours: convert it to RGB",
    "F": "holds floating-point numbers: convert it to 8 or 16 bits",
}
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
_SIXTEEN_BITS_AS_INTEGERS = ("PNG", "PPM")  # formats whose 16-bit grey Pillow gives in mode I, in units of 1/65535


def open_picture(path: str | Path, mode: str):
    """A Pillow picture of mode ``L`` or ``RGB``.

    Raises:
        GraphError: the file is missing, no picture, too large, or has no one answer in 8 bits.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            picture.load()
            turned, kind = ImageOps.exif_transpose(picture), picture.format
    except UnidentifiedImageError as error:
        raise GraphError(f"{path} is no picture that Pillow can read") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise GraphError(f"cannot read picture {path}: {getattr(error, 'strerror', None) or error}") from error
    if turned.mode in _REFUSED:
        raise GraphError(f"{path} {_REFUSED[turned.mode]}")
    if turned.mode in _SIXTEEN_BITS or (turned.mode == "I" and kind in _SIXTEEN_BITS_AS_INTEGERS):
        return _eight_bits(turned).convert(mode)
    if turned.mode == "I":
        raise GraphError(f"{path} holds integers of 32 bits or with a sign: convert it to 8 or 16 bits")
    if turned.has_transparency_data:
        opaque = turned.convert("RGBA")
        if opaque.getextrema()[3][0] < 255:
            raise GraphError(f"{path} has transparent pixels: lay it on a background first")
        turned = opaque.convert("RGB")
    return turned.convert(mode)


def _eight_bits(picture):
    """16-bit grey as the nearest of 256 levels; 65535 becomes 255."""
    from PIL import Image

    values = np.asarray(picture).astype(np.int64)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))
