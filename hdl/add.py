"""The addition of two tensors: what ends a residual."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal, Value, signed

from .add_constants import AddConstants
from .cost import Cost
from .elementwise import Elementwise
from .family import GENERIC, Family
from .limit import limit_luts, limited
from .operand import Operand
from .requantize_format import signed_bits
from .value_tables import ValueTables, value_range

__all__ = ["Add", "AddConstants"]


class Add(Elementwise):
    """Joins two streams of the same beats: each operand scaled by a table of its values, summed, rounded, limited.

    ::

        first  ──►│ table │──┐   ┌───┐   ┌──────────┐   ┌────┐   ┌───────┐   ┌───────┐
                             ├──►│ + ├──►│ rounding ├──►│ >> ├──►│ clamp ├──►│ queue ├──► o
        second ──►│ table │──┘   └───┘   └──────────┘   └────┘   └───────┘   └───────┘

    A pair of beats is taken when both are there and the queue has room; one each cycle. Its sum is valid ``latency``
    cycles later: the operands' (:class:`~mbconv.hdl.elementwise.Elementwise`), the memory's for the tables, 1 for the
    sum, 1 for the rounding where it depends on the sum's sign, 1 for the limits, the queue's.

    Cycles per frame: its beats. Cost: no multiplier; ``memory_bits`` of operands, queue and tables that are no straight
    lines.

    Args:
        first, second: operands of equal lanes.
        shape: of an element of the output.
        constants: what is computed.
        queue_depth: beats of the output queue; by default the least that sustains one beat a cycle.
        name: of the memory files, ``<name>_first.hex`` and ``<name>_second.hex``.

    Members:
        first, second: ``In``, o: ``Out``, as of :class:`~mbconv.hdl.elementwise.Elementwise`

    Raises:
        ValueError: tables that do not fit the operands, limits outside the output's range.
    """

    def __init__(
        self,
        first: Operand,
        second: Operand,
        shape: ShapeLike,
        constants: AddConstants,
        *,
        queue_depth: int | None = None,
        name: str = "add",
        family: Family = GENERIC,
    ):
        self.constants = constants
        _check_limits(Shape.cast(shape), constants)
        # The zero point joins the rounding constants, which is exact, and one constant for both signs joins a table.
        zero = constants.zero_point << constants.shift
        self._constants = constants.positive + zero, constants.negative + zero
        self.rounds = constants.positive != constants.negative
        table, lanes = constants.first, first.lanes
        if not self.rounds:
            table = tuple(entry + self._constants[0] for entry in table)
        self.first_table = ValueTables(first.shape, table, lanes, f"{name}_first", family=family)
        self.second_table = ValueTables(second.shape, constants.second, lanes, f"{name}_second", family=family)
        super().__init__(
            {"first": first, "second": second},
            shape,
            lanes,
            self.first_table.latency + 2 + int(self.rounds),
            queue_depth=queue_depth,
            family=family,
        )

    @property
    def memory_bits(self) -> int:
        return self.first_table.memory_bits + self.second_table.memory_bits + super().memory_bits

    @property
    def own_cost(self) -> Cost:
        """The tables' adders; a sum, a rounding and two limits for each lane."""
        bits = max(self.first_table.bits, self.second_table.bits) + 1
        limits = limit_luts(bits, self.constants.minimum, self.constants.maximum, self.shape.width)
        return Cost(self.lanes * (bits * (1 + 2 * self.rounds) + limits))

    def datapath(self, m: Module, taken: Value, first: Value, second: Value) -> Sequence[Value]:
        m.submodules.first_table, m.submodules.second_table = self.first_table, self.second_table
        m.d.comb += [self.first_table.x.eq(first), self.second_table.x.eq(second)]
        return [self._lane(m, lane, self.first_table.y[lane], self.second_table.y[lane]) for lane in range(self.lanes)]

    def _lane(self, m: Module, lane: int, first: Value, second: Value) -> Value:
        low = self.first_table.least + self.second_table.least
        high = self.first_table.greatest + self.second_table.greatest
        total = Signal(signed(signed_bits(low, high)), name=f"total_{lane}", reset_less=True)
        m.d.sync += total.eq(first + second)
        if self.rounds:
            positive, negative = self._constants
            low, high = low + min(positive, negative), high + max(positive, negative)
            rounded = Signal(signed(signed_bits(low, high)), name=f"rounded_{lane}", reset_less=True)
            m.d.sync += rounded.eq(total + Mux(total < 0, negative, positive))
            total = rounded
        shift = min(self.constants.shift, len(total) - 1)
        shifted = total[shift:].as_signed()
        least, most = self.constants.minimum, self.constants.maximum
        result = Signal(self.shape, name=f"result_{lane}", reset_less=True)
        m.d.sync += result.eq(limited(shifted, least, most))
        return result


def _check_limits(shape: Shape, constants: AddConstants) -> None:
    low, high = value_range(shape)
    if not low <= constants.minimum <= constants.maximum <= high:
        raise ValueError(
            f"limits {constants.minimum}..{constants.maximum} are no part of the output's range {low}..{high}"
        )
