"""Arguments that the modules of this folder share, for ``argparse``."""

from __future__ import annotations

import argparse
import re


def layer_range(text: str) -> tuple[int, int]:
    """``A:B``: operator indices of the file, half open.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    match = re.fullmatch(r"(\d{1,18}):(\d{1,18})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not A:B, two operator indices such as 2:5")
    return int(match[1]), int(match[2])
