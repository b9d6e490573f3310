"""Words of the map memory on their way to the multipliers, the tables and the stream of results."""

from __future__ import annotations

from itertools import pairwise

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from .parameters import EngineParameters
from .sequence import slot_layout

ELEMENT = signed(8)


class Words(Component):
    """A word of the map for each pixel lane, which moves on by an element a step, or by ``requantizers`` of them: what
    is used is lowest. There are two at least, of which TABLE takes its operands; OUTPUT takes its bytes from the first.

    Latency 1. Lane q steps q cycles after its slot. With ``spare_registers`` = 2 what loads a lane and moves it on are
    registers of its own, made of ``soon``, and OUTPUT has a word of its own elsewhere.

    Cost: a register and a selection for each bit of a word, a few more for two lanes where ``requantizers`` is neither
    1 nor ``channels``.

    Members:
        slot: ``In`` of :func:`~mbconv.hdl.engine.sequence.slot_layout`, with the words that it read.
        words: ``In(ArrayLayout(ArrayLayout(signed(8), channels), depthwise_rows))``, of the map; all but DEPTHWISE read
            the first.
        depthwise: ``In(1)``: the first lane of every row of lanes takes that row's word; one_row: ``In(1)``, the first
            row's.
        table: ``In(1)``, steps are of ``requantizers`` elements.
        soon: ``In``, the slot of the next cycle, with ``spare_registers`` = 2.
        load, step: ``In(1)``, of lane 0, for OUTPUT; without.
        elements: ``Out(ArrayLayout(ArrayLayout(signed(8), channels), lanes))``
        outside: ``Out(lanes)``, the lane's word lies beyond the map; own: ``Out(lanes)``, with ``depthwise`` it does
            not.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.lanes = max(2, p.pixels)
        word = ArrayLayout(ELEMENT, p.channels)
        super().__init__(
            {
                "slot": In(slot_layout(p)),
                "soon": In(slot_layout(p)),
                "words": In(ArrayLayout(word, p.depthwise_rows)),
                "depthwise": In(1),
                "one_row": In(1),
                "table": In(1),
                "load": In(1),
                "step": In(1),
                "elements": Out(ArrayLayout(word, self.lanes)),
                "outside": Out(self.lanes),
                "own": Out(self.lanes),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        bits = len(self.words[0].as_value())
        steps = [Signal(name=f"step_{q}") for q in range(self.lanes)]
        m.d.comb += steps[0].eq(self.slot.step)
        m.d.sync += [later.eq(sooner) for sooner, later in pairwise(steps)]
        slot = self.soon if p.further_spares else self.slot
        for q, step in enumerate(steps):
            held = Signal(bits, name=f"held_{q}", reset_less=True)
            outside = Signal(name=f"outside_{q}", reset_less=True)
            load, changes = Signal(name=f"load_{q}"), Signal(name=f"changes_{q}")
            chosen: Value = slot.load & (slot.lane == q)
            word, beyond = self.words[0].as_value(), self.slot.outside[0]
            row, column = divmod(q, p.depthwise_columns)
            if 0 < row < p.depthwise_rows and not column:
                # what stands throughout an instruction passes from row to row, so that none of its wires is long
                further = p.further_spares * row
                depthwise = delayed(m, self.depthwise, further, f"depthwise_{row}")
                chosen = slot.load & (depthwise | (slot.lane == q))
                apart = delayed(m, self.depthwise & ~self.one_row, further, f"apart_{row}")
                word = Mux(apart, self.words[row].as_value(), word)
                beyond = Mux(apart, self.slot.outside[row], beyond)
            if p.further_spares:
                step_soon = slot.step if q == 0 else steps[q - 1]
                m.d.sync += [load.eq(chosen), changes.eq(chosen | step_soon)]
            else:
                m.d.comb += load.eq(chosen | self.load if q == 0 else chosen)
                m.d.comb += changes.eq(load | (step | self.step if q == 0 else step))
            following = held[8:]
            if q < 2 and 1 < p.requantizers < p.channels:
                following = Mux(self.table, held[8 * p.requantizers :], following)
            with m.If(changes):
                m.d.sync += held.eq(Mux(load, word, following))
            with m.If(load):
                m.d.sync += outside.eq(beyond)
            if p.further_spares:  # many wait for it
                own = Signal(name=f"own_{q}", reset_less=True)
                with m.If(load):
                    m.d.sync += own.eq(self.depthwise & ~beyond)
                m.d.comb += self.own[q].eq(own)
            else:
                m.d.comb += self.own[q].eq(self.depthwise & ~outside)
            m.d.comb += [self.elements[q].as_value().eq(held), self.outside[q].eq(outside)]
        return m
