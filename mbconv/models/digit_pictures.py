"""Ten digits of 8×8 pixels, drawn by us, for the demonstration and the tests of the built-in model ``digits``.

They are no part of scikit-learn's digits, on which the model was trained, but are drawn in their manner: white strokes
about two pixels wide on black, with soft edges.
"""

from __future__ import annotations

import numpy as np

SPLIT_SEED, HELD_OUT = 2026, 360  # the split that the training keeps to
SHADES = " .:+#"  # 0, 64, 128, 191 and 255

_DRAWINGS = (
    """
    |  :##+  |
    | .#++#: |
    | +#  :# |
    | #+   #.|
    | #:   #:|
    | #+  .#.|
    | :#::#+ |
    |  :##+  |
    """,
    """
    |   .##  |
    |   +##  |
    | .####  |
    | :+###  |
    |   +##  |
    |   +##  |
    |   +##  |
    |   .##. |
    """,
    """
    |  +##:  |
    | +#++#  |
    | :: :#  |
    |    ##  |
    |   :#:  |
    |  :#+   |
    | .###++:|
    |  +####+|
    """,
    """
    | :###+  |
    | ++:+#. |
    |    +#. |
    |  .##+  |
    |  .++#: |
    |     :#.|
    | :..:+# |
    | :###+. |
    """,
    """
    |    +#  |
    |   :#:  |
    |  .#+   |
    |  ## .: |
    | +#. ## |
    | ######:|
    | .::+#. |
    |    +#  |
    """,
    """
    | :#####.|
    | :#+::. |
    | +#.    |
    | +###+  |
    | .:.:#+ |
    |     ## |
    | ..:+#+ |
    | :###+  |
    """,
    """
    |   +#   |
    |  :#+   |
    |  ##    |
    | .#+.   |
    | :####: |
    | :#:.:#:|
    |  ##:+#:|
    |   +##+ |
    """,
    """
    | +#####:|
    | :::.+# |
    |    .#+ |
    |  :+##+.|
    |  +##+: |
    |   ##   |
    |  :#:   |
    |  +#    |
    """,
    """
    |  +##+  |
    | :#::#: |
    | .#:.#+ |
    |  +##+  |
    |  +#+#. |
    | .#. :# |
    | .#: +# |
    |  +##+. |
    """,
    """
    |  :##+. |
    | :#++## |
    | :#. +# |
    | .##+## |
    |  .:+## |
    |     ## |
    | .. :#+ |
    | .+##+  |
    """,
)


def digit_pictures() -> tuple[np.ndarray, np.ndarray]:
    """Pictures, uint8 ``[10][8][8][1]`` from 0 (black) to 255, and their labels: picture d is the digit d."""
    pictures = np.empty((len(_DRAWINGS), 8, 8, 1), np.uint8)
    for picture, drawing in zip(pictures, _DRAWINGS, strict=True):
        rows = [line.strip()[1:-1] for line in drawing.split("\n")[1:-1]]
        shades = np.array([[SHADES.index(character) for character in row] for row in rows])
        picture[..., 0] = (shades * 255 + 2) // 4
    return pictures, np.arange(len(_DRAWINGS))


def held_out_digits() -> tuple[np.ndarray, np.ndarray]:
    """The 360 of scikit-learn's digits that ``digits`` was not trained on: uint8 ``[360][8][8][1]``, and labels.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed (it comes with ``mbconv[demo]`` and ``mbconv[training]``).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits.images))[:HELD_OUT]
    pixels = np.floor(digits.images[order] * 255 / 16 + 0.5)
    return pixels.astype(np.uint8)[..., np.newaxis], digits.target[order]
