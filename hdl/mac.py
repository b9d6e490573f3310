"""The multiply-accumulate pipeline that pointwise and depthwise stages share, from issue to output stream."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .accumulate import AccumulateArray
from .cost import Cost
from .counting import delayed
from .elastic_source import ElasticSource
from .layouts import ArrayLayout
from .mac_parameters import MacParameters
from .result_path import ResultPath


def stage_ports(mac: MacPipeline, input_lanes: int) -> dict:
    """The ports of a stage around ``mac``: ``i`` of ``input_lanes``, ``weights``, ``requantization``, ``o``."""
    return {
        "i": In(Signature(ArrayLayout(mac.parameters.data_shape, input_lanes))),
        **{name: mac.signature.members[name] for name in ("weights", "requantization", "o")},
    }


class MacPipeline(Component):
    """Weights, multipliers, accumulators and requantisation of a stage; its owner counts the loops and supplies the
    data of each issued step.

    A pixel is ``blocks`` = ⌈channels/outputs⌉ blocks of ``steps`` issue cycles. The owner issues in any cycle with
    ``can_issue`` (and its data at hand) by ``issue``, says which step of its loops it is, and gives the data
    ``data_latency`` cycles later. These marks travel with the data: nothing here counts.

    The first beat of a block is valid at ``o`` ``latency`` cycles after the block's last issue, the others ``interval``
    cycles apart. Cost: ``multipliers`` = outputs × terms.

    Weights and requantisation words come from sources that never starve, or with ``elastic`` from any stream: then a
    queue (:class:`~mbconv.hdl.elastic_source.ElasticSource`) in front of each says whether a step can be issued.

    Args:
        parameters: a :class:`~mbconv.hdl.mac_parameters.MacParameters`.

    Members:
        weights: ``In(stream.Signature(ArrayLayout(ArrayLayout(weight_shape, terms), outputs), always_valid))``, where
            ``always_valid`` is true unless ``elastic``
        requantization: ``In(stream.Signature(ArrayLayout(format.word_layout, lanes), always_valid))``
        can_issue: ``Out(1)``; issue: ``In(1)``; first, last, last_block: ``In(1)``, of the step that is next: first or
            last of its block, block the pixel's last
        data: ``In(ArrayLayout(data_shape, terms))``, times ``outputs`` (output-major) when not ``shared``
        o: ``Out(stream.Signature(ArrayLayout(format.output, lanes)))``
    """

    def __init__(self, parameters: MacParameters):
        self.parameters = p = parameters
        self.array, self.result = AccumulateArray(p), ResultPath(p)
        weights, word = self.array.weights.shape(), ArrayLayout(p.format.word_layout, p.lanes)
        self.elastic: dict[str, ElasticSource] = {}
        if p.elastic:
            depths = p.elastic_depths
            self.elastic = {
                "weights": ElasticSource(weights, depths["weights"], family=p.family),
                "requantization": ElasticSource(word, depths["requantization"], p.beats, family=p.family),
            }
        super().__init__(
            {
                "weights": In(Signature(weights, always_valid=not p.elastic)),
                "requantization": In(Signature(word, always_valid=not p.elastic)),
                "can_issue": Out(1),
                "issue": In(1),
                "first": In(1),
                "last": In(1),
                "last_block": In(1),
                "data": In(self.array.data.shape()),
                "o": Out(Signature(ArrayLayout(p.format.output, p.lanes))),
            }
        )

    @property
    def multipliers(self) -> int:
        return self.parameters.multipliers

    @property
    def memory_bits(self) -> int:
        return self.parameters.memory_bits

    @property
    def cycles_per_pixel(self) -> int:
        return self.parameters.cycles_per_pixel

    @property
    def latency(self) -> int:
        """Cycles from the last issue of a block to its first beat at ``o``."""
        return self.parameters.latency

    @property
    def own_cost(self) -> Cost:
        """Control."""
        return Cost(40)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.array, m.submodules.result = self.array, self.result
        connect(m, self.result.o, flipped(self.o))
        claim = self.issue & self.first
        room = self.result.room
        weights, words = flipped(self.weights), flipped(self.requantization)
        if self.elastic:
            m.submodules.weights = elastic_weights = self.elastic["weights"]
            m.submodules.words = elastic_words = self.elastic["requantization"]
            connect(m, weights, elastic_weights.i)
            connect(m, words, elastic_words.i)
            weights, words = elastic_weights.o, elastic_words.o
            m.d.comb += [
                elastic_weights.claim.eq(self.issue),
                elastic_words.claim.eq(claim),
                elastic_words.claim_count.eq(self.result.claimed_beats),
            ]
            room = room & elastic_words.at_hand
            m.d.comb += self.can_issue.eq(elastic_weights.at_hand & (~self.first | room))
        else:
            m.d.comb += self.can_issue.eq(~self.first | room)
        connect(m, words, self.result.requantization)
        m.d.comb += [
            self.result.claim.eq(claim),
            self.result.claim_last.eq(self.last_block),
            self.array.valid.eq(delayed(m, self.issue, self.parameters.data_latency, "valid", reset=True)),
            self.array.last.eq(delayed(m, self.last, self.parameters.data_latency, "last")),
            self.array.data.eq(self.data),
            self.array.weights.eq(weights.payload),
            weights.ready.eq(self.array.valid),
            self.array.bias.eq(self.result.bias),
            self.result.ends.eq(self.array.ends),
            self.result.sums.eq(self.array.sums),
        ]
        if self.parameters.uneven:
            last_block = delayed(
                m, self.last_block, self.parameters.data_latency + self.parameters.array_latency, "last_block"
            )
            m.d.comb += self.result.last.eq(last_block)
        return m
