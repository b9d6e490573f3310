"""The order of things: programs are taken between frames, instructions one after another."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import address_width
from .instruction import WORD_BITS, Operation, instruction_layout, instruction_rows, row_words, unused_bits
from .latencies import Latencies
from .parameters import EngineParameters
from .weight_port import PLACE_BITS


class Control(Component):
    """Fetches the instructions of a frame and starts each when the one before has finished.

    A frame begins when a program is loaded and ``frame`` says that elements wait; a program is taken (``open_upload``)
    when no frame is under way.

    With ``overlaps`` a program may end in END. A frame's first instructions are computed alone, its ``late`` ones with
    the first of the next frame, all of them in the program's order, or alone if no frame waits at END. Of those that
    are passed over, each takes the time of its fetch.

    Cycles: from ``go`` (a frame's beginning, or ``finished``) to ``start``: 1 + the rows of an instruction + M.
    Cost: an instruction in registers, but for ``standing_words`` of it.

    Members:
        loaded, uploading, frame: ``In(1)``; finished: ``In(1)``, of the present instruction.
        open_upload: ``Out(1)``
        row: ``Out``, of the program memory; data: ``In``, M cycles later.
        instruction: ``Out``; start: ``Out(1)``; begins: ``Out(1)``, with a frame's first start where none is under way.
        both: ``Out(1)``, instructions of two frames are computed.
        goes_on: ``Out(1)``, END has finished, and instructions of the frame follow; place: ``Out``, where their weights
            lie, with ``goes_on``, 0 with ``begins``.
        retired: ``Out(1)``, in the cycle after ``finished``; number: ``Out``, of the instruction that it is of.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        self.rows = instruction_rows(parameters)
        super().__init__(
            {
                "loaded": In(1),
                "uploading": In(1),
                "frame": In(1),
                "finished": In(1),
                "open_upload": Out(1),
                "row": Out(address_width(parameters.instructions * self.rows)),
                "data": In(WORD_BITS * row_words(parameters)),
                "instruction": Out(instruction_layout(parameters)),
                "start": Out(1),
                "begins": Out(1),
                "both": Out(1),
                "goes_on": Out(1),
                "place": Out(PLACE_BITS),
                "retired": Out(1),
                "number": Out(address_width(parameters.instructions)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from ``go`` to ``start``."""
        return Latencies(self.parameters, self.family).control

    def elaborate(self, platform) -> Module:
        m = Module()
        running, asking = Signal(), Signal()
        left = Signal(address_width(self.rows))
        number = Signal(len(self.number))
        standing = len(self.data) if self.parameters.standing_words else 0
        held = Signal(self.rows * len(self.data) - standing, reset_less=True)
        go, fetch = Signal(), Signal()
        m.d.comb += [
            self.open_upload.eq(~running),
            go.eq(~running & self.loaded & ~self.uploading & self.frame),
            self.instruction.as_value().eq(Cat(held, self.data[:standing])[unused_bits(self.parameters) :]),
        ]
        started = Signal()  # an instruction is there
        passed_over, follows, ended = self._overlap(m, go, started)
        rewinds = go | self.goes_on
        ends = self.finished & self.instruction.last & ~follows
        m.d.comb += [
            fetch.eq(rewinds | (self.finished & ~ends) | passed_over),
            self.start.eq(started & ~passed_over),
        ]
        last = asking & (left == 0)
        arrives = delayed(m, asking, self.family.memory_latency, "arrives", reset=True)
        whole = delayed(m, last, self.family.memory_latency, "whole", reset=True)
        m.d.sync += [started.eq(whole), self.begins.eq(whole & (number == 0) & ~follows)]
        with m.If(asking):
            m.d.sync += left.eq(left - 1)
            with m.If(left == 0):
                m.d.sync += asking.eq(0)
        with m.If(arrives & ~whole if standing else arrives):
            m.d.sync += held.eq(Cat(held, self.data)[len(self.data) :])
        with m.If(fetch):
            m.d.sync += [asking.eq(1), left.eq(self.rows - 1), number.eq(Mux(rewinds, 0, number + 1))]
        with m.If(fetch | (asking & ~last)):  # the last row of the one that is executed stands
            m.d.sync += self.row.eq(Mux(rewinds, 0, self.row + 1))
        m.d.sync += self.retired.eq(self.finished | ended)
        with m.If(self.finished | ended):
            m.d.sync += self.number.eq(number)
        with m.If(ends | (ended & ~self.goes_on)):
            m.d.sync += running.eq(0)
        with m.If(go):
            m.d.sync += running.eq(1)
        return m

    def _overlap(self, m: Module, go: Signal, started: Signal) -> tuple[Value, Value, Value]:
        """Which instructions are computed: whether the one that is there is passed over, whether the program has
        reached its END for a frame that is under way, whether END has finished."""
        if not self.parameters.overlaps:
            return Const(0), Const(0), Const(0)
        early, late = Signal(), Signal()  # a frame's first instructions are computed; the last ones of one
        ended, follows, is_end = Signal(), Signal(), Signal()
        passed_over = Signal()
        m.d.comb += [
            is_end.eq(self.instruction.operation == Operation.END),
            passed_over.eq(started & ~is_end & Mux(self.instruction.late, ~late, ~early)),
            follows.eq(self.frame & ~self.uploading),
            self.both.eq(early & late),
            self.goes_on.eq(ended & (follows | early)),
            self.place.eq(Mux(ended, Mux(follows, self.instruction.positive, self.instruction.negative), 0)),
        ]
        m.d.sync += ended.eq(started & is_end)
        with m.If(ended):
            m.d.sync += [early.eq(follows), late.eq(1)]
        with m.If(go):
            m.d.sync += [early.eq(1), late.eq(0)]
        return passed_over, late, ended
