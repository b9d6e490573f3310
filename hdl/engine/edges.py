"""Frames between the engine's map memory and AXI4-Stream: the instructions INPUT and OUTPUT."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import address_width
from .instruction import instruction_layout, ringed
from .latencies import Latencies
from .parameters import EngineParameters
from .words import ELEMENT

FRAME_BYTE = StructLayout({"data": unsigned(8), "last": unsigned(1)})
"""A byte of a program on its way in."""


def frame_layout(parameters: EngineParameters) -> StructLayout:
    """Elements of a pixel on their way in: ``input_elements`` of them, the first one lowest; or, where ``null``, none:
    their place is filled."""
    return StructLayout({"data": unsigned(8 * parameters.input_elements), "last": unsigned(1), "null": unsigned(1)})


RESULT_BYTE = StructLayout({"data": unsigned(8), "last": unsigned(1), "user": unsigned(1)})
"""A byte of a frame on its way out; ``user`` with the last says that the frame's packet was too short or too long."""


class _Elements(Component):
    """Counts the beats of a frame, of so many elements each: of a word, words of a pixel, pixels."""

    def __init__(self, parameters: EngineParameters, elements: int = 1):
        self.parameters, self.elements = parameters, elements
        super().__init__(
            {
                "instruction": In(instruction_layout(parameters)),
                "start": In(1),
                "step": In(1),
                "word_ends": Out(1),
                "ends": Out(1),
                "position": Out(address_width(parameters.channels)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p, instruction = self.parameters, self.instruction
        word, pixel = Signal(p.group_bits), Signal(len(instruction.pixels))
        limit = Mux(word == 0, instruction.tail, -(-p.channels // self.elements) - 1)
        m.d.comb += [
            self.word_ends.eq(self.position == limit),
            self.ends.eq(self.word_ends & (word == 0) & (pixel == 0)),
        ]
        with m.If(self.step):
            m.d.sync += self.position.eq(Mux(self.word_ends, 0, self.position + 1))
            with m.If(self.word_ends):
                m.d.sync += word.eq(Mux(word == 0, instruction.words, word - 1))
                with m.If(word == 0):
                    m.d.sync += pixel.eq(pixel - 1)
        with m.If(self.start):
            m.d.sync += [self.position.eq(0), word.eq(instruction.words), pixel.eq(instruction.pixels)]
        return m


class _Windows(Component):
    """Counts the beats of a frame whose words hold all columns of a window (``folded``): before the first word of a
    row, from one to the next, of a row, of a row with what lies beyond its right edge.

    Members: instruction, start, step: as of ``_Elements``; word_ends, ends: ``Out(1)``; fresh: ``Out(1)``, the first
    beat of a row; beyond: ``Out(1)``, beats that the stream does not bring; complete: ``Out(1)``, the last that it
    brings.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        super().__init__(
            {
                "instruction": In(instruction_layout(parameters)),
                "start": In(1),
                "step": In(1),
                "word_ends": Out(1),
                "ends": Out(1),
                "fresh": Out(1),
                "beyond": Out(1),
                "complete": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        instruction = self.instruction
        bits = len(instruction.row_step)
        beat, until = Signal(bits), Signal(bits)  # of the row; before the next word
        row = Signal(len(instruction.height))
        row_ends = beat == instruction.row_step
        m.d.comb += [
            self.word_ends.eq(until == 0),
            self.ends.eq(row_ends & (row == 0)),
            self.fresh.eq(beat == 0),
            self.beyond.eq(beat > instruction.tap_row_step),
            self.complete.eq((beat == instruction.tap_row_step) & (row == 0)),
        ]
        with m.If(self.step):
            m.d.sync += [beat.eq(beat + 1), until.eq(Mux(until == 0, instruction.pixel_step, until - 1))]
            with m.If(row_ends):
                m.d.sync += [beat.eq(0), row.eq(row - 1), until.eq(instruction.tap_step)]
        with m.If(self.start):
            m.d.sync += [beat.eq(0), row.eq(instruction.height), until.eq(instruction.tap_step)]
        return m


class FrameInput(Component):
    """INPUT: a packet of elements becomes words of the map memory; the channels of a pixel fill words of their own, or
    those of all columns of a window one word (``folded``).

    A packet that ends early is completed with ``fill``, which takes the place of ``null`` elements too; of one that is
    too long the rest is dropped. Both set ``bad``, which the next start clears where the frame's first INPUT begins
    (``clear``). Several INPUT may share a packet (``more``).

    Cycles: one for each beat from the one after ``start``, and one more; ``folded``, one for each beat beyond the right
    edge of each row too. A packet that is too long takes as many more as it has beats too many.

    Members:
        instruction: ``In``; start, clear: ``In(1)``.
        other_start, other_step: ``In(1)``; word_ends, ends: ``Out(1)``: OUTPUT counts with the same counters, and
            its words with ``address``.
        i: ``In(stream.Signature(frame_layout))``
        put: ``Out(1)``; beat, position, folded, fresh, fill: ``Out``; complete: ``Out(1)``, address: ``Out``, with a
            word's last beat: as of :class:`~mbconv.hdl.engine.map_memory.MapMemory`.
        finished, bad: ``Out(1)``; was_short, was_long: ``Out(1)``, of a packet, with ``finished``: elements were
            missing, or there were more; one that is both is long.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.elements = _Elements(p, p.input_elements)
        self.windows = _Windows(p) if p.folds else None
        super().__init__(
            {
                "instruction": In(instruction_layout(p)),
                "start": In(1),
                "clear": In(1),
                "other_start": In(1),
                "other_step": In(1),
                "word_ends": Out(1),
                "ends": Out(1),
                "i": In(Signature(frame_layout(p))),
                "put": Out(1),
                "beat": Out(8 * p.input_elements),
                "position": Out(address_width(p.channels)),
                "folded": Out(1),
                "fresh": Out(1),
                "fill": Out(ELEMENT),
                "complete": Out(1),
                "address": Out(address_width(p.map_words)),
                "finished": Out(1),
                "bad": Out(1),
                "was_short": Out(1),
                "was_long": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.elements = elements = self.elements
        instruction = self.instruction
        filling, short, dropping = Signal(), Signal(), Signal()
        missing, long = Signal(), Signal()  # elements were null; there were too many
        address = Signal(len(self.address))
        ends, step, word_ends, last, beyond = Signal(), Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq((filling & ~short & ~beyond) | dropping),
            step.eq(filling & (short | beyond | self.i.valid)),
            elements.instruction.eq(instruction),
            elements.start.eq(self.start | self.other_start),
            elements.step.eq(step | self.other_step),
            self.word_ends.eq(elements.word_ends),
            self.ends.eq(elements.ends),
            word_ends.eq(elements.word_ends),
            last.eq(elements.ends),
            ends.eq(step & last),
        ]
        count = self.parameters.input_elements
        signs = Cat(*(Cat(Const(0, 7), instruction.unsigned) for _ in range(count)))
        ranges = self.parameters.ranges
        m.d.comb += [
            self.put.eq(step),
            self.beat.eq(
                Mux(
                    short | beyond | self.i.payload.null,
                    instruction.fill.as_unsigned().replicate(count),
                    self.i.payload.data ^ signs,
                )
            ),
            self.position.eq(elements.position),
            self.fill.eq(instruction.fill),
            self.complete.eq(word_ends),
            self.address.eq(
                ringed(address, instruction.destination, instruction.destination_ring) if ranges else address
            ),
        ]
        self._fold(m, step, word_ends, last, beyond)
        with m.If((step & word_ends) | (self.other_step & elements.word_ends)):
            m.d.sync += address.eq(address + 1)
        m.d.sync += self.finished.eq(0)
        packet_ends = Signal()  # with the last beat that the stream brings: what follows of the frame lies beyond edges
        complete = Signal()
        m.d.comb += packet_ends.eq(filling & ~short & ~beyond & self.i.valid & self.i.payload.last)
        whole = Signal()  # the packet's last beat was the frame's
        with m.If(packet_ends):
            m.d.sync += whole.eq(1)
            with m.If(~complete):
                m.d.sync += [short.eq(1), self.bad.eq(1)]
        more: Value = instruction.more if ranges else Const(0)
        m.d.comb += complete.eq(self._complete() & ~more)
        with m.If(filling & ~short & ~beyond & self.i.valid & self.i.payload.null):
            m.d.sync += [missing.eq(1), self.bad.eq(1)]
        with m.If(ends):
            m.d.sync += filling.eq(0)
            with m.If(short | whole | packet_ends | more):
                m.d.sync += self.finished.eq(1)
            with m.Else():
                m.d.sync += [dropping.eq(1), long.eq(1), self.bad.eq(1)]
        with m.If(dropping & self.i.valid & self.i.payload.last):
            m.d.sync += [dropping.eq(0), self.finished.eq(1)]
        with m.If(self.start):
            m.d.sync += filling.eq(1)
        with m.If(self.start | self.other_start):
            m.d.sync += address.eq(instruction.destination)
        with m.If(self.finished & ~more):  # the next packet
            m.d.comb += [self.was_short.eq((short | missing) & ~long), self.was_long.eq(long)]
            m.d.sync += [short.eq(0), whole.eq(0), missing.eq(0), long.eq(0)]
        with m.If(self.clear):
            m.d.sync += self.bad.eq(0)
        return m

    def _complete(self) -> Value:
        """The present beat is the last one that the stream has to bring."""
        if self.windows is None:
            return self.elements.ends
        return Mux(self.instruction.folded, self.windows.complete, self.elements.ends)

    def _fold(self, m: Module, step: Signal, word_ends: Signal, last: Signal, beyond: Signal) -> None:
        """Words of all columns of a window."""
        windows = self.windows
        if windows is None:
            return
        m.submodules.windows = windows
        m.d.comb += [
            windows.instruction.eq(self.instruction),
            windows.start.eq(self.start),
            windows.step.eq(step),
        ]
        with m.If(self.instruction.folded):
            m.d.comb += [
                self.folded.eq(1),
                self.fresh.eq(windows.fresh),
                self.position.eq(self.instruction.tail),
                word_ends.eq(windows.word_ends),
                last.eq(windows.ends),
                beyond.eq(windows.beyond),
            ]


class FrameOutput(Component):
    """OUTPUT: words of the map memory become a packet of elements, one byte each.

    Cycles, where every byte is taken at once: for each word its elements and 1 + M to read it. The bytes of a frame's
    last OUTPUT wait for ``checked``: whether they are right is known with the first.

    Members:
        instruction: ``In``; start, bad, checked: ``In(1)``.
        address: ``Out``; reads: ``Out(1)``; load: ``Out(1)``, M cycles later, when its word is there; step: ``Out(1)``,
            an element of it is taken; element: ``In(signed(8))``, the lowest, from the cycle after ``load``. With
            ``spare_registers`` = 2 word: ``In``, which is held here.
        o: ``Out(stream.Signature(RESULT_BYTE))``
        finished: ``Out(1)``, with the last byte's being taken.
        word_ends, ends: ``In(1)``, of the word and of the packet; counted: ``In``, its address: where INPUT has beats
            of one element, too, and counts them (``elements`` is None).
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        self.elements = _Elements(p) if p.input_elements > 1 else None
        address = address_width(p.map_words)
        super().__init__(
            {
                "instruction": In(instruction_layout(p)),
                "start": In(1),
                **({"word_ends": In(1), "ends": In(1), "counted": In(address)} if self.elements is None else {}),
                "bad": In(1),
                "checked": In(1),
                "address": Out(address),
                "reads": Out(1),
                "load": Out(1),
                "step": Out(1),
                **({"word": In(8 * p.channels)} if p.further_spares else {"element": In(ELEMENT)}),
                "o": Out(Signature(RESULT_BYTE)),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        ask, valid, taken = Signal(), Signal(), Signal()
        elements = self if self.elements is None else self.elements
        arrived = delayed(m, ask, Latencies(self.parameters, self.family).maps, "arrived", reset=True)
        m.d.comb += [
            taken.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(valid & ~(self.instruction.last & ~self.checked)),
            self.reads.eq(ask),
            self.load.eq(arrived),
            self.step.eq(taken),
            self.o.payload.data.eq(self._element(m).as_unsigned() ^ Cat([0] * 7, self.instruction.unsigned)),
            self.o.payload.last.eq(elements.ends),
            self.o.payload.user.eq(elements.ends & self.bad),
            self.finished.eq(taken & elements.ends),
        ]
        if self.elements is not None:
            m.submodules.elements = self.elements
            m.d.comb += [
                self.elements.instruction.eq(self.instruction),
                self.elements.start.eq(self.start),
                self.elements.step.eq(taken),
            ]
            address = Signal(len(self.address))
            m.d.comb += self.address.eq(address)
            with m.If(taken & elements.word_ends):
                m.d.sync += address.eq(address + 1)
            with m.If(self.start):
                m.d.sync += address.eq(self.instruction.destination)
        else:
            m.d.comb += self.address.eq(self.counted)
        m.d.sync += ask.eq(0)
        with m.If(self.start):
            m.d.sync += ask.eq(1)
        with m.If(arrived):
            m.d.sync += valid.eq(1)
        with m.If(taken & elements.word_ends):
            m.d.sync += [valid.eq(0), ask.eq(~elements.ends)]
        return m

    def _element(self, m: Module) -> Value:
        """The element that leaves next."""
        if not self.parameters.further_spares:
            return self.element
        held = Signal(len(self.word), reset_less=True)
        with m.If(self.load | self.step):
            m.d.sync += held.eq(Mux(self.load, self.word, held[8:]))
        return held[:8]
