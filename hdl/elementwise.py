"""What circuits share that make an element of an element of each operand: a pipeline with credits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Const, Module, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING
from .counting import delayed
from .credit_queue import CreditQueue, least_depth
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .operand import Operand


class Elementwise(Component):
    """A beat of results for a beat of every operand; a subclass is its :meth:`datapath`.

    ::

        first  ─►│ Operand ├──►┌──────────┐   ┌───────┐
                              │ datapath ├──►│ queue ├──► o
        second ─►│ Operand ├──►└──────────┘   └───────┘

    Beats are taken when one of each operand is there and the queue has room, at most every ``interval`` cycles. Their
    results are valid ``latency`` cycles later: the operands', the datapath's, the queue's. Operands that are shorter
    than the output are repeated (:class:`~mbconv.hdl.operand.Operand`).

    Cycles per frame: its beats times ``interval``. Cost: ``memory_bits`` of the operands and of the queue, and what a
    subclass adds.

    Args:
        operands: by the name of the port.
        shape: of an element of the output.
        lanes: of the output.
        datapath_latency: cycles from the operands to :meth:`datapath`'s results.
        interval: cycles from one beat to the next, at least.
        queue_depth: beats of the output queue; by default the least that sustains the interval.

    Members:
        a port for each operand: ``In(stream.Signature(ArrayLayout(its shape, its lanes)))``
        o: ``Out(stream.Signature(ArrayLayout(shape, lanes)))``

    Raises:
        ValueError: an interval below 1, or operands of other lanes.
    """

    multipliers = 0
    own_cost = NOTHING

    def __init__(
        self,
        operands: Mapping[str, Operand],
        shape: ShapeLike,
        lanes: int,
        datapath_latency: int,
        *,
        interval: int = 1,
        queue_depth: int | None = None,
        family: Family = GENERIC,
    ):
        if interval < 1:
            raise ValueError(f"beats come at most once a cycle: the interval must be at least 1, not {interval}")
        if any(operand.lanes != lanes for operand in operands.values()):
            raise ValueError(f"operands of {[operand.lanes for operand in operands.values()]} lanes give no {lanes}")
        self.operands, self.shape, self.lanes = dict(operands), Shape.cast(shape), lanes
        self.interval, self.datapath_latency = interval, datapath_latency
        self.operand_latency = max(operand.latency for operand in operands.values())
        beat = ArrayLayout(self.shape, lanes)
        self.queue_depth = least_depth(self._pipeline, family, interval) if queue_depth is None else queue_depth
        self.queue = CreditQueue(beat, self.queue_depth, family=family)
        super().__init__(
            {
                **{name: In(Signature(operand.beat)) for name, operand in self.operands.items()},
                "o": Out(Signature(beat)),
            }
        )

    @abstractmethod
    def datapath(self, m: Module, taken: Value, *operands: Value) -> Sequence[Value]:
        """The results of all lanes, ``datapath_latency`` cycles behind the operands.

        Args:
            taken: bit t: beats were taken t cycles ago; the operands are those of ``operand_latency`` cycles ago.
            operands: ``ArrayLayout(its shape, lanes)`` each, in order.
        """

    @property
    def _pipeline(self) -> int:
        """Cycles from taking beats to pushing their result into the queue."""
        return self.operand_latency + self.datapath_latency

    @property
    def latency(self) -> int:
        """Cycles from taking beats to their result at ``o``, when the queue is empty."""
        return self._pipeline + self.queue.latency

    @property
    def cycles_per_beat(self) -> int:
        return self.interval

    @property
    def memory_bits(self) -> int:
        return sum(operand.memory_bits for operand in self.operands.values()) + self.queue.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = self.queue
        operands = list(self.operands.values())
        for name, operand in self.operands.items():
            m.submodules[f"{name}_operand"] = operand
            connect(m, flipped(getattr(self, name)), operand.i)
        take, taken = Signal(), Signal(self._pipeline)
        ready = self.queue.room & self._idle(m, take)
        m.d.comb += take.eq(Cat(ready, *(operand.available for operand in operands)).all())
        m.d.sync += taken.eq(Cat(take, taken))
        values = []
        for operand in operands:
            others = [other.available for other in operands if other is not operand]
            m.d.comb += operand.claim.eq(Cat(ready, *others).all())
            late = delayed(m, operand.value.as_value(), self.operand_latency - operand.latency, "operand")
            values.append(operand.value.shape()(late))
        results = self.datapath(m, Cat(take, taken), *values)
        m.d.comb += [
            self.queue.reserve.eq(take),
            self.queue.push.eq(taken[-1]),
            *(self.queue.payload[lane].eq(result) for lane, result in enumerate(results)),
        ]
        connect(m, self.queue.o, flipped(self.o))
        return m

    def _idle(self, m: Module, take: Value) -> Value:
        """Whether the last beats were taken ``interval`` cycles ago."""
        if self.interval == 1:
            return Const(1)
        left, idle = Signal(range(self.interval)), Signal(init=1)
        with m.If(take):
            m.d.sync += [left.eq(self.interval - 1), idle.eq(0)]
        with m.Elif(~idle):
            m.d.sync += [left.eq(left - 1), idle.eq(left == 1)]
        return idle
