"""What circuits with a folding share: those that multiply and accumulate.

The rules that a folding must keep (they are those of the circuits; ``mbconv.hdl`` refuses what breaks them) stand in
the circuits' files, but for one that all share: a block of outputs leaves before the next one is done,
``outputs ÷ lanes ≤ steps``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from amaranth.hdl import signed
from amaranth.lib.wiring import Component

from mbconv.hdl.mac_parameters import UNSHARED, DspShare

from ..constants.mac_constants import MacConstants, mac_constants, mac_forms
from ..constants.weights import Words, effective_weights, folded_weights, folded_words, pack_records, pack_words
from ..graph.shown import counted
from ..planning.folding import Folding, ceil_div, round_up
from ..timing.ports import StageTiming
from .protocol import Site, StageCircuit
from .stage import Stage, WindowSize

if TYPE_CHECKING:
    from .network import Network, Node


class FoldedCircuit(StageCircuit):
    """A circuit with ``inputs`` × ``outputs`` multipliers, fed with weights and requantisation words.

    Attributes:
        FEWEST_INPUTS: whether of foldings with as many multipliers the one with the fewest inputs costs least; else it
            is the one with the most, which needs the fewest accumulators.
    """

    FOLDED: ClassVar[bool] = True
    FEWEST_INPUTS: ClassVar[bool] = False

    def coupled(self, network: Network, node: Node) -> tuple[tuple[int, ...], ...]:
        return ()

    # Foldings

    def alike(self, network: Network, node: Node) -> tuple[object, ...]:
        """What the rules and cycles of a node's foldings depend on: nodes that have it in common have them too."""
        return self.KIND, node.reduction, node.kernel, node.strides, node.rasters, network.shapes[node.output]

    def steps(self, node: Node, folding: Folding) -> int:
        """Issue cycles of one group of outputs."""
        return ceil_div(node.reduction, folding.inputs)

    def output_unit(self, node: Node, lanes_in: int, lanes_out: Any) -> Any:
        """What ``outputs`` is a multiple of; also for an array of ``lanes_out``."""
        return lanes_out

    def allowed_pixels(self, network: Network, node: Node) -> Sequence[int]:
        """The ``pixels`` that a folding may have, in rising order."""
        return (1,)

    @abstractmethod
    def allowed_inputs(self, network: Network, node: Node, lanes_in: int) -> Sequence[int]:
        """The ``inputs`` that a folding may have behind a stream of so many lanes, in rising order."""

    @abstractmethod
    def useful_inputs(self, network: Network, node: Node, per_pixel: int, lanes_in: int) -> np.ndarray:
        """Those of :meth:`allowed_inputs` worth comparing where an output pixel may take so many cycles, at least one:
        the least for each number of steps."""

    @abstractmethod
    def input_rule(self, network: Network, node: Node, lanes_in: int) -> str:
        """What is wrong with ``inputs`` that are not allowed, as words that follow it."""

    def output_rule(self, node: Node, lanes_in: int, lanes_out: int) -> str:
        """What ``outputs`` must be a multiple of, in words."""
        return f"the {counted(lanes_out, 'lane')} of tensor {node.output}"

    def allowed_outputs(self, network: Network, node: Node, lanes_in: int, lanes_out: int) -> Sequence[int]:
        """The ``outputs`` that a folding may have, in rising order."""
        unit = self.output_unit(node, lanes_in, lanes_out)
        return range(unit, network.shapes[node.output].channels + unit, unit)

    def folding_problem(
        self, network: Network, node: Node, folding: Folding, lanes_in: int, lanes_out: int
    ) -> str | None:
        """Which rule a folding breaks between streams of the given lanes, with values near it that keep the rule, as a
        sentence's end; None if it keeps them all."""
        if folding.outputs not in (allowed := self.allowed_outputs(network, node, lanes_in, lanes_out)):
            return (
                f"outputs {folding.outputs} is no multiple of {self.output_rule(node, lanes_in, lanes_out)} that suits "
                f"{counted(network.shapes[node.output].channels, 'channel')}; {nearest_text(allowed, folding.outputs)}"
            )
        if folding.inputs not in (allowed := self.allowed_inputs(network, node, lanes_in)):
            return (
                f"inputs {folding.inputs} {self.input_rule(network, node, lanes_in)}; "
                f"{nearest_text(allowed, folding.inputs)}"
            )
        if folding.pixels not in (allowed := self.allowed_pixels(network, node)):
            return (
                f"pixels {folding.pixels} do not share groups of outputs in a {self.KIND} stage of "
                f"{counted(network.shapes[node.output].pixels, 'pixel')}; {nearest_text(allowed, folding.pixels)}"
            )
        channels = network.shapes[node.output].channels
        if folding.pixels > 1 and not shares(channels, folding.outputs, lanes_out):
            return (
                f"pixels {folding.pixels} have nothing to share: {folding.outputs} outputs leave no rest of {channels} "
                f"channels that {lanes_out} lanes divide; use 1"
            )
        leaving = leaving_cycles(channels, folding.outputs, lanes_out, folding.pixels)
        made = self.steps(node, folding) * ceil_div(folding.pixels * channels, folding.outputs)
        if leaving > made:
            return (
                f"the outputs of {folding.pixels} pixels leave over the {lanes_out} lanes of tensor {node.output} in "
                f"{leaving} cycles, but are done in {made}; it needs fewer pixels or more lanes"
            )
        block, beats = self.steps(node, folding), folding.outputs // lanes_out
        if beats > block:
            return (
                f"{folding.outputs} outputs leave over the {lanes_out} lanes of tensor {node.output} in {beats} cycles,"
                f" but the next are done after {block}; it needs fewer inputs or outputs a cycle, or at least "
                f"{ceil_div(folding.outputs, block)} lanes"
            )
        return None

    def cheapest(
        self,
        network: Network,
        node: Node,
        budget: int,
        lanes_in: int,
        lanes_out: np.ndarray,
        *,
        drained: bool = True,
        sharing: bool = True,
    ) -> np.ndarray:
        """The foldings of fewest multipliers whose frame takes at most ``budget`` cycles, for many lane counts of the
        output at once.

        Args:
            drained: keep the rule that a block leaves before the next is done; without it, and with one lane, the
                result is a lower bound for all lanes.
            sharing: pixels may share groups of outputs.

        Returns:
            The foldings' ``inputs``, ``outputs`` and ``pixels``, 0 where there is none.
        """
        shape = network.shapes[node.output]
        none = np.zeros((3, lanes_out.size), np.int64)
        per_pixel = budget // shape.pixels
        if per_pixel < 1:
            return none
        useful = self.useful_inputs(network, node, per_pixel, lanes_in)
        together = np.array(self.allowed_pixels(network, node) if sharing else (1,), np.int64)
        inputs, pixels = np.tile(useful, together.size), np.repeat(together, useful.size)
        steps = ceil_div(node.reduction, inputs)
        groups = budget // (shape.pixels // pixels) // steps
        inputs, pixels, steps, groups = (values[groups > 0][:, None] for values in (inputs, pixels, steps, groups))
        if not inputs.size:
            return none
        outputs = round_up(ceil_div(pixels * shape.channels, groups), self.output_unit(node, lanes_in, lanes_out))
        possible = (pixels == 1) | shares(shape.channels, outputs, lanes_out)
        if drained:
            made = ceil_div(pixels * shape.channels, outputs) * steps
            leaving = leaving_cycles(shape.channels, outputs, lanes_out, pixels)
            possible &= (outputs // lanes_out <= steps) & (leaving <= made)
        preferred = (inputs if self.FEWEST_INPUTS else -inputs) + (pixels << 20)
        cost = np.where(possible, (inputs * outputs << 32) + preferred, np.iinfo(np.int64).max)
        best = cost.argmin(axis=0)
        column = np.arange(lanes_out.size)
        found = possible[best, column]
        chosen = inputs[best, 0], outputs[best, column], pixels[best, 0]
        return np.where(found, chosen, 0)

    # Circuits

    def constants(self, site: Site) -> MacConstants:
        """The weights' width, and the requantisation.

        Raises:
            GraphError: no requantisation circuit is exact.
        """
        return mac_constants(site.network, site.node, lanes=site.lanes_out, interval=requantize_interval(site))

    def check(self, site: Site) -> None:
        mac_forms(site.network, site.node)

    @property
    @abstractmethod
    def component(self) -> Callable[[Any], Component]:
        """From parameters to the circuit."""

    @abstractmethod
    def parameters(self, site: Site, common: dict[str, Any], capacity: int | None) -> Any:
        """The circuit's parameters.

        Args:
            common: the arguments that all these circuits take.
            capacity: pixels of its window, if it has one; the least that works where None.
        """

    @abstractmethod
    def timing(self, site: Site, parameters: Any) -> StageTiming:
        """The circuit's event model, a window without limit."""

    def repeats(self, site: Site, parameters: Any) -> dict[str, Sequence[tuple[int, int]]]:
        """By port, which words of a periodic stream come several times over
        (:class:`~mbconv.hdl.rom_source.RomSource`)."""
        return {}

    def capacity(self, parameters: Any, pixels: int) -> int | None:
        """The capacity of the circuit's window that holds so many pixels; None where it has none."""
        return None

    def build(self, site: Site) -> Stage:
        constants = site.constants
        found = constants.requantization
        channels = len(found.words.bias)
        sources = {
            "weights": Words(
                folded_words(channels, site.node.reduction, site.folding),
                lambda: pack_words(folded_weights(effective_weights(site.node), site.folding), constants.weight_bits),
            ),
            "requantization": Words(
                ceil_div(channels, site.lanes_out),
                lambda: pack_records(found.packed(), found.format.word_bits, site.lanes_out),
            ),
        }

        def stage(dsp: DspShare) -> Stage:
            return self._stage(site, constants, sources, dsp, stage)

        return stage(UNSHARED)

    def _stage(
        self,
        site: Site,
        constants: MacConstants,
        sources: dict[str, Sequence[int]],
        dsp: DspShare,
        with_dsp: Callable[[DspShare], Stage],
    ) -> Stage:
        found = constants.requantization
        common = dict(
            data_shape=site.shapes[0],
            weight_shape=signed(constants.weight_bits),
            format=found.format,
            input_lanes=site.lanes_in,
            lanes=site.lanes_out,
            dsp=dsp,
            family=site.family,
        )
        parameters = self.parameters(site, common, None)
        window = None
        if self.capacity(parameters, 1) is not None:
            window = WindowSize(
                lambda pixels: self.capacity(parameters, pixels),
                lambda capacity: self.parameters(site, common, capacity),
            )
        return Stage(
            site.node,
            parameters,
            ("i",),
            self.timing(site, parameters),
            site.cycles,
            sources,
            found,
            window,
            parameters.mac,
            with_dsp,
            self.repeats(site, parameters),
            make=self.component,
        )


def shares(channels: int, outputs: Any, lanes: Any) -> Any:
    """Whether groups of ``outputs`` leave a rest of so many channels in whole beats, which several pixels can share."""
    return (outputs < channels) & (channels % outputs > 0) & (channels % lanes == 0)


def leaving_cycles(channels: int, outputs: Any, lanes: Any, pixels: Any) -> Any:
    """Cycles in which the outputs of several pixels can leave, whose rests come first and are as large as they may be;
    0 of one pixel."""
    return (pixels > 1) * (pixels * channels + (pixels - 1) * (outputs - lanes)) // lanes


def requantize_interval(site: Site) -> int:
    """Cycles that a stage's folding leaves for each beat of results."""
    return max(1, ceil_div(site.node.reduction, site.folding.inputs) // (site.folding.outputs // site.lanes_out))


def nearest_text(allowed: Sequence[int], value: int) -> str:
    """``use 8 or 16``: the allowed values on both sides of one that is not."""
    below = [v for v in allowed if v < value]
    above = [v for v in allowed if v > value]
    near = [*below[-1:], *above[:1]]
    return f"use {' or '.join(map(str, near))}" if near else "no value does: change the lanes"
