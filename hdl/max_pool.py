"""The greatest element of a sliding window, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, Value

from .cost import Cost
from .layouts import ArrayLayout
from .value_tables import value_range
from .window_pool import WindowPool, WindowPoolParameters


@dataclass(frozen=True)
class MaxPoolParameters(WindowPoolParameters):
    """Parameters of a :class:`MaxPool`.

    Args:
        window: of L lanes, whose ``pad_value`` is the least of its shape.
        minimum, maximum: limits of the results; by default those of the shape.
        queue_depth: see :class:`~mbconv.hdl.window_pool.WindowPoolParameters`.

    Raises:
        ValueError: another padding, or limits that the shape does not hold or that exclude each other.
    """

    minimum: int | None = None
    maximum: int | None = None

    def __post_init__(self) -> None:
        low, high = value_range(self.window.shape)
        for name, limit in (("minimum", low), ("maximum", high)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, limit)
        if not low <= self.minimum <= self.maximum <= high:
            raise ValueError(f"limits {self.minimum} to {self.maximum} are not within {low} to {high}, in this order")
        if self.window.pad_value != low:
            raise ValueError(f"padding of {self.window.pad_value} would count; it must hold {low}")
        super().__post_init__()

    @property
    def finish_latency(self) -> int:
        """A register behind the limits."""
        return 1

    @property
    def comparisons(self) -> int:
        """Comparisons of two elements, with a selection each: of the tree, of the steps and of the limits."""
        low, high = value_range(self.window.shape)
        limits = (self.minimum > low) + (self.maximum < high)
        return self.combinations + self.window.lanes * limits


class MaxPool(WindowPool):
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

    def __init__(self, parameters: MaxPoolParameters):
        super().__init__(parameters, parameters.window.shape, parameters.window.shape)

    @property
    def own_cost(self) -> Cost:
        """A comparison and a selection for each of its comparisons, and control."""
        return super().own_cost + Cost(2 * self.parameters.comparisons * self.shape.width)

    def combine(self, a: Value, b: Value) -> Value:
        return Mux(a > b, a, b)

    def accumulate(self, first: Value, value: Value, so_far: Value) -> Value:
        return Mux(first | (value > so_far), value, so_far)

    def finish(self, m: Module, values: Sequence[Value], valid: Value) -> tuple[Value, Value]:
        limited = Signal(ArrayLayout(self.shape, self.lanes), reset_less=True)
        push = Signal()
        m.d.sync += push.eq(valid)
        for lane, value in enumerate(values):
            m.d.sync += limited[lane].eq(self._limit(value))
        return push, limited.as_value()

    def _limit(self, value: Value) -> Value:
        low, high = value_range(self.shape)
        if self.parameters.minimum > low:
            value = Mux(value < self.parameters.minimum, self.parameters.minimum, value)
        if self.parameters.maximum < high:
            value = Mux(value > self.parameters.maximum, self.parameters.maximum, value)
        return value
