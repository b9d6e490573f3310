"""The addition of two tensors that ends a residual."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Shape, ShapeLike, Signal, Value, signed
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .add_constants import AddConstants
from .cost import Cost
from .credit_queue import CreditQueue, least_depth
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .limit import limit_luts, limited
from .requantize_format import signed_bits
from .value_tables import ValueTables, value_range

__all__ = ["Add", "AddConstants"]


class Add(Component):
    """Joins two streams of the same beats: each operand scaled by a table of its values, summed, rounded, limited.

    ::

        first  ──►│ table │──┐   ┌───┐   ┌──────────┐   ┌────┐   ┌───────┐   ┌───────┐
                             ├──►│ + ├──►│ rounding ├──►│ >> ├──►│ clamp ├──►│ queue ├──► o
        second ──►│ table │──┘   └───┘   └──────────┘   └────┘   └───────┘   └───────┘

    A pair of beats is taken when both are there and the queue has room; one each cycle. Its sum is valid ``latency``
    cycles later: the memory's for the tables, 1 for the sum, 1 for the rounding where it depends on the sum's sign, 1
    for the limits, the queue's.

    Cycles per frame: its beats. Cost: no multiplier; ``memory_bits`` of queue and of tables that are no straight lines.

    Args:
        first_shape, second_shape, shape: of an element of each operand and of the output.
        lanes: of all three streams.
        constants: what is computed.
        queue_depth: beats of the output queue; by default the least that sustains one beat a cycle.
        name: of the memory files, ``<name>_first.hex`` and ``<name>_second.hex``.

    Members:
        first: ``In(stream.Signature(ArrayLayout(first_shape, lanes)))``
        second: ``In(stream.Signature(ArrayLayout(second_shape, lanes)))``
        o: ``Out(stream.Signature(ArrayLayout(shape, lanes)))``

    Raises:
        ValueError: tables that do not fit the operands, limits outside the output's range, or no lane.
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(
        self,
        first_shape: ShapeLike,
        second_shape: ShapeLike,
        shape: ShapeLike,
        lanes: int,
        constants: AddConstants,
        *,
        queue_depth: int | None = None,
        name: str = "add",
        family: Family = GENERIC,
    ):
        self.shape, self.lanes, self.constants = Shape.cast(shape), lanes, constants
        _check_limits(self.shape, constants)
        # The zero point joins the rounding constants, which is exact, and one constant for both signs joins a table.
        zero = constants.zero_point << constants.shift
        self._constants = constants.positive + zero, constants.negative + zero
        self.rounds = constants.positive != constants.negative
        first = constants.first
        if not self.rounds:
            first = tuple(entry + self._constants[0] for entry in first)
        self.first_table = ValueTables(first_shape, first, lanes, f"{name}_first", family=family)
        self.second_table = ValueTables(second_shape, constants.second, lanes, f"{name}_second", family=family)
        beat = ArrayLayout(self.shape, lanes)
        self.queue_depth = least_depth(self._pipeline, family) if queue_depth is None else queue_depth
        self.queue = CreditQueue(beat, self.queue_depth, family=family)
        super().__init__(
            {
                "first": In(Signature(self.first_table.x.shape())),
                "second": In(Signature(self.second_table.x.shape())),
                "o": Out(Signature(beat)),
            }
        )

    @property
    def _pipeline(self) -> int:
        """Cycles from taking a pair to pushing its sum into the queue."""
        return self.first_table.latency + 2 + int(self.rounds)

    @property
    def latency(self) -> int:
        """Cycles from taking a pair of beats to their sum at ``o``, when the queue is empty."""
        return self._pipeline + self.queue.latency

    @property
    def memory_bits(self) -> int:
        return self.first_table.memory_bits + self.second_table.memory_bits + self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """The tables' adders; a sum, a rounding and two limits for each lane."""
        bits = max(self.first_table.bits, self.second_table.bits) + 1
        limits = limit_luts(bits, self.constants.minimum, self.constants.maximum, self.shape.width)
        return Cost(self.lanes * (bits * (1 + 2 * self.rounds) + limits))

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.first_table, m.submodules.second_table = self.first_table, self.second_table
        m.submodules.queue = self.queue
        take = Signal()
        pushed = Signal(self._pipeline)
        m.d.comb += [
            take.eq(self.first.valid & self.second.valid & self.queue.room),
            self.first.ready.eq(self.second.valid & self.queue.room),
            self.second.ready.eq(self.first.valid & self.queue.room),
            self.queue.reserve.eq(take),
            self.first_table.x.eq(self.first.payload),
            self.second_table.x.eq(self.second.payload),
            self.queue.push.eq(pushed[-1]),
        ]
        m.d.sync += pushed.eq(Cat(take, pushed))
        for lane in range(self.lanes):
            result = self._lane(m, lane, self.first_table.y[lane], self.second_table.y[lane])
            m.d.comb += self.queue.payload[lane].eq(result)
        connect(m, self.queue.o, flipped(self.o))
        return m

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
