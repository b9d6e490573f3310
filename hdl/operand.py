"""An operand of a circuit that makes an element of each: a stream, or one that is shorter and is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .counting import advance, delayed
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .primitives import Ram


@dataclass(frozen=True)
class Broadcast:
    """Which beats of an output frame a shorter operand gives anew; the others repeat one that it gave before.

    Args:
        nest: the loops over a frame's beats, outermost first: extent, and whether the operand has one beat in place of
            all that the loop passes.
        one_lane: whether the operand has one channel, which all lanes take.

    Raises:
        ValueError: an extent below 1.
    """

    nest: tuple[tuple[int, bool], ...]
    one_lane: bool = False

    def __post_init__(self) -> None:
        if min((extent for extent, _ in self.nest), default=1) < 1:
            raise ValueError(f"loops over beats are of at least 1, not {[extent for extent, _ in self.nest]}")

    @classmethod
    def over(cls, raster: tuple[int, int, int], repeated: tuple[bool, bool, bool], one_lane: bool = False) -> Broadcast:
        """Of an output of rows, columns and beats of a pixel, over some of which the operand is repeated: ``(True,
        True, False)`` is a vector for each frame."""
        return cls(tuple(zip(raster, repeated, strict=True)), one_lane)

    @cached_property
    def loops(self) -> tuple[tuple[int, bool], ...]:
        """The loops that pass more than one beat; neighbours that are alike are one."""
        found: list[tuple[int, bool]] = []
        for extent, repeated in self.nest:
            if extent == 1:
                continue
            if found and found[-1][1] == repeated:
                extent *= found.pop()[0]
            found.append((extent, repeated))
        return tuple(found)

    @property
    def repeats(self) -> bool:
        """Whether any beat is repeated."""
        return any(repeated for _, repeated in self.loops)

    @property
    def kept(self) -> int:
        """Beats that are kept to be given again: those within the outermost loop that repeats them."""
        repeating = [place for place, (_, repeated) in enumerate(self.loops) if repeated]
        inside = self.loops[repeating[0] :] if repeating else ()
        return int(np.prod([extent for extent, repeated in inside if not repeated], dtype=np.int64)) if inside else 0

    @cached_property
    def positions(self) -> np.ndarray:
        """The beats of an output frame with which the operand's own are taken, int64 in rising order."""
        extents = [extent for extent, _ in self.nest]
        beats = np.arange(int(np.prod(extents, dtype=np.int64)), dtype=np.int64).reshape(extents)
        return beats[tuple(slice(0, 1) if repeated else slice(None) for _, repeated in self.nest)].ravel()


class Operand(Component):
    """One operand's stream in step with the others.

    ::

            ┌───────┐ fresh
        i ─►│       ├──────►│╲
            │ kept  │       │ ├──► value
            │ beats ├──────►│╱
            └───────┘ again

    A beat is used in each cycle with ``claim`` and ``available``. One that the operand gives anew is taken from ``i``
    in that cycle and kept where it will be used again; ``available`` says that it is there, or that none is needed. So
    nothing is lost between frames, and the next frame's beats are taken with the first uses of them.

    ``value`` is valid ``latency`` cycles later: none, or the memory's where beats are kept in one. Cost: no multiplier;
    ``memory_bits``: the kept beats, one in a register, several in a memory.

    Args:
        shape: of an element.
        lanes: of the circuit; the stream has as many, or one where ``broadcast.one_lane``.
        broadcast: which beats are repeated; None for none.
        family: of FPGAs.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes_in)))``
        available: ``Out(1)``; claim: ``In(1)``, all else is there
        value: ``Out(ArrayLayout(shape, lanes))``

    Raises:
        ValueError: no lane.
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(self, shape: ShapeLike, lanes: int, broadcast: Broadcast | None = None, *, family: Family = GENERIC):
        if lanes < 1:
            raise ValueError(f"an operand has at least one lane, not {lanes}")
        self.shape, self.lanes, self.broadcast = Shape.cast(shape), lanes, broadcast
        self.lanes_in = 1 if broadcast is not None and broadcast.one_lane else lanes
        self.kept = broadcast.kept if broadcast is not None else 0
        self.beat = ArrayLayout(self.shape, self.lanes_in)
        self.ram = Ram(self.beat, self.kept, family=family) if self.kept > 1 else None
        self.latency = self.ram.latency if self.ram is not None else 0
        super().__init__(
            {
                "i": In(Signature(self.beat)),
                "available": Out(1),
                "claim": In(1),
                "value": Out(ArrayLayout(self.shape, lanes)),
            }
        )

    @property
    def memory_bits(self) -> int:
        return self.ram.memory_bits if self.ram is not None else 0

    @property
    def own_cost(self) -> Cost:
        """Where beats are repeated a selection for each of a beat's bits, and the counters of a frame's beats."""
        if not self.kept:
            return Cost()
        counters = sum((extent - 1).bit_length() for extent, _ in self.broadcast.loops)
        return Cost(self.lanes_in * self.shape.width + 2 * counters)

    def elaborate(self, platform) -> Module:
        m = Module()
        take = self.available & self.claim
        value = Value.cast(self.i.payload)
        if self.kept:
            fresh, address = self._loops(m, take)
            m.d.comb += [self.available.eq(self.i.valid | ~fresh), self.i.ready.eq(self.claim & fresh)]
            value = self._again(m, value, fresh, address, take & fresh)
        else:
            m.d.comb += [self.available.eq(self.i.valid), self.i.ready.eq(self.claim)]
        width = self.shape.width
        for lane in range(self.lanes):
            m.d.comb += self.value[lane].eq(value.word_select(min(lane, self.lanes_in - 1), width))
        return m

    def _loops(self, m: Module, step: Value) -> tuple[Value, Value]:
        """Whether the next beat is the operand's own, and the place of its kept one."""
        firsts, addresses, stride = [], [Const(0)], 1
        loops = self.broadcast.loops
        outermost = next(place for place, (_, repeated) in enumerate(loops) if repeated)
        for place in reversed(range(outermost, len(loops))):
            extent, repeated = loops[place]
            count, last = Signal(range(extent), name=f"count_{place}"), Signal(name=f"last_{place}")
            m.d.comb += last.eq(count == extent - 1)
            with m.If(step):
                advance(m, count, extent)
            if repeated:
                first = Signal(name=f"first_{place}", init=1)
                with m.If(step):
                    m.d.sync += first.eq(last)
                firsts.append(first)
            else:
                addresses.append(self._address(m, place, step, count, last, stride))
                stride *= extent
            step = step & last
        return Cat(*firsts).all(), sum(addresses[1:], addresses[0])

    @staticmethod
    def _address(m: Module, place: int, step: Value, count: Signal, last: Value, stride: int) -> Value:
        """A loop's part of the place of a kept beat: its count times ``stride``."""
        if stride == 1:
            return count
        part = Signal(range(stride << len(count)), name=f"address_{place}")
        with m.If(step):
            m.d.sync += part.eq(Mux(last, 0, part + stride))
        return part

    def _again(self, m: Module, value: Value, fresh: Value, address: Value, keep: Value) -> Value:
        """The operand's own beat where it is fresh, else the kept one."""
        if self.ram is None:
            held = Signal(len(value), reset_less=True)
            with m.If(keep):
                m.d.sync += held.eq(value)
            return Mux(fresh, value, held)
        m.submodules.ram = ram = self.ram
        m.d.comb += [
            ram.w_en.eq(keep),
            ram.w_addr.eq(address),
            Value.cast(ram.w_data).eq(value),
            ram.r_addr.eq(address),
        ]
        # A beat is written in the cycle in which it is first used: its own read of that cycle is not looked at.
        own, mine = delayed(m, value, self.latency, "own"), delayed(m, fresh, self.latency, "fresh")
        return Mux(mine, own, Value.cast(ram.r_data))
