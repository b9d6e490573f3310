"""The depthwise convolution: P outputs × K taps a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import Component, connect, flipped

from .cost import Cost
from .counting import delayed
from .mac import MacPipeline, stage_ports
from .mac_parameters import MacParameters, MacStageParameters
from .widen import Widen
from .window import Window
from .window_geometry import AVAILABLE_DELAY, WindowGeometry
from .window_parameters import WindowParameters


@dataclass(frozen=True)
class DepthwiseParameters(MacStageParameters):
    """Parameters of a :class:`Depthwise`.

    Args:
        geometry: map, kernel, strides and padding.
        channels: C, of the input.
        channel_folding: P, a multiple of ``lanes``; with a multiplier of 1 of ``input_lanes`` too.
        taps: K: 1, a kernel row, or the whole kernel.
        input_lanes, lanes: of the streams.
        pad_value: of taps in the padding.
        multiplier: M, outputs of each channel, one after the other.
        capacity: pixels of the window's ring; see :class:`~mbconv.hdl.window_parameters.WindowParameters`.
        others: see :class:`~mbconv.hdl.mac_parameters.MacStageParameters`.

    Raises:
        ValueError: lanes do not divide the folding or are too few to drain a block in its cycles, a count is below 1,
            or the window's parameters are refused.
    """

    geometry: WindowGeometry
    channels: int
    channel_folding: int
    taps: int
    pad_value: int = 0
    multiplier: int = 1
    capacity: int | None = None

    def __post_init__(self) -> None:
        for name in ("input_lanes", "channels", "channel_folding", "multiplier"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.multiplier == 1 and self.channel_folding % self.input_lanes:
            raise ValueError(
                f"{self.input_lanes} input lanes do not divide the {self.channel_folding} channels a cycle"
            )
        _ = self.window, self.mac

    @property
    def outputs(self) -> int:
        return self.channels * self.multiplier

    @property
    def window_lanes(self) -> int:
        """Channels of a word of the window: whole beats of the input that make whole blocks of P outputs, or all."""
        lanes, folding = self.input_lanes, self.channel_folding
        return min(lanes * folding // gcd(folding, lanes * self.multiplier), -(-self.channels // lanes) * lanes)

    def channel_of(self, repeat: int, output: int) -> int:
        """The channel of a word that an output of a block reads, in a pass over it."""
        return min((repeat * self.channel_folding + output) // self.multiplier, self.window_lanes - 1)

    @cached_property
    def window(self) -> WindowParameters:
        return WindowParameters(
            self.geometry,
            self.data_shape,
            self.channels,
            self.window_lanes,
            self.taps,
            self.capacity,
            self.pad_value,
            self.family,
            -(-min(self.outputs, self.window_lanes * self.multiplier) // self.channel_folding),
            -(-self.outputs // self.channel_folding),
        )

    @cached_property
    def mac(self) -> MacParameters:
        return MacParameters(
            outputs=self.channel_folding,
            terms=self.taps,
            channels=self.outputs,
            steps=self.window.steps,
            shared=False,
            data_latency=self.window.latency,
            **self.common,
        )

    @property
    def memory_bits(self) -> int:
        return self.window.memory_bits + self.mac.memory_bits

    @property
    def cycles_per_frame(self) -> int:
        return self.window.cycles_per_frame

    @property
    def widen_latency(self) -> int:
        """Cycles from taking a word's last beat to the word."""
        return int(self.input_lanes != self.window_lanes)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return self.widen_latency + AVAILABLE_DELAY + self.mac.steps - 1 + self.mac.latency


class Depthwise(Component):
    """Every channel of an output pixel is a dot product of its own window and filter.

    ::

                     ┌────────┐   ┌──────────────┐  taps  ┌─────────────────────────────┐
        i (Li lanes)─┤ Widen  ├──►│ Window       ├───────►│ MacPipeline                 ├─► o (Lo lanes)
                     │ Li → W │   │ ring of rows │ [P][K] │ P × K, accumulate, drain,   │
                     └────────┘   └──────────────┘        │ requantise, queue           │
                      weights [P][K] ────────────────────►│                             │
                      requantization [Lo] ───────────────►└─────────────────────────────┘

    Output c·M + n is of channel c. W channels make whole blocks of P outputs: with M = 1 they are P, else W·M ÷ P
    passes over a word of the window, each of which chooses its channels.

    Cycles per frame: output pixels · ⌈C·M/P⌉ · ⌈k²/K⌉, every one of them a use of all P × K multipliers; row ends,
    frame ends and requantisation cost none. The order of weights is that of the loops: for each block of P outputs, for
    each group of K taps (row-major), one beat [P][K]; the period is an output pixel. Weights of outputs that do not
    exist must be 0.

    Cost: P × K multipliers; the window's ring; a selection of the channel where passes differ; requantisation for Lo
    results.

    Args:
        parameters: a :class:`DepthwiseParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(data_shape, input_lanes)))``
        weights, requantization: ``In``, see :class:`~mbconv.hdl.mac.MacPipeline`
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    @property
    def own_cost(self) -> Cost:
        """Where a word is passed several times a selection for each bit of all taps."""
        p = self.parameters
        sources = sum(len(self._sources(output)) - 1 for output in range(p.channel_folding))
        return Cost(sources * p.taps * p.data_shape.width)

    def __init__(self, parameters: DepthwiseParameters):
        self.parameters = p = parameters
        self.widen = Widen(p.data_shape, p.channels, p.input_lanes, p.window_lanes)
        self.window = Window(p.window)
        self.mac = MacPipeline(p.mac)
        super().__init__(stage_ports(self.mac, p.input_lanes))

    @property
    def cycles_per_frame(self) -> int:
        return self.parameters.cycles_per_frame

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return self.parameters.latency

    @property
    def multipliers(self) -> int:
        return self.parameters.multipliers

    @property
    def memory_bits(self) -> int:
        return self.parameters.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.widen, m.submodules.window, m.submodules.mac = self.widen, self.window, self.mac
        connect(m, flipped(self.i), self.widen.i)
        connect(m, self.widen.o, self.window.i)
        connect(m, flipped(self.weights), self.mac.weights)
        connect(m, flipped(self.requantization), self.mac.requantization)
        connect(m, self.mac.o, flipped(self.o))
        m.d.comb += [
            self.window.permit.eq(self.mac.can_issue),
            self.mac.issue.eq(self.window.issued),
            self.mac.first.eq(self.window.first),
            self.mac.last.eq(self.window.last),
            self.mac.last_block.eq(self.window.last_group),
        ]
        repeat = delayed(m, self.window.repeat, self.window.latency, "repeat")
        taps = [self._chosen(m, repeat, output) for output in range(self.parameters.channel_folding)]
        m.d.comb += self.mac.data.as_value().eq(Cat(*taps))
        return m

    def _sources(self, output: int) -> dict[int, list[int]]:
        """The channels of a word that an output of a block reads, and the passes in which it does."""
        found: dict[int, list[int]] = {}
        for repeat in range(self.parameters.window.repeats):
            found.setdefault(self.parameters.channel_of(repeat, output), []).append(repeat)
        return found

    def _chosen(self, m: Module, repeat: Value, output: int) -> Value:
        """The taps of an output of a block."""
        (first, _), *others = self._sources(output).items()
        if not others:
            return self.window.o[first].as_value()
        chosen = Signal(self.parameters.taps * self.parameters.data_shape.width, name=f"taps_{output}")
        m.d.comb += chosen.eq(self.window.o[first].as_value())
        for channel, repeats in others:
            with m.If(repeat.matches(*repeats)):
                m.d.comb += chosen.eq(self.window.o[channel].as_value())
        return chosen
