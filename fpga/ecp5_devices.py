"""ECP5 devices as nextpnr knows them."""

from __future__ import annotations

import re

from mbconv.generators.graph import GraphError

SPEEDS = (6, 7, 8)
_FAMILIES = {"LFE5U": "", "LFE5UM": "um-", "LFE5UM5G": "um5g-"}
_SIZES = {"12F": "12k", "25F": "25k", "45F": "45k", "85F": "85k"}


def device_option(device: str) -> str:
    """nextpnr's option for a device such as ``LFE5U-85F``.

    Raises:
        GraphError: there is no such device.
    """
    match = re.fullmatch(r"(LFE5U|LFE5UM|LFE5UM5G)-(12F|25F|45F|85F)", device)
    if match is None or (match[2] == "12F" and match[1] != "LFE5U"):
        known = [f"{family}-{size}" for family in _FAMILIES for size in _SIZES if size != "12F" or family == "LFE5U"]
        raise GraphError(f"no ECP5 device is called {device}; there are {', '.join(known)}")
    return f"--{_FAMILIES[match[1]]}{_SIZES[match[2]]}"
