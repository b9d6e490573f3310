"""The event models of the circuits that multiply, from their own parameters.

Windows may be counted with any capacity; None is one without limit, where what is live at once is what a ring must
hold.
"""

from __future__ import annotations

from mbconv.hdl.convolution import Convolution
from mbconv.hdl.depthwise import Depthwise
from mbconv.hdl.mac import MacPipeline
from mbconv.hdl.pointwise import Pointwise
from mbconv.hdl.widen import Widen
from mbconv.hdl.window import Window

from .timing import Blocks, ConvolutionTiming, DepthwiseTiming, Packing, PointwiseTiming, WindowTiming


def pointwise_timing(stage: Pointwise, pixels: int) -> PointwiseTiming:
    """The event model of a pointwise stage, for frames of so many pixels."""
    return PointwiseTiming(
        _packing(stage.widen, stage.inputs, stage.input_folding),
        _blocks(stage.mac),
        stage.slots,
        stage.AVAILABLE_DELAY,
        stage.RELEASE_DELAY,
        pixels,
    )


def depthwise_timing(stage: Depthwise, capacity: int | None = None) -> DepthwiseTiming:
    """The event model of a depthwise stage whose window holds ``capacity`` pixels."""
    packing = _packing(stage.widen, stage.channels, stage.channel_folding)
    return DepthwiseTiming(_window(stage.window, packing, capacity), _blocks(stage.mac))


def convolution_timing(stage: Convolution, capacity: int | None = None) -> ConvolutionTiming:
    """The event model of a convolution whose window holds ``capacity`` pixels."""
    packing = _packing(stage.widen, stage.channels, stage.channels)
    return ConvolutionTiming(
        _window(stage.window.window, packing, capacity),
        stage.window.window.steps,
        stage.window.latency,
        stage.window.queue_depth,
        stage.narrow.lanes_in // stage.narrow.lanes_out,
        pointwise_timing(stage.pointwise, stage.geometry.output_pixels),
    )


def _packing(widen: Widen, channels: int, word: int) -> Packing:
    return Packing(-(-channels // widen.lanes_in), word // widen.lanes_in, widen.latency)


def _blocks(mac: MacPipeline) -> Blocks:
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


def _window(window: Window, packing: Packing, capacity: int | None) -> WindowTiming:
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
