"""The parts of event models that circuits share, from the circuits' own parameters.

Windows may be counted with any capacity; None is one without limit, where what is live at once is what a ring must
hold.
"""

from __future__ import annotations

from mbconv.hdl.mac_parameters import MacParameters
from mbconv.hdl.window_geometry import AVAILABLE_DELAY, RELEASE_DELAY
from mbconv.hdl.window_parameters import WindowParameters

from .blocks import Blocks
from .window_timing import Packing, WindowTiming


def packing_of(channels: int, lanes: int, word: int) -> Packing:
    """Beats of ``lanes`` collected into words of ``word`` channels."""
    return Packing(-(-channels // lanes), word // lanes, int(lanes != word))


def blocks_of(mac: MacParameters) -> Blocks:
    """The blocks of outputs of a multiply-accumulate pipeline."""
    return Blocks(
        steps=mac.steps,
        per_pixel=mac.blocks,
        beats=mac.beats,
        last_beats=mac.last_beats,
        interval=mac.interval,
        latency=mac.latency,
        queue_depth=mac.queue_depth,
    )


def window_of(window: WindowParameters, packing: Packing, capacity: int | None) -> WindowTiming:
    """A window whose ring holds ``capacity`` pixels."""
    geometry = window.geometry
    return WindowTiming(
        packing,
        geometry.required,
        geometry.released,
        geometry.pixels,
        AVAILABLE_DELAY,
        RELEASE_DELAY,
        capacity,
    )
