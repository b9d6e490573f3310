"""Parts of event models from the parameters of the circuits that several stages contain.

Windows may be counted with any capacity; None is one without limit, where what is live at once is what a ring must
hold.
"""

from __future__ import annotations

from mbconv.hdl.mac import MacPipeline
from mbconv.hdl.widen import Widen
from mbconv.hdl.window import Window

from .timing import Blocks, Packing, WindowTiming


def packing_of(widen: Widen, channels: int, word: int) -> Packing:
    """Beats collected into words of ``word`` channels."""
    return Packing(-(-channels // widen.lanes_in), word // widen.lanes_in, widen.latency)


def blocks_of(mac: MacPipeline) -> Blocks:
    """The blocks of outputs of a multiply-accumulate pipeline."""
    result = mac.result
    return Blocks(
        steps=mac.steps,
        per_pixel=mac.blocks,
        beats=result.beats,
        last_beats=result.last_beats,
        interval=mac.interval,
        latency=mac.latency,
        queue_depth=result.queue_depth,
    )


def window_of(window: Window, packing: Packing, capacity: int | None) -> WindowTiming:
    """A window whose ring holds ``capacity`` pixels."""
    geometry = window.geometry
    return WindowTiming(
        packing,
        geometry.required,
        geometry.released,
        geometry.pixels,
        window.AVAILABLE_DELAY,
        window.RELEASE_DELAY,
        capacity,
    )
