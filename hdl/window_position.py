"""A position in a banked ring, moved by constants: no multiplication, division or modulo in hardware."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

from .cost import NOTHING
from .primitives import address_width


class RingPosition(Component):
    """Where a run of consecutive places begins in a ring that is dealt round to ``banks`` banks.

    Place p lies in bank p mod banks, at ``scale`` · ⌊p / banks⌋ modulo ``size``. Any ``banks``
    consecutive places, wrapped or not, lie in distinct banks: from ``bank`` on at ``address``, below it at
    ``following``.

    The position moves by one of the constants ``moves``, either from itself or from a kept base. Each move is one
    addition and, where ``size`` is no power of two, beside it the same addition less ``size``; the sign chooses. A move
    each cycle at most. Cost: counted with its :class:`~mbconv.hdl.window.Window`.

    Args:
        banks: of the ring.
        size: addresses of a bank; a power of two, or a multiple of ``scale``.
        scale: addresses of a place.
        start: the first position.
        moves: in places, of either sign, any size.

    Members:
        enable: ``In(1)``, move at the end of this cycle
        move: ``In(range(len(moves)))``
        from_base: ``In(1)``, move from the base instead of from the position
        set_base: ``In(1)``, keep the new position as the base
        address, following: ``Out``; bank: ``Out(range(banks))``
    """

    own_cost = NOTHING

    def __init__(self, *, banks: int, size: int, scale: int, start: int, moves: Sequence[int]):
        for name, value in (("banks", banks), ("size", size), ("scale", scale), ("moves", len(moves))):
            if value < 1:
                raise ValueError(f"{name} of a ring position must be at least 1, not {value}")
        self.wraps_itself = size == 1 << address_width(size)
        if not self.wraps_itself and size % scale:
            raise ValueError(f"a ring of {size} addresses holds no whole number of places of {scale}")
        self.banks, self.size, self.scale = banks, size, scale
        self.start = divmod(start, banks)
        self.moves = [divmod(move, banks) for move in moves]
        width = address_width(self.size)
        super().__init__(
            {
                "enable": In(1),
                "move": In(range(len(moves))),
                "from_base": In(1),
                "set_base": In(1),
                "address": Out(width, init=self._address(self.start[0])),
                "following": Out(width, init=self._address(self.start[0] + 1)),
                "bank": Out(range(banks), init=self.start[1]),
            }
        )

    def _address(self, word: int) -> int:
        return word * self.scale % self.size

    def elaborate(self, platform) -> Module:
        m = Module()
        base_address, base_bank = Signal.like(self.address), Signal.like(self.bank)
        address = Mux(self.from_base, base_address, self.address)
        new_bank, carry = self._move_bank(m, Mux(self.from_base, base_bank, self.bank))
        new_address = self._move_address(m, address, carry, 0)
        with m.If(self.enable):
            m.d.sync += [self.address.eq(new_address), self.bank.eq(new_bank)]
            if self.banks > 1:
                m.d.sync += self.following.eq(self._move_address(m, address, carry, 1))
            with m.If(self.set_base):
                m.d.sync += [base_address.eq(new_address), base_bank.eq(new_bank)]
        return m

    def _move_bank(self, m: Module, bank) -> tuple[Signal, Signal]:
        """The new bank, and whether it wrapped into the next word."""
        new_bank, carry = Signal.like(self.bank), Signal()
        places = Signal(range(self.banks))
        with m.Switch(self.move):
            for index, (_, remainder) in enumerate(self.moves):
                with m.Case(index):
                    m.d.comb += places.eq(remainder)
        total = Signal(range(2 * self.banks))
        m.d.comb += [
            total.eq(bank + places),
            carry.eq(total >= self.banks),
            new_bank.eq(Mux(carry, total - self.banks, total)),
        ]
        return new_bank, carry

    def _move_address(self, m: Module, address, carry: Signal, ahead: int) -> Signal:
        """The new address, ``ahead`` places of its bank on."""
        if self.wraps_itself:
            step = Signal(range(self.size), name=f"step_{ahead}")
            with m.Switch(self.move):
                for index, (words, _) in enumerate(self.moves):
                    with m.Case(index):
                        far, near = self._address(words + ahead + 1), self._address(words + ahead)
                        m.d.comb += step.eq(Mux(carry, far, near) if self.banks > 1 else near)
            return (address + step)[: len(self.address)]
        name = "following" if ahead else "address"
        # Both sums' constants are selected, so that neither addition waits for the other.
        distance = Signal(range(self.size), name=f"{name}_distance")
        back = Signal(range(-self.size, 1), name=f"{name}_back")
        with m.Switch(self.move):
            for index, (words, _) in enumerate(self.moves):
                with m.Case(index):
                    far, near = self._address(words + ahead + 1), self._address(words + ahead)
                    m.d.comb += [
                        distance.eq(Mux(carry, far, near)),
                        back.eq(Mux(carry, far - self.size, near - self.size)),
                    ]
        straight, wrapped = Signal(range(2 * self.size), name=f"{name}_straight"), Signal(name=f"{name}_wrapped")
        around = Signal(range(-self.size, self.size), name=f"{name}_around")
        m.d.comb += [
            straight.eq(address + distance),
            around.eq(address + back),
            wrapped.eq(around >= 0),
        ]
        return Mux(wrapped, around[: len(self.address)], straight[: len(self.address)])
