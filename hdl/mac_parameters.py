"""What a multiply-accumulate pipeline is made of: circuit, cost and event model all come from one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from amaranth.hdl import Shape

from .family import GENERIC, Family
from .requantize_format import RequantizeFormat
from .requantize_parameters import RequantizeParameters


def tree_levels(terms: int) -> int:
    """Levels of a binary adder tree over ``terms`` products."""
    return (terms - 1).bit_length()


@dataclass(frozen=True)
class DspShare:
    """What a stage gets of an FPGA's multiplier cells.

    Attributes:
        products: of its multiply-accumulate array in cells, the first ones; the others are rows of adders. None: all,
            where nobody counts them.
        requantization: cells of each lane of its requantisation; 0: rows of adders.
    """

    products: int | None = None
    requantization: int = 0


UNSHARED = DspShare()
"""All products in cells, and rows of adders in the requantisation."""


@dataclass(frozen=True, kw_only=True)
class MacStageParameters(ABC):
    """What the parameters of every stage around a multiply-accumulate pipeline have in common.

    Args:
        data_shape, weight_shape: of an element and of a weight already less its zero point.
        format: the requantisation, accumulator width included.
        input_lanes, lanes: of the streams.
        interval, queue_depth, elastic, dsp: see :class:`MacParameters`.
        family: of FPGAs.
    """

    data_shape: Shape
    weight_shape: Shape
    format: RequantizeFormat
    input_lanes: int
    lanes: int
    interval: int | None = None
    queue_depth: int | None = None
    elastic: bool = False
    dsp: DspShare = UNSHARED
    family: Family = GENERIC

    @property
    def common(self) -> dict[str, Any]:
        """These parameters but for the input's lanes, as arguments."""
        return {
            field.name: getattr(self, field.name) for field in fields(MacStageParameters) if field.name != "input_lanes"
        }

    @property
    @abstractmethod
    def mac(self) -> MacParameters:
        """The pipeline."""

    @property
    def multipliers(self) -> int:
        return self.mac.multipliers

    @property
    def source_bits(self) -> dict[str, int]:
        """Bits of a beat at each port of a periodic stream."""
        return self.mac.source_bits

    @property
    @abstractmethod
    def memory_bits(self) -> int:
        """Of the circuit, without what its periodic streams come from."""


@dataclass(frozen=True)
class MacParameters:
    """Parameters of a :class:`~mbconv.hdl.mac.MacPipeline`.

    A pixel of ``channels`` outputs is ``blocks`` = ⌈channels/outputs⌉ blocks of ``steps`` issue cycles. A block leaves
    in ``beats`` = outputs/lanes beats of the output stream, the last block of a pixel in ``last_beats``: those that
    hold a channel.

    Args:
        outputs, terms: the folding: Po × Pi, or P × K.
        channels: output channels of a pixel.
        steps: issue cycles of a block.
        data_shape, weight_shape: of an element and of a weight (already less its zero point).
        format: the requantisation, accumulator width included.
        lanes: of the output stream; divides ``outputs`` and must drain a block in ``steps`` cycles.
        shared: the data of a step is one vector for all outputs (pointwise), not one for each (depthwise).
        data_latency: cycles from a step's issue to its data, at least 1.
        interval: cycles a requantised beat may take; by default as many as the folding leaves.
        queue_depth: beats of the output queue; by default the least that never delays the stage.
        elastic: weights and requantisation words may pause.
        dsp: its share of the FPGA's multiplier cells.
        family: of FPGAs.

    Raises:
        ValueError: a count below 1, lanes that do not divide or do not drain a block in time.
    """

    outputs: int
    terms: int
    channels: int
    steps: int
    data_shape: Shape
    weight_shape: Shape
    format: RequantizeFormat
    lanes: int
    shared: bool
    data_latency: int
    interval: int | None = None
    queue_depth: int | None = None
    elastic: bool = False
    dsp: DspShare = UNSHARED
    family: Family = GENERIC

    def __post_init__(self) -> None:
        for name in ("outputs", "terms", "channels", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.data_latency < 1:
            raise ValueError(f"data come at least one cycle after their issue, not {self.data_latency}")
        if self.lanes < 1 or self.outputs % self.lanes:
            raise ValueError(f"{self.lanes} lanes do not divide a block's {self.outputs} outputs")
        if self.format.accumulator_bits < 2:
            raise ValueError(f"an accumulator has at least 2 bits, not {self.format.accumulator_bits}")
        if self.interval is None:
            object.__setattr__(self, "interval", max(1, self.steps // self.beats))
        if self.beats * self.interval > self.steps:
            raise ValueError(
                f"{self.outputs} outputs in beats of {self.lanes} lanes every {self.interval} cycles do not drain "
                f"within the block's {self.steps} cycles: more lanes are needed"
            )
        if self.queue_depth is None:
            object.__setattr__(self, "queue_depth", self.least_queue_depth)

    @property
    def multipliers(self) -> int:
        return self.outputs * self.terms

    @property
    def source_bits(self) -> dict[str, int]:
        """Bits of a beat of weights, and of one of requantisation words."""
        return {
            "weights": self.multipliers * self.weight_shape.width,
            "requantization": self.lanes * self.format.word_bits,
        }

    @property
    def memory_bits(self) -> int:
        """Of the output's queue, and of those in front of elastic sources."""
        queues = self.elastic_depths if self.elastic else {}
        elastic = sum(depth * self.source_bits[port] for port, depth in queues.items())
        return self.queue_depth * self.lanes * self.format.output.width + elastic

    @property
    def elastic_depths(self) -> dict[str, int]:
        """Beats of the queues in front of sources that may pause."""
        return {"weights": self.data_latency + 2, "requantization": self.words_ahead + 2}

    @property
    def blocks(self) -> int:
        return -(-self.channels // self.outputs)

    @property
    def beats(self) -> int:
        return self.outputs // self.lanes

    @property
    def last_beats(self) -> int:
        return -(-(self.channels - (self.blocks - 1) * self.outputs) // self.lanes)

    @property
    def uneven(self) -> bool:
        """The last block of a pixel has fewer beats than the others."""
        return self.last_beats != self.beats

    @property
    def cycles_per_pixel(self) -> int:
        return self.blocks * self.steps

    @property
    def biased(self) -> bool:
        """The accumulators begin with the bias: a block's words are one beat, which is there with its first step."""
        return self.beats == 1

    @property
    def sum_bits(self) -> int:
        """Of an accumulator."""
        return self.format.sum_bits if self.biased else self.format.accumulator_bits

    @property
    def bias_bits(self) -> int:
        """Of what the accumulators begin with; 0: nothing."""
        return self.format.bias_bits if self.biased else 0

    @cached_property
    def requantize(self) -> RequantizeParameters:
        return RequantizeParameters(
            self.format, self.lanes, self.interval, self.biased, self.dsp.requantization, self.family
        )

    @property
    def array_latency(self) -> int:
        """Cycles from a step's operands to the sums that hold it: multipliers, adder tree, accumulator."""
        return self.family.multiplier_latency + tree_levels(self.terms) + 1

    @property
    def claim_to_sums(self) -> int:
        """Cycles from a block's first issue to its sums, at least."""
        return self.steps - 1 + self.data_latency + self.array_latency

    @property
    def sums_to_queue(self) -> int:
        """Cycles from a block's sums to the push of its first beat; a block of several beats is held first."""
        return self.requantize.latency + (-1 if self.biased else 1)

    @property
    def least_queue_depth(self) -> int:
        """The least whole number of blocks with which one can be claimed every ``steps`` cycles while the consumer
        takes each beat at once."""
        to_push = self.claim_to_sums + self.sums_to_queue + (self.beats - 1) * self.interval  # of the last beat
        depth = 0
        while True:  # a deeper queue may be another memory, slower, and then deeper still
            # A place is taken until the cycle after its beat leaves.
            held = to_push + self.family.queue_latency(max(1, depth)) + 1
            if (needed := -(-held // self.steps) * self.beats) <= depth:
                return depth
            depth = needed

    @property
    def words_ahead(self) -> int:
        """Beats of requantisation words that are claimed and not yet taken, at most."""
        blocks = -(-(self.claim_to_sums + 1 + self.beats * self.interval) // self.steps) + 1
        return blocks * self.beats

    @property
    def latency(self) -> int:
        """Cycles from the last issue of a block to its first beat at ``o``."""
        queue = self.family.queue_latency(self.queue_depth)
        return self.data_latency + self.array_latency + self.sums_to_queue + queue
