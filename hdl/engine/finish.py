"""From sums to elements: requantisation with constants that are data."""

from __future__ import annotations

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from .parameters import SHIFT_BITS, EngineParameters
from .rescale import Rescale
from .words import ELEMENT


def constants_layout(parameters: EngineParameters) -> StructLayout:
    """A channel's constants, lowest first: bias, the multiplier's digits (:func:`multiplier_digits`), right shift
    beyond the least, and whether the instruction's rounding constants are added."""
    return StructLayout(
        {
            "bias": signed(parameters.accumulator_bits),
            "multiplier": unsigned(2 * parameters.multiplier_digits),
            "shift": unsigned(SHIFT_BITS),
            "rounded": unsigned(1),
        }
    )


def multiplier_digits(parameters: EngineParameters, multiplier: int) -> int:
    """A multiplier as the memory of constants holds it: digits of two bits, each of which stands for one less."""
    return multiplier + ((1 << 2 * parameters.multiplier_digits) - 1) // 3


class Finish(Component):
    """Requantises ``requantizers`` sums at once, each as :class:`~mbconv.hdl.engine.rescale.Rescale` does, with
    ``spare_registers`` a cycle later.

    Cost: ``requantizers`` of those; no multipliers, no memory.

    Members:
        valid, accumulators, constants: ``In``.
        zero_point, minimum, maximum, positive, negative: ``In``, of the instruction.
        o_valid: ``Out(1)``; o: ``Out(ArrayLayout(signed(8), requantizers))``
    """

    multipliers = 0
    memory_bits = 0

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        self.rescales = [Rescale(p, family) for _ in range(p.requantizers)]
        super().__init__(
            {
                "valid": In(1),
                "accumulators": In(ArrayLayout(signed(p.sum_bits), p.requantizers)),
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
        return self.rescales[0].latency + self.parameters.spares

    def elaborate(self, platform) -> Module:
        m = Module()
        spare = self.parameters.spares
        valid = delayed(m, self.valid, spare, "valid", reset=True)
        m.d.comb += self.o_valid.eq(self.rescales[0].o_valid)
        for r, rescale in enumerate(self.rescales):
            m.submodules[f"rescale_{r}"] = rescale
            layout = constants_layout(self.parameters)
            constants = layout(delayed(m, self.constants[r].as_value(), spare, f"constants_{r}"))
            m.d.comb += [
                rescale.valid.eq(valid),
                rescale.accumulator.eq(delayed(m, self.accumulators[r], spare, f"accumulator_{r}")),
                rescale.bias.eq(constants.bias),
                rescale.digits.eq(constants.multiplier),
                rescale.shift.eq(constants.shift),
                rescale.rounded.eq(constants.rounded),
                *(
                    getattr(rescale, name).eq(getattr(self, name))
                    for name in ("zero_point", "minimum", "maximum", "positive", "negative")
                ),
                self.o[r].eq(rescale.o),
            ]
        return m
