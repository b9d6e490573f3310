"""The greatest element of a sliding window, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .counting import delayed
from .credit_queue import CreditQueue, least_depth
from .layouts import ArrayLayout
from .value_tables import value_range
from .window import Window
from .window_geometry import AVAILABLE_DELAY
from .window_parameters import WindowParameters


@dataclass(frozen=True)
class MaxPoolParameters:
    """Parameters of a :class:`MaxPool`.

    Args:
        window: of L lanes, whose ``pad_value`` is the least of its shape.
        minimum, maximum: limits of the results; by default those of the shape.
        queue_depth: beats of the output queue; by default the least that sustains one beat a cycle.

    Raises:
        ValueError: another padding, or limits that the shape does not hold or that exclude each other.
    """

    window: WindowParameters
    minimum: int | None = None
    maximum: int | None = None
    queue_depth: int | None = None

    def __post_init__(self) -> None:
        low, high = value_range(self.window.shape)
        for name, limit in (("minimum", low), ("maximum", high)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, limit)
        if not low <= self.minimum <= self.maximum <= high:
            raise ValueError(f"limits {self.minimum} to {self.maximum} are not within {low} to {high}, in this order")
        if self.window.pad_value != low:
            raise ValueError(f"padding of {self.window.pad_value} would count; it must hold {low}")
        if self.queue_depth is None:
            object.__setattr__(self, "queue_depth", least_depth(self.pipeline, self.window.family))

    @property
    def steps(self) -> int:
        """Issue cycles of a group of channels of an output pixel."""
        return self.window.steps

    @property
    def comparisons(self) -> int:
        """Comparisons of two elements, with a selection each: of the tree, of the steps and of the limits."""
        low, high = value_range(self.window.shape)
        limits = (self.minimum > low) + (self.maximum < high)
        return self.window.lanes * (self.window.taps - 1 + (self.steps > 1) + limits)

    @property
    def levels(self) -> int:
        """Of the tree, a register behind each."""
        return (self.window.taps - 1).bit_length()

    @property
    def pipeline(self) -> int:
        """Cycles from a group's last issue to pushing its result into the queue."""
        return self.window.latency + self.levels + (self.steps > 1) + 1

    @property
    def latency_of_group(self) -> int:
        """Cycles from a group's last issue to its beat at ``o``, when the queue is empty."""
        return self.pipeline + self.window.family.queue_latency(self.queue_depth)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return AVAILABLE_DELAY + self.steps - 1 + self.latency_of_group


class MaxPool(Component):
    """Every channel of an output pixel is the greatest of its window's elements, held within limits.

    ::

              ┌──────────────┐  taps  ┌─────────┐   ┌─────────────┐   ┌────────┐   ┌───────┐
        i ───►│ Window       ├───────►│ tree of ├──►│ greatest of ├──►│ limits ├──►│ queue ├──► o
              │ ring of rows │ [L][K] │ maxima  │   │ all steps   │   └────────┘   └───────┘
              └──────────────┘        └─────────┘   └─────────────┘

    Padding holds the least value, so that it counts for nothing beside an element of the map. An output pixel's group
    of L channels begins when its pixels are there and the queue has room for its one beat, which is valid at ``o``
    ``steps - 1 + latency_of_group`` cycles later.

    Cycles per frame: output pixels · ⌈C/L⌉ · ⌈taps of the kernel/K⌉. Cost: no multiplier; ``memory_bits``, the window's
    ring and the queue; ``comparisons`` of two elements.

    Args:
        parameters: a :class:`MaxPoolParameters`.

    Members:
        i, o: ``stream.Signature(ArrayLayout(shape, lanes))``, in and out
    """

    multipliers = 0

    def __init__(self, parameters: MaxPoolParameters):
        self.parameters = parameters
        p = parameters.window
        self.shape, self.lanes, self.taps = p.shape, p.lanes, p.taps
        self.window = Window(p)
        self.queue = CreditQueue(ArrayLayout(self.shape, self.lanes), parameters.queue_depth, family=p.family)
        beat = Signature(ArrayLayout(self.shape, self.lanes))
        super().__init__({"i": In(beat), "o": Out(beat)})

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return self.parameters.latency

    @property
    def cycles_per_frame(self) -> int:
        return self.window.cycles_per_frame

    @property
    def memory_bits(self) -> int:
        return self.window.memory_bits + self.queue.memory_bits

    @property
    def own_cost(self) -> Cost:
        """A comparison and a selection for each of its comparisons, and control."""
        return Cost(2 * self.parameters.comparisons * self.shape.width + 20)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.window, m.submodules.queue = window, queue = self.window, self.queue
        connect(m, flipped(self.i), window.i)
        connect(m, queue.o, flipped(self.o))
        m.d.comb += [
            # Only a group's first step needs room, which it claims for the one beat of the group.
            window.permit.eq(~window.first | queue.room),
            queue.reserve.eq(window.issued & window.first),
        ]
        valid, first, last = (
            delayed(m, mark, window.latency + self.parameters.levels, name, reset=name == "valid")
            for mark, name in ((window.issued, "valid"), (window.first, "first"), (window.last, "last"))
        )
        results = [self._tree(m, [window.o[lane][tap] for tap in range(self.taps)], lane) for lane in range(self.lanes)]
        if self.parameters.steps > 1:
            results = [self._accumulate(m, value, valid, first, lane) for lane, value in enumerate(results)]
            valid, last = delayed(m, valid, 1, "made", reset=True), delayed(m, last, 1, "made_last")
        limited = Signal(ArrayLayout(self.shape, self.lanes), reset_less=True)
        push = Signal()
        m.d.sync += push.eq(valid & last)
        for lane, value in enumerate(results):
            m.d.sync += limited[lane].eq(self._limit(value))
        m.d.comb += [queue.push.eq(push), queue.payload.eq(limited)]
        return m

    def _tree(self, m: Module, values: list[Value], lane: int) -> Value:
        level = 0
        while len(values) > 1:
            pairs = [values[start : start + 2] for start in range(0, len(values), 2)]
            values = []
            for number, pair in enumerate(pairs):
                greatest = Signal(self.shape, name=f"greatest_{lane}_{level}_{number}", reset_less=True)
                m.d.sync += greatest.eq(_greater(*pair) if len(pair) == 2 else pair[0])
                values.append(greatest)
            level += 1
        return values[0]

    def _accumulate(self, m: Module, value: Value, valid: Value, first: Value, lane: int) -> Value:
        so_far = Signal(self.shape, name=f"so_far_{lane}", reset_less=True)
        with m.If(valid):
            m.d.sync += so_far.eq(Mux(first | (value > so_far), value, so_far))
        return so_far

    def _limit(self, value: Value) -> Value:
        low, high = value_range(self.shape)
        if self.parameters.minimum > low:
            value = Mux(value < self.parameters.minimum, self.parameters.minimum, value)
        if self.parameters.maximum < high:
            value = Mux(value > self.parameters.maximum, self.parameters.maximum, value)
        return value


def _greater(a: Value, b: Value) -> Value:
    return Mux(a > b, a, b)
