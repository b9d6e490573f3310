"""Elements of a sliding window made one, channel by channel: what maxima and averages share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from amaranth.hdl import Module, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import Cost
from .counting import delayed
from .credit_queue import CreditQueue, least_depth
from .layouts import ArrayLayout
from .window import Window
from .window_geometry import AVAILABLE_DELAY
from .window_parameters import WindowParameters


@dataclass(frozen=True)
class WindowPoolParameters:
    """Parameters of a :class:`WindowPool`.

    Args:
        window: of L lanes.
        queue_depth: beats of the output queue; by default the least that sustains one beat a cycle.
    """

    window: WindowParameters
    queue_depth: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.queue_depth is None:
            object.__setattr__(self, "queue_depth", least_depth(self.pipeline, self.window.family))

    @property
    def finish_latency(self) -> int:
        """Cycles from what a whole window makes to pushing the result into the queue."""
        raise NotImplementedError

    @property
    def steps(self) -> int:
        """Issue cycles of a group of channels of an output pixel."""
        return self.window.steps

    @property
    def combinations(self) -> int:
        """Of two elements into one: of the tree and of the steps."""
        return self.window.lanes * (self.window.taps - 1 + (self.steps > 1))

    @property
    def levels(self) -> int:
        """Of the tree, a register behind each."""
        return (self.window.taps - 1).bit_length()

    @property
    def pipeline(self) -> int:
        """Cycles from a group's last issue to pushing its result into the queue."""
        return self.window.latency + self.levels + (self.steps > 1) + self.finish_latency

    @property
    def latency_of_group(self) -> int:
        """Cycles from a group's last issue to its beat at ``o``, when the queue is empty."""
        return self.pipeline + self.window.family.queue_latency(self.queue_depth)

    @property
    def latency(self) -> int:
        """Cycles from taking the last beat that an output pixel requires to its first result at ``o``, when nothing
        waits."""
        return AVAILABLE_DELAY + self.steps - 1 + self.latency_of_group


class WindowPool(Component):
    """Every channel of an output pixel is made of its window's elements.

    ::

              ┌──────────────┐  taps  ┌──────────┐   ┌──────────┐   ┌────────┐   ┌───────┐
        i ───►│ Window       ├───────►│ tree of  ├──►│ combine  ├──►│ finish ├──►│ queue ├──► o
              │ ring of rows │ [L][K] │ combine  │   │ all steps│   └────────┘   └───────┘
              └──────────────┘        └──────────┘   └──────────┘

    An output pixel's group of L channels begins when its pixels are there and the queue has room for its one beat,
    which is valid at ``o`` ``steps - 1 + latency_of_group`` cycles later.

    Cycles per frame: output pixels · ⌈C/L⌉ · ⌈taps of the kernel/K⌉. No multiplier. Cost: its window and its queue, and
    what combines (K elements to one, and with the steps' before), which each kind adds.

    Args:
        parameters: a :class:`WindowPoolParameters`.
        output: of an element of the results.
        accumulated: of what is made of a whole window.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes)))``
        o: ``Out(stream.Signature(ArrayLayout(output, lanes)))``
    """

    multipliers = 0

    def __init__(self, parameters: WindowPoolParameters, output: ShapeLike, accumulated: ShapeLike):
        self.parameters = parameters
        p = parameters.window
        self.shape, self.lanes, self.taps = p.shape, p.lanes, p.taps
        self.output, self.accumulated = Shape.cast(output), Shape.cast(accumulated)
        self.window = Window(p)
        self.queue = CreditQueue(ArrayLayout(self.output, self.lanes), parameters.queue_depth, family=p.family)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(self.shape, self.lanes))),
                "o": Out(Signature(ArrayLayout(self.output, self.lanes))),
            }
        )

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
        """Control; each kind adds what combines elements."""
        return Cost(20)

    def combine(self, a: Value, b: Value) -> Value:
        """One of two."""
        raise NotImplementedError

    def accumulate(self, first: Value, value: Value, so_far: Value) -> Value:
        """One of a step's and those before it; the first step has none."""
        raise NotImplementedError

    def finish(self, m: Module, values: Sequence[Value], valid: Value) -> tuple[Value, Value]:
        """What a whole window made, of all lanes: when it is pushed, and the beat, ``finish_latency`` cycles later."""
        raise NotImplementedError

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
            results = [self._all_steps(m, value, valid, first, lane) for lane, value in enumerate(results)]
            valid, last = delayed(m, valid, 1, "made", reset=True), delayed(m, last, 1, "made_last")
        push, beat = self.finish(m, results, valid & last)
        m.d.comb += [queue.push.eq(push), queue.payload.as_value().eq(beat)]
        return m

    def _tree(self, m: Module, values: list[Value], lane: int) -> Value:
        level = 0
        while len(values) > 1:
            pairs = [values[start : start + 2] for start in range(0, len(values), 2)]
            values = []
            for number, pair in enumerate(pairs):
                one = self.combine(*pair) if len(pair) == 2 else pair[0]
                held = Signal(one.shape(), name=f"made_{lane}_{level}_{number}", reset_less=True)
                m.d.sync += held.eq(one)
                values.append(held)
            level += 1
        return values[0]

    def _all_steps(self, m: Module, value: Value, valid: Value, first: Value, lane: int) -> Value:
        so_far = Signal(self.accumulated, name=f"so_far_{lane}", reset_less=True)
        with m.If(valid):
            m.d.sync += so_far.eq(self.accumulate(first, value, so_far))
        return so_far
