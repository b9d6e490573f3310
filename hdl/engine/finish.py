"""From sums to elements: requantisation with constants that are data."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..requantize import Requantize, RequantizeParameters
from .array import ELEMENT
from .latencies import Latencies
from .parameters import SHIFT_BITS, EngineParameters


def constants_layout(parameters: EngineParameters) -> StructLayout:
    """A channel's constants, lowest first: bias, multiplier, right shift beyond the least, and whether the
    instruction's rounding constants are added."""
    return StructLayout(
        {
            "bias": signed(parameters.accumulator_bits),
            "multiplier": unsigned(parameters.multiplier_bits),
            "shift": unsigned(SHIFT_BITS),
            "rounded": unsigned(1),
        }
    )


class Finish(Component):
    """Requantises ``requantizers`` sums a cycle.

    ::

        s = accumulator + bias,  n = least shift + shift,  c = rounded and (negative if s < 0 else positive)
        o = clamp(((s · multiplier + c + 2^(n−1)) >> n) + zero point, minimum, maximum)

    latency: that of :class:`~mbconv.hdl.requantize.Requantize`, whose rows of adders it uses, and 2 for zero point and
    limits. Cost: ``requantizers`` of those; no multipliers, no memory.

    Members:
        valid, accumulators, constants: ``In``.
        zero_point, minimum, maximum, positive, negative: ``In``, of the instruction.
        o_valid: ``Out(1)``; o: ``Out(ArrayLayout(signed(8), requantizers))``
    """

    multipliers = 0
    memory_bits = 0

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.requantize = Requantize(RequantizeParameters(p.requantize_format, p.requantizers))
        super().__init__(
            {
                "valid": In(1),
                "accumulators": In(ArrayLayout(signed(p.accumulator_bits), p.requantizers)),
                "constants": In(ArrayLayout(constants_layout(p), p.requantizers)),
                "zero_point": In(signed(10)),
                "minimum": In(ELEMENT),
                "maximum": In(ELEMENT),
                "positive": In(signed(p.constant_bits)),
                "negative": In(signed(p.constant_bits)),
                "o_valid": Out(1),
                "o": Out(ArrayLayout(ELEMENT, p.requantizers)),
            }
        )

    @property
    def latency(self) -> int:
        return Latencies(self.parameters).finish

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.requantize = requantize = self.requantize
        m.d.comb += [
            requantize.valid.eq(self.valid),
            requantize.accumulators.eq(self.accumulators),
            self.o_valid.eq(delayed(m, requantize.o_valid, 2, "limited", reset=True)),
        ]
        for r in range(self.parameters.requantizers):
            constants, word = self.constants[r], requantize.words[r]
            m.d.comb += [
                word.bias.eq(constants.bias),
                word.multiplier.eq(constants.multiplier),
                word.shift.eq(constants.shift),
                word.positive.eq(Mux(constants.rounded, self.positive, 0)),
                word.negative.eq(Mux(constants.rounded, self.negative, 0)),
            ]
            moved = Signal(signed(11), name=f"moved_{r}", reset_less=True)
            limited = Signal(ELEMENT, name=f"element_{r}", reset_less=True)
            m.d.sync += [
                moved.eq(requantize.o[r] + self.zero_point),
                limited.eq(Mux(moved < self.minimum, self.minimum, Mux(moved > self.maximum, self.maximum, moved))),
            ]
            m.d.comb += self.o[r].eq(limited)
        return m
