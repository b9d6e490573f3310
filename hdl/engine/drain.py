"""Sums on their way to the requantisation: held, and given a few at a time with the address of their constants."""

from __future__ import annotations

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import address_width
from .parameters import EngineParameters

_JOINED = 3  # lanes, of whose sums one is chosen in a cycle


class Drain(Component):
    """Holds a block's sums and gives ``requantizers`` of them every ``result_cycles`` cycles: the channels of pixel
    lane 0, then those of the next, while the array computes another block.

    ``soon`` says, M cycles (the memory's latency) ahead, that lane 0's sums will end. ``valid`` rises 1 cycle after
    ``ends[0]`` and comes beats · pixel lanes times (``depthwise``: of fewer lanes), ``result_cycles`` apart;
    ``address`` is valid M cycles ahead of the sums that need the constants there. The next ``ends[0]`` may come word
    cycles · pixel lanes after the last.

    With ``spare_registers`` = 2 ``valid`` and ``accumulators`` come a cycle later, and ``address`` as before.

    Constants that come with the weights are those of two groups in turn, in the first words of their memory.

    Cost: a register and a two-way selection for each bit of every sum.

    Members:
        start: ``In(1)``, of an instruction; constants: ``In``, its first word of constants; still: ``In(1)``, the only;
            in_turn: ``In(1)``, the first words hold those of every other group.
        depthwise: ``In(1)``, of ``depthwise_lanes`` pixel lanes.
        soon, group_ends: ``In(1)``, M cycles before ``ends[0]``, the second with a group's last block.
        ends, ending, sums: ``In``, as :class:`~mbconv.hdl.engine.array.Array` gives them.
        address: ``Out``; reads: ``Out(1)``, it is needed.
        valid: ``Out(1)``; accumulators: ``Out(ArrayLayout(signed(lane_bits), requantizers))``
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        address = address_width(p.constant_words)
        super().__init__(
            {
                "start": In(1),
                "constants": In(address),
                "still": In(1),
                "in_turn": In(1),
                "depthwise": In(1),
                "soon": In(1),
                "group_ends": In(1),
                "ends": In(p.pixels),
                "ending": In(p.pixels),
                "sums": In(ArrayLayout(ArrayLayout(signed(p.lane_bits), p.channels), p.pixels)),
                "address": Out(address),
                "reads": Out(1),
                "valid": Out(1),
                "accumulators": Out(ArrayLayout(signed(p.lane_bits), p.requantizers)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        active, group_ends = Signal(), Signal()
        lane = Signal(address_width(p.pixels))
        beat = Signal(address_width(p.beats))
        base = Signal(len(self.address))
        pause = Signal(range(p.result_cycles))  # cycles of the beat that have passed
        last_beat = beat == p.beats - 1
        last_lane = lane == Mux(self.depthwise, p.depthwise_lanes - 1, p.pixels - 1)
        with m.If(active & (pause != p.result_cycles - 1)):
            m.d.sync += pause.eq(pause + 1)
        with m.Elif(active):
            m.d.sync += [beat.eq(beat + 1), pause.eq(0)]
            with m.If(last_beat):
                m.d.sync += [beat.eq(0), lane.eq(lane + 1), self.address.eq(base)]
                with m.If(last_lane):
                    m.d.sync += active.eq(0)
                    with m.If(group_ends & ~self.still):
                        following: Value = base + p.beats
                        if p.port_bytes:
                            following = Mux(self.in_turn & (base != 0), 0, following)
                        m.d.sync += [base.eq(following), self.address.eq(following)]
            with m.Elif(~self.still):
                m.d.sync += self.address.eq(self.address + 1)
        with m.If(self.soon):
            m.d.sync += [active.eq(1), pause.eq(0), beat.eq(0), lane.eq(0), group_ends.eq(self.group_ends)]
        with m.If(self.start):
            m.d.sync += [base.eq(self.constants), self.address.eq(self.constants), active.eq(0)]
        m.d.comb += self.reads.eq(active)

        latency = self.family.memory_latency
        valid = delayed(m, active & (pause == 0), latency, "valid", reset=True)
        if not p.further_spares:
            m.d.comb += self.valid.eq(valid)
        if p.depthwise_lanes == 1 and p.result_cycles >= p.pixels:
            # all lanes are there before the next result is due
            step = delayed(m, valid, p.pixels - 1, "step", reset=True)
            held = self._hold(m, [step] * p.pixels)
            m.d.comb += self.accumulators.as_value().eq(held[0])
            return m
        if p.further_spares:
            return self._spread(m, valid, lane, active & (pause == 0))
        chosen = delayed(m, lane, latency, "lane")
        held = self._hold(m, [valid & (chosen == q) for q in range(p.pixels)], ring=True)
        lowest = Signal(ArrayLayout(self.accumulators.shape(), p.pixels))
        m.d.comb += [lowest[q].as_value().eq(held[q]) for q in range(p.pixels)]
        m.d.comb += self.accumulators.eq(lowest[chosen] if p.pixels > 1 else lowest[0])
        return m

    def _spread(self, m: Module, valid: Value, lane: Signal, given: Value) -> Module:
        """The same for lanes that lie all over a large chip: what moves and chooses them are registers, a bit a lane,
        and the chosen sums are joined in two cycles."""
        p, latency = self.parameters, self.family.memory_latency
        sooner, lane_sooner = (
            delayed(m, given, latency - 1, "sooner", reset=True),
            delayed(m, lane, latency - 1, "lane_sooner"),
        )
        changes, chosen = Signal(p.pixels), Signal(p.pixels, reset_less=True)
        for q in range(p.pixels):
            step = sooner & (lane_sooner == q)
            m.d.sync += [changes[q].eq(self.ending[q] | step), chosen[q].eq(lane_sooner == q)]
        held = self._hold(m, list(changes), ring=True)
        joined = []
        for first in range(0, p.pixels, _JOINED):
            part = Signal(len(self.accumulators.as_value()), name=f"part_{first}", reset_less=True)
            lanes = range(first, min(first + _JOINED, p.pixels))
            m.d.sync += part.eq(reduce(or_, (held[q] & chosen[q].replicate(len(part)) for q in lanes)))
            joined.append(part)
        m.d.comb += [
            self.valid.eq(delayed(m, valid, 1, "valid_joined", reset=True)),
            self.accumulators.as_value().eq(reduce(or_, joined)),
        ]
        return m

    def _hold(self, m: Module, steps: list[Value], *, ring: bool = False) -> list[Value]:
        """The sums of each lane, which move on by ``requantizers`` of them a step: in a ``ring`` of the lane's own, or
        those of the next lane follow. A step with the lane's ``ends`` takes new ones; where those are spared a
        register, nothing else does. Returns the next ones of each lane."""
        p = self.parameters
        held = [
            [Signal(signed(p.lane_bits), name=f"held_{q}_{g}", reset_less=True) for g in range(p.channels)]
            for q in range(p.pixels)
        ]
        for q, own in enumerate(held):
            behind = own if ring else held[(q + 1) % p.pixels]
            following = [*own[p.requantizers :], *behind[: p.requantizers]]
            with m.If(steps[q] if p.further_spares else self.ends[q] | steps[q]):
                m.d.sync += [
                    register.eq(Mux(self.ends[q], self.sums[q][g], after))
                    for g, (register, after) in enumerate(zip(own, following, strict=True))
                ]
        return [Cat(own[: p.requantizers]) for own in held]
