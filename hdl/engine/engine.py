"""The engine: memories, the array, and what moves data between them."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import Ram
from .array import Array
from .constant_memory import ConstantMemory
from .control import Control
from .drain import Drain
from .edges import FRAME_BYTE, RESULT_BYTE, FrameInput, FrameOutput, frame_layout
from .elementwise import Elementwise
from .finish import Finish
from .instruction import Operation, instruction_layout
from .map_memory import MapMemory, written_layout
from .parameters import TABLE_ENTRIES, EngineParameters
from .program_memory import ProgramMemory
from .sequence import Sequence, slot_layout
from .upload import Section, Upload
from .weight_loader import WeightLoader
from .weight_port import weight_port
from .words import Words
from .write_back import WriteBack


class Engine(Component):
    """Computes the frames of whatever network is loaded, one at a time.

    ::

        program ──► Upload ──► memories of instructions, weights, constants, tables
                                      │          │          │         │
        memory ──► WeightLoader ──► weights       │          │         │
        i ──► FrameInput ─► map ──► Words ─┬─► Array ─► Drain ──┐     │
                            memory         ├─► Elementwise ─────┴► Finish ─► WriteBack ─► map memory
                           Sequence        └─► FrameOutput ─► o

    A frame takes the sum of its instructions' cycles (:mod:`mbconv.generators.engine.cycles`): each is fetched,
    executed and written out before the next.

    Cost: ``multipliers``, ``memory_bits``.

    Members:
        program: ``In(stream.Signature(FRAME_BYTE))``; i: ``In(stream.Signature(frame_layout))``
        o: ``Out(stream.Signature(RESULT_BYTE))``
        memory: ``Out`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`, where the parameters have ``port_bytes``.
        loaded, failed: ``Out(1)``, of the last program; number: ``Out(32)``, its check.
        bad: ``Out(1)``, the frame's packet was too short or too long, or ``damaged``: ``Out(1)``, what came from the
            memory was another program's, or damaged. Both stand with the bytes of a frame's last OUTPUT.
        short, long: ``Out(1)``, for a cycle for each packet that was.
        written, retired: ``Out``, streams for those who watch, always ready: words that enter the map memory, and the
            numbers of instructions that have finished.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        self.maps = MapMemory(p, family)
        self.weights = Ram(ArrayLayout(signed(p.weight_bits), p.channels), p.weight_words, family=family)
        self.constants = ConstantMemory(p, family)
        self.control = Control(p, family)
        self.program_memory = ProgramMemory(p, family)
        self.words = Words(p)
        self.sequence, self.array, self.drain = Sequence(p), Array(p, family), Drain(p, family)
        self.elementwise, self.finish, self.write_back = Elementwise(p, family), Finish(p, family), WriteBack(p)
        self.input, self.output, self.upload = FrameInput(p), FrameOutput(p, family), Upload(p)
        self.loader = WeightLoader(p) if p.port_bytes and not p.shares_upload else None
        number = unsigned(len(self.control.number))
        super().__init__(
            {
                "program": In(Signature(FRAME_BYTE)),
                "i": In(Signature(frame_layout(p))),
                "o": Out(Signature(RESULT_BYTE)),
                **({"memory": Out(weight_port(p.port_bytes, places=bool(p.overlaps)))} if p.port_bytes else {}),
                "loaded": Out(1),
                "failed": Out(1),
                "number": Out(32),
                "bad": Out(1),
                "damaged": Out(1),
                "short": Out(1),
                "long": Out(1),
                "written": Out(Signature(written_layout(p))),
                "retired": Out(Signature(number)),
            }
        )

    @property
    def multipliers(self) -> int:
        """Those of the array and, with ``products``, of the tables."""
        return self.parameters.lanes + self.elementwise.multipliers

    @property
    def memory_bits(self) -> int:
        memories = (self.maps, self.weights, self.constants, self.program_memory, self.elementwise)
        return sum(memory.memory_bits for memory in memories)

    def elaborate(self, platform) -> Module:
        m = Module()
        for name in ("maps", "weights", "constants", "program_memory", "control", "sequence", "words", "array", "drain",
                     "elementwise", "finish", "write_back", "input", "output", "upload"):  # fmt: skip
            m.submodules[name] = getattr(self, name)
        self._control(m)
        self._load(m)
        self._stream(m)
        self._compute(m)
        self._write(m)
        return m

    def _control(self, m: Module) -> None:
        control, instruction = self.control, self.control.instruction
        operation = instruction.operation
        is_input, is_output = operation == Operation.INPUT, operation == Operation.OUTPUT
        computes = ~is_input & ~is_output & ((operation != Operation.END) if self.parameters.overlaps else 1)
        m.d.comb += [
            control.loaded.eq(self.loaded),
            # a program that waits goes before a frame that waits
            control.uploading.eq(self.program.valid | self.upload.i.valid | self.upload.busy),
            control.frame.eq(self.i.valid),
            control.finished.eq(self.input.finished | self.output.finished | self.write_back.finished),
            control.data.eq(self.program_memory.data),
            self.program_memory.row.eq(control.row),
            self.input.clear.eq(control.begins | control.goes_on),
            self.sequence.rewind.eq(control.begins | control.goes_on),
            self.input.start.eq(control.start & is_input),
            self.output.start.eq(control.start & is_output),
            self.sequence.start.eq(control.start & computes),
            self.retired.valid.eq(control.retired),
            self.retired.payload.eq(control.number),
        ]
        for unit in (self.input, self.output, self.sequence):
            m.d.comb += unit.instruction.eq(instruction)
        # Results come long after the start: what they need of the instruction may cross the chip first.
        spare, layout = self.parameters.spares, instruction_layout(self.parameters)
        self.near = layout(delayed(m, instruction.as_value(), spare, "near_instruction"))
        self.far = layout(delayed(m, self.near.as_value(), spare, "far_instruction"))
        m.d.comb += [
            self.drain.start.eq(delayed(m, control.start, spare, "near_start", reset=True)),
            self.write_back.start.eq(delayed(m, control.start, 2 * spare, "far_start", reset=True)),
            self.write_back.instruction.eq(self.far),
        ]
        if self.output.elements is None:
            m.d.comb += [
                self.input.other_start.eq(self.output.start),
                self.input.other_step.eq(self.output.step),
                self.output.word_ends.eq(self.input.word_ends),
                self.output.ends.eq(self.input.ends),
                self.output.counted.eq(self.input.address),
            ]
        connect(m, flipped(self.i), self.input.i)
        connect(m, self.output.o, flipped(self.o))

    def _load(self, m: Module) -> None:
        """Programs into the memories."""
        upload, further = self.upload, self.parameters.further_spares
        taken = self.program.valid & self.control.open_upload
        on_its_way: Value = upload.i.valid if further else Const(0)  # a byte that ends what is loaded
        m.d.comb += [
            upload.i.valid.eq(delayed(m, taken, further, "program_taken", reset=True)),
            upload.i.payload.eq(delayed(m, self.program.payload.as_value(), further, "program_byte")),
            self.program.ready.eq(self.control.open_upload),
            self.loaded.eq(upload.loaded & ~on_its_way),
            self.failed.eq(upload.failed & ~on_its_way),
            self.number.eq(upload.number),
            self.bad.eq(self.output.bad),
            self.short.eq(self.input.was_short),
            self.long.eq(self.input.was_long),
            self.elementwise.write_first.eq(upload.write[Section.FIRST_TABLES]),
            self.elementwise.write_second.eq(upload.write[Section.SECOND_TABLES]),
            self.elementwise.write_address.eq(upload.address),
            *(self.elementwise.write_data[side].eq(upload.word(Section.FIRST_TABLES)) for side in range(2)),
        ]
        m.d.comb += [
            self.program_memory.write.eq(
                delayed(m, upload.write[Section.PROGRAM], further, "program_write", reset=True)
            ),
            self.program_memory.address.eq(delayed(m, upload.address, further, "program_address")),
            self.program_memory.word.eq(delayed(m, upload.word(Section.PROGRAM), further, "program_word")),
        ]

    def _stream(self, m: Module) -> None:
        """Weights into their memory: from the upload, from the port while frames are computed, from TABLE."""
        p, upload, weights = self.parameters, self.upload, self.weights
        write: Value = upload.write[Section.WEIGHTS]
        address: Value = upload.address
        data: Value = upload.word(Section.WEIGHTS)
        loads: Value = Const(0)  # a word that came through the port is written
        if p.port_bytes:  # constants pass through the first word
            passes = upload.write[Section.CONSTANTS]
            write, address = write | passes, Mux(passes, 0, address)
            loads = write
        if self.loader is not None:
            loads = self.loader.write
        if p.vectors:
            write, address, data = self._computed_weights(m, write, address, data, loads)
        source = self.loader or upload
        if not p.port_bytes:
            m.d.comb += [self.output.checked.eq(1), self.output.bad.eq(self.input.bad)]
        else:
            connect(m, source.port, flipped(self.memory))
            instruction = self.control.instruction
            drops = Signal()  # of an instruction that is there: while one is fetched its fields are anything
            with m.If(self.control.start):
                is_last = (instruction.operation == Operation.OUTPUT) & instruction.last
                m.d.sync += drops.eq(is_last & ~self.control.both)
            m.d.comb += [
                source.begin.eq((self.control.begins & instruction.streamed) | self.control.goes_on),
                source.first.eq(instruction.weights),
                source.take.eq(self.sequence.take),
                source.free.eq(self.sequence.free),
                source.drop.eq(drops),
                self.sequence.ahead.eq(source.ahead),
                self.sequence.waits.eq(source.streaming),
                self.sequence.ring.eq(source.ring),
                self.output.checked.eq(delayed(m, source.checked, p.further_spares, "checked", reset=True)),
                self.damaged.eq(source.damaged),
                self.output.bad.eq(self._bad(m, source.damaged)),
            ]
            if p.overlaps:
                m.d.comb += source.place.eq(self.control.place)
        if self.loader is not None:
            m.submodules.loader = loader = self.loader
            m.d.comb += [loader.number.eq(upload.number), self.sequence.arrives.eq(loader.write)]
            write = write | loader.write
            address = Mux(loader.write, loader.address, address)
            data = Mux(loader.write, loader.data, data)
        further = p.further_spares  # of a word that is read later, by whoever waits for it, than its writing is known
        m.d.comb += [
            weights.w_en.eq(delayed(m, write, further, "weights_write", reset=True)),
            weights.w_addr.eq(delayed(m, address, further, "weights_place")),
            weights.w_data.as_value().eq(delayed(m, data, further, "weights_word")),
        ]

    def _bad(self, m: Module, damaged: Value) -> Value:
        """What is wrong with the frame whose results leave; ``damaged``: weights that came from outside since the
        frame, or the last part of it, began."""
        if not self.parameters.overlaps:
            return self.input.bad | damaged
        before, late = Signal(), Signal()  # the frame's first part was bad; its last one is under way
        with m.If(self.control.goes_on):
            m.d.sync += [before.eq(damaged | self.input.bad), late.eq(1)]
        with m.If(self.control.begins):
            m.d.sync += [before.eq(0), late.eq(0)]
        return damaged | Mux(late, before, self.input.bad)

    def _computed_weights(
        self, m: Module, write: Value, address: Value, data: Value, loading: Value
    ) -> tuple[Value, Value, Value]:
        """Words that TABLE writes, and those that the upload writes. A word waits a cycle for one from the port, which
        come two cycles apart as TABLE's do."""
        p, write_back = self.parameters, self.write_back
        waits = Signal()
        held = Signal(p.channels * p.weight_bits, reset_less=True)
        place = Signal(len(self.weights.w_addr), reset_less=True)
        with m.If(~loading):
            m.d.sync += waits.eq(0)
        with m.If(write_back.write & self.far.to_weights):
            m.d.sync += [waits.eq(1), place.eq(write_back.address)]
            m.d.sync += held.eq(
                Cat(Cat(element, (element[-1],) * (p.weight_bits - len(element))) for element in write_back.word)
            )
        own = waits & ~loading
        return write | waits, Mux(own, place, address), Mux(own, held, data)

    def _compute(self, m: Module) -> None:
        instruction, sequence, drain, finish = self.near, self.sequence, self.drain, self.finish
        words, latency = self.words, self.family.memory_latency
        weights = delayed(m, self.weights.r_data.as_value(), self.parameters.further_spares, "weights_read")
        table, depthwise = Signal(), Signal()
        one_row: Value = instruction.one_row if self.parameters.depthwise_rows > 1 else Const(0)
        m.d.comb += [
            table.eq(instruction.operation == Operation.TABLE),
            depthwise.eq(instruction.operation == Operation.DEPTHWISE),
            self.maps.read_addresses.eq(sequence.map_addresses),
            self.maps.reads.eq(self.output.reads | sequence.slot.load),
        ]
        with m.If(instruction.operation == Operation.OUTPUT):
            m.d.comb += self.maps.read_addresses[0].eq(self.output.address)
        soon, slot = Signal(slot_layout(self.parameters)), Signal(slot_layout(self.parameters))
        for name in slot.shape().members:
            reset = name in ("load", "step", "last")
            before = delayed(m, sequence.slot[name], self.maps.latency - 1, f"slot_{name}", reset=reset)
            m.d.comb += [soon[name].eq(before), slot[name].eq(delayed(m, before, 1, f"slot_{name}_now", reset=reset))]
        if self.parameters.further_spares:
            m.d.comb += self.output.word.eq(self.maps.words[0].as_value())
        else:
            m.d.comb += [
                words.load.eq(self.output.load),
                words.step.eq(self.output.step),
                self.output.element.eq(words.elements[0][0]),
            ]
        m.d.comb += [
            words.slot.eq(slot),
            words.soon.eq(soon),
            words.words.eq(self.maps.words),
            words.depthwise.eq(depthwise),
            words.one_row.eq(one_row),
            words.table.eq(table),
            self.array.slot.eq(slot),
            self.array.slot.step.eq(slot.step & ~table),
            *(self.array.elements[q].eq(words.elements[q]) for q in range(self.parameters.pixels)),
            self.array.outside.eq(words.outside),
            self.array.own.eq(words.own),
            self.array.weights.as_value().eq(weights),
            self.array.fill.eq(instruction.fill),
            self.array.depthwise.eq(depthwise),
            self.array.one_row.eq(one_row),
            self.array.greatest.eq(instruction.greatest),
            *(self.elementwise.elements[side].eq(words.elements[side]) for side in range(2)),
            self.elementwise.binary.eq(instruction.binary),
            *([self.elementwise.product.eq(instruction.product)] if self.parameters.products else []),
            self.elementwise.greatest.eq(instruction.greatest),
            self.elementwise.table.eq(instruction.table),
        ]
        self._constants(m, slot.constant if self.parameters.port_bytes else None, weights)
        ahead = self.array.latency - latency
        m.d.comb += [
            drain.constants.eq(instruction.constants),
            drain.still.eq(instruction.still_constants),
            drain.in_turn.eq(instruction.streamed & ~(table if self.parameters.loads_tables else 0)),
            drain.depthwise.eq(depthwise),
            drain.soon.eq(delayed(m, slot.last & ~table, ahead, "soon", reset=True)),
            drain.group_ends.eq(delayed(m, slot.group_ends, ahead, "group_ends")),
            drain.ends.eq(self.array.ends),
            drain.ending.eq(self.array.ending),
            drain.sums.eq(self.array.sums),
            self.constants.read_address.eq(drain.address),
        ]
        spare = self.parameters.further_spares  # of the drain: sums of tables and constants come as much later
        looked_up = delayed(m, slot.step & table, self.elementwise.latency + spare, "looked_up", reset=True)
        looked = [delayed(m, found, spare, f"looked_{r}") for r, found in enumerate(self.elementwise.sums)]
        of_table = delayed(m, table, spare, "of_table")
        m.d.comb += [
            finish.valid.eq(drain.valid | looked_up),
            *(
                accumulator.eq(Mux(of_table, found, drained))
                for accumulator, found, drained in zip(finish.accumulators, looked, drain.accumulators, strict=True)
            ),
            finish.constants.as_value().eq(delayed(m, self.constants.data.as_value(), spare, "constants_data")),
            *(
                getattr(finish, name).eq(self.far[name])
                for name in ("zero_point", "minimum", "maximum", "positive", "negative")
            ),
            self.write_back.valid.eq(finish.o_valid),
            self.write_back.elements.eq(finish.o),
        ]

    def _constants(self, m: Module, arrives: Value | None, weights: Value) -> None:
        """Constants into their memory; ``arrives``: some come from the port, as weights do. ``weights``: what was read
        of them."""
        upload, constants, control = self.upload, self.constants, self.control
        # the weights come with the words of the map, or a cycle later
        later = self.array.weights_delay
        further = self.parameters.further_spares
        memory = self.family.memory_latency + further
        ahead = self.maps.latency - memory + later
        address: Value = delayed(m, self.sequence.weight_address, ahead, "weight_address")
        write = upload.write[Section.CONSTANTS]
        if arrives is None:
            m.d.comb += [
                constants.write.eq(write),
                constants.word.eq(upload.word(Section.CONSTANTS)),
                constants.address.eq(upload.address),
            ]
        else:
            passes = delayed(m, write, 1 + further, "passes", reset=True)
            address = Mux(passes, 0, address)
            passed = delayed(m, passes, memory, "passed", reset=True)
            arrived = delayed(m, arrives, later, "constant", reset=True)
            if self.parameters.loads_tables:
                of_table = control.instruction.operation == Operation.TABLE
                self._tables(m, arrived & of_table, weights)
                arrived = arrived & ~of_table
            m.d.comb += [
                constants.write.eq(arrived | passed),
                constants.word.eq(weights),
                # behind the last word of an upload
                constants.stay.eq(delayed(m, control.open_upload & ~upload.busy, 2 * further, "stay", reset=True)),
                constants.start.eq(control.start),
            ]
        m.d.comb += self.weights.r_addr.eq(address)

    def _tables(self, m: Module, arrives: Value, word: Value) -> None:
        """A pair of tables from the port, an entry of each in a word of weights, as ``arrives`` says."""
        elementwise, bits = self.elementwise, self.parameters.table_bits
        entry = Signal(range(TABLE_ENTRIES))
        with m.If(self.control.start):
            m.d.sync += entry.eq(0)
        with m.If(arrives):
            m.d.sync += entry.eq(entry + 1)
            m.d.comb += [
                elementwise.write_first.eq(1),
                elementwise.write_second.eq(1),
                elementwise.write_address.eq(Cat(entry, self.control.instruction.table)),
                *(elementwise.write_data[side].eq(word[side * bits :][:bits]) for side in range(2)),
            ]

    def _write(self, m: Module) -> None:
        """Words into the map memory, from the computation or from a frame."""
        write_back, frame, maps, further = self.write_back, self.input, self.maps, self.parameters.further_spares
        m.d.comb += [
            maps.whole.eq(write_back.write & ~(self.far.to_weights if self.parameters.vectors else 0)),
            maps.result.eq(write_back.word),
            maps.result_address.eq(write_back.address),
            *(
                getattr(maps, name).eq(delayed(m, getattr(frame, name), further, f"frame_{name}", reset=name == "put"))
                for name in ("put", "beat", "position", "folded", "fresh", "fill", "complete")
            ),
            maps.beat_address.eq(delayed(m, frame.address, further, "frame_address")),
        ]
        connect(m, maps.written, flipped(self.written))
