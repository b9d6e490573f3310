"""The loops of an instruction: groups of channels, blocks of pixels, taps, words, elements; one slot a cycle."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..primitives import address_width
from .instruction import Operation, instruction_layout, ringed
from .latencies import Latencies
from .parameters import EngineParameters
from .walk import Recall, Walk, position_bits, window_layout


def at_least(value: Value, least: int) -> Value:
    """The greater of a value and a constant."""
    return Mux(value < least, least, value) if least > 0 else value


def slot_layout(parameters: EngineParameters) -> StructLayout:
    """What a slot does.

    ``load``: a word of the map is read, for pixel lane ``lane`` (second operand of a TABLE: 1). ``outside``: that word
    lies beyond the map; a bit for each row of pixels that DEPTHWISE computes at once. ``step``: elements are
    multiplied, or looked up (in every ``result_cycles``-th slot of a TABLE). ``first``, ``last``: the block's first and
    last element; ``group_ends``: with ``last``, of the group's last block. ``constant``: what the weight memory gives
    are constants, or entries of a TABLE's tables; engines with a port have it.
    """
    return StructLayout(
        {
            **({"constant": unsigned(1)} if parameters.port_bytes else {}),
            "load": unsigned(1),
            "lane": unsigned(address_width(parameters.pixels + 1)),
            "outside": unsigned(parameters.depthwise_rows),
            "step": unsigned(1),
            "first": unsigned(1),
            "last": unsigned(1),
            "group_ends": unsigned(1),
        }
    )


class Sequence(Component):
    """Executes the loops of DENSE, DEPTHWISE and TABLE.

    ::

        for each group of output channels
          for each block of pixels               begins the cycles of its results after the one before at the earliest
            for each row of the kernel, each column, each word of input channels
              for each slot: the word of a pixel is read, an element of every pixel is multiplied

    A word takes as many slots as it has elements (DENSE; DEPTHWISE 1; TABLE the cycles in which a word's results are
    requantised), or as there are pixels to read a word for, if that is more. Where the map memory has one port, a word
    of DENSE or TABLE and a block of DEPTHWISE take one slot at least in which nothing is read, for the results. A block
    takes the sum of its words' slots, or the cycles of its results, if that is more: S = rows · columns · Σ slots,
    D = word cycles · pixels (DENSE), word cycles · ``depthwise_lanes`` (DEPTHWISE).
    An instruction of B = groups · blocks takes (B − 1) · max(S, D) + S cycles from the one after ``start``.

    DEPTHWISE reads a word a slot for each row of pixels of the block, for all pixels of the row: ``columns`` are those
    that all of them need, and only in the first ``taps`` of them, which are the first pixel's, is a weight given out.

    Weights that are streamed are waited for where they are used for the first time, in the first block of a group: a
    word of the map is read when the weights of all its elements are there. A word is freed when the group's last block
    has read it. Before the weights of a group come its constants, ``constant_stream_words`` of them: before its first
    block they are read, a word a slot, for whoever takes them (``constant``). So is a pair of tables that is streamed,
    ``table_stream_words``, before TABLE looks them up.

    The addresses appear 2 cycles after a slot, 3 with ``spare_registers``, and ``slot`` together with them.

    Members:
        instruction: ``In``, stands while it is executed.
        start: ``In(1)``; rewind: ``In(1)``, with ``overlaps``: what is streamed begins at ``weights`` again.
        map_addresses: ``Out``, one for each row of pixels that DEPTHWISE computes at once, the first of all others;
            weight_address: ``Out``.
        slot: ``Out`` of :func:`slot_layout`; load and step are 0 where nothing is done.
        ahead, ring: ``In``, take, free: ``Out(1)``, as of :class:`~mbconv.hdl.engine.weight_loader.WeightLoader`;
            waits: ``In(1)``, words that are not there yet will come; arrives: ``In(1)``, with ``spare_registers``,
            ``ahead`` counts one more in the next cycle.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = parameters
        self.walk, self.recall = Walk(parameters), Recall(parameters)
        super().__init__(
            {
                "instruction": In(instruction_layout(parameters)),
                "start": In(1),
                "rewind": In(1),
                "map_addresses": Out(ArrayLayout(address_width(parameters.map_words), parameters.depthwise_rows)),
                "weight_address": Out(address_width(parameters.weight_words)),
                "slot": Out(slot_layout(parameters)),
                "ahead": In(address_width(parameters.weight_words) + 1),
                "ring": In(address_width(parameters.weight_words)),
                "waits": In(1),
                "arrives": In(1),
                "take": Out(1),
                "free": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p, instruction = self.parameters, self.instruction
        spare, latency = p.spares, Latencies(p).address
        m.submodules.walk, m.submodules.recall = walk, recall = self.walk, self.recall
        dense, depthwise, table = Signal(), Signal(), Signal()
        streamed: Value = instruction.streamed if p.port_bytes else Const(0)
        several = p.depthwise_lanes > 1
        m.d.comb += [
            dense.eq(instruction.operation == Operation.DENSE),
            depthwise.eq(instruction.operation == Operation.DEPTHWISE),
            table.eq(instruction.operation == Operation.TABLE),
        ]

        # Counters, all but the kernel's of what is left after the present one.
        active, begins = Signal(), Signal()
        word = Signal(p.group_bits)
        block, group = Signal(len(instruction.blocks)), Signal(p.group_bits)
        group_words = Signal(p.group_bits)  # by which this group's first word lies further on
        most = max(2 * p.channels, p.word_slots + 1, p.word_cycles + 1, p.constant_stream_words, 4)
        slot = Signal(range(max(most, p.table_stream_words)))
        first_tap = Signal()  # of the block
        pace = Signal(range(max(2, p.word_cycles * p.pixels)))
        go, at_last, free = Signal(), Signal(), Signal()
        fresh = Signal()  # the group's first block, of weights that are streamed
        new_word = Signal()  # this slot uses a word of weights that no block used before
        prologue = Signal()  # the group's constants are read
        lacks = Signal()  # not all weights of a word of the map are there
        last_word, last_column, last_row, last_block, last_group = (Signal(name=f"last_{n}") for n in (
            "word", "column", "row", "block", "group"))  # fmt: skip
        elements, longest = Signal(len(slot)), Signal(len(slot))  # slots, less one: with elements, of the word
        kernel_row, kernel_column = Signal(p.kernel_bits), Signal(p.kernel_bits)
        taps = instruction.taps if several else instruction.columns
        first_column, in_kernel, last_tap, first_slot = (Signal(name=n) for n in (
            "first_column", "in_kernel", "last_tap", "first_slot"))  # fmt: skip
        paced = Signal(init=spare)
        if not spare:
            m.d.comb += [
                last_word.eq(word == 0),
                last_column.eq(kernel_column == instruction.columns),
                last_row.eq(kernel_row == instruction.rows),
                last_block.eq(block == 0),
                last_group.eq(group == 0),
                first_column.eq(kernel_column == 0),
                in_kernel.eq(kernel_column <= taps if several else 1),
                last_tap.eq(kernel_column == taps),
                first_slot.eq(slot == 0),
                paced.eq(pace == 0),
            ]

        def flags(*assignments) -> list:
            """Registers in place of comparisons: they change with their counter, and nothing waits for a comparison."""
            return list(assignments) if spare else []

        def at_column(column: Value) -> list:
            return flags(
                first_column.eq(0),
                last_column.eq(column == instruction.columns),
                in_kernel.eq(column <= taps),
                last_tap.eq(column == taps),
            )

        next_column, next_row = Signal(p.kernel_bits), Signal(p.kernel_bits)
        m.d.comb += [next_column.eq(kernel_column + 1), next_row.eq(kernel_row + 1)]
        first_row_known = flags(last_row.eq(instruction.rows == 0))
        first_column_known = [*at_column(Const(0, p.kernel_bits)), *flags(first_column.eq(1))]
        first_word_known = flags(last_word.eq(instruction.words == 0))
        # With spare registers these two come a cycle after the word: in its first slot DENSE has no last one.
        in_word = m.d.sync if spare else m.d.comb
        in_word += [
            elements.eq(Mux(dense, Mux(last_word, instruction.tail, p.channels - 1), Mux(table, p.word_cycles - 1, 0))),
            longest.eq(
                Mux(
                    dense,
                    Mux(last_word, at_least(instruction.tail, p.word_slots - 1), max(p.channels, p.word_slots) - 1),
                    Mux(table, at_least(instruction.binary + p.free_slots, p.word_cycles - 1), free),
                )
            ),
        ]
        m.d.comb += [
            go.eq(active & (~begins | paced | prologue) & ~lacks),
            free.eq(last_word & last_column & last_row if p.free_slots else 0),
            at_last.eq((slot == longest) & ~prologue),
            new_word.eq(fresh & (prologue | ((slot <= elements) & in_kernel))),
        ]
        # A word of the map, once read, moves on through all of its elements, and columns that are read for a row of
        # pixels through all of its lanes.
        low = max(address_width(p.channels), p.kernel_bits if several else 0)  # bits of what a word needs, less one
        few, many = self.ahead[:low], self.ahead[low:].any()
        if several:  # compared beside what decides among them: this is the longest path
            none, less_than_word, less_than_row, less_than_tail = (
                Signal(name=f"lacks_{name}") for name in ("all", "word", "row", "tail")
            )
            for lacking, least in (
                (none, Const(0)),
                (less_than_word, Const(p.channels - 1)),
                (less_than_row, taps),
                (less_than_tail, instruction.tail),
            ):
                if not spare:
                    m.d.comb += lacking.eq(~many & (few <= least) if lacking is not none else self.ahead == 0)
                    continue
                # of the next cycle, in which one more may be there, and one less
                fewer, as_many, more = self.ahead < least, self.ahead <= least, self.ahead <= least + 1
                m.d.sync += lacking.eq(
                    Mux(self.take, Mux(self.arrives, as_many, more), Mux(self.arrives, fewer, as_many)) | self.rewind
                )
            of_word = Mux(dense, Mux(last_word, less_than_tail, less_than_word), none)
            of_block = first_slot & Mux(depthwise, first_column & less_than_row, of_word)
            m.d.comb += lacks.eq(fresh & self.waits & Mux(prologue, none, of_block))
        else:
            enough = few > Mux(prologue, 0, elements)
            m.d.comb += lacks.eq(fresh & self.waits & (prologue | (slot == 0)) & ~many & ~enough)
        ends = Signal()  # the block's last slot
        m.d.comb += ends.eq(go & at_last & last_word & last_column & last_row)

        offset = Signal(len(instruction.source))  # from the window's first tap

        def reload(*, whole: bool) -> list:
            """The first tap of a block; of the first block of a group where ``whole``."""
            found = [
                word.eq(instruction.words),
                offset.eq(0), kernel_row.eq(0), kernel_column.eq(0), first_tap.eq(1),
                begins.eq(1),
                *first_word_known, *first_column_known, *first_row_known,
            ]  # fmt: skip
            if whole:
                found += [block.eq(instruction.blocks), *flags(last_block.eq(instruction.blocks == 0))]
            return found

        # What waits in a block does not shorten the time in which the results of the one before leave: between their
        # last slots lie as many cycles as between their first ones.
        with m.If(~paced & (begins | ~lacks)):
            m.d.sync += [pace.eq(pace - 1), *flags(paced.eq(pace == 1))]
        with m.If(go & ~prologue):
            m.d.sync += begins.eq(0)
            with m.If(begins):
                depthwise_pace = p.word_cycles * p.depthwise_lanes - 1
                m.d.sync += pace.eq(Mux(dense, p.word_cycles * p.pixels - 1, Mux(table, 0, depthwise_pace)))
                m.d.sync += flags(paced.eq(table))
            m.d.sync += [slot.eq(Mux(at_last, 0, slot + 1)), *flags(first_slot.eq(at_last))]
            with m.If(at_last):
                m.d.sync += first_tap.eq(0)
                between_taps = Mux(last_column, instruction.tap_row_step, instruction.tap_step)
                m.d.sync += offset.eq(offset + Mux(last_word, between_taps, 1))
                with m.If(~last_word):
                    m.d.sync += [word.eq(word - 1), *flags(last_word.eq(word == 1))]
                with m.Elif(~last_column):
                    m.d.sync += [word.eq(instruction.words), kernel_column.eq(next_column)]
                    m.d.sync += [*first_word_known, *at_column(next_column)]
                with m.Elif(~last_row):
                    m.d.sync += [
                        word.eq(instruction.words),
                        kernel_row.eq(next_row),
                        kernel_column.eq(0),
                        *first_word_known,
                        *first_column_known,
                        *flags(last_row.eq(next_row == instruction.rows)),
                    ]
                with m.Elif(~last_block):
                    m.d.sync += [*reload(whole=False), block.eq(block - 1), fresh.eq(0)]
                    m.d.sync += flags(last_block.eq(block == 1))
                with m.Else():
                    m.d.sync += [*reload(whole=True), group.eq(group - 1), group_words.eq(group_words + 1)]
                    m.d.sync += flags(last_group.eq(group == 1))
                    m.d.sync += [fresh.eq(streamed), prologue.eq(streamed)]
                    with m.If(last_group):
                        m.d.sync += active.eq(0)
        with m.If(self.start):
            m.d.sync += [*reload(whole=True), group.eq(instruction.groups), group_words.eq(0)]
            m.d.sync += [active.eq(1), slot.eq(0), pace.eq(0), fresh.eq(streamed), prologue.eq(streamed)]
            m.d.sync += flags(last_group.eq(instruction.groups == 0), first_slot.eq(1), paced.eq(1))

        loads, load, step = Signal(), Signal(), Signal()
        pause = Signal(range(p.result_cycles))  # slots of a TABLE since an element was looked up
        between = pause != 0
        with m.If(self.start | prologue | at_last | (pause == p.result_cycles - 1)):
            m.d.sync += pause.eq(0)
        with m.Else():
            m.d.sync += pause.eq(pause + 1)
        m.d.comb += [
            loads.eq(first_slot | Mux(dense, slot < p.pixels, table & instruction.binary & (slot == 1))),
            load.eq(go & loads & ~prologue),
            step.eq(go & (slot <= elements) & in_kernel & ~(table & between) & ~prologue),
            walk.instruction.eq(instruction),
            walk.restart.eq(delayed(m, self.start | (ends & last_block), spare, "restart", reset=True)),
            walk.group.eq(delayed(m, Mux(self.start | ~depthwise, 0, group_words + 1), spare, "further_words")),
            # the second operand of a TABLE is read at the same pixel
            walk.step.eq(
                delayed(m, load & first_tap & ~(table & instruction.binary & first_slot), spare, "walks", reset=True)
            ),
            recall.walked.eq(walk.window),
            recall.first.eq(delayed(m, first_tap, spare, "recalls")),
            recall.single.eq(~dense),
            recall.shift.eq(delayed(m, load, spare, "shifts", reset=True)),
        ]

        # Weights: a group's words again for each block, then the next group's.
        weights, group_weights = Signal(len(self.weight_address)), Signal(len(self.weight_address))
        next_weights, further = Signal(len(weights)), Signal(len(weights))
        still = instruction.still_weights | (table if p.loads_tables else 0)
        at_end = streamed & (weights == p.weight_words - 1)
        m.d.comb += [
            further.eq(Mux(at_end, self.ring, weights + 1)),
            next_weights.eq(Mux((step & ~still) | (go & prologue), further, weights)),
        ]
        first_weights: Value = instruction.weights
        if p.overlaps:  # in which order what is streamed comes depends on what else is computed
            following = Signal(len(weights))
            first_weights = Mux(instruction.streamed, following, instruction.weights)
            with m.If(ends & last_block & instruction.streamed):
                m.d.sync += following.eq(next_weights)
            with m.If(self.rewind):
                m.d.sync += following.eq(instruction.weights)
        with m.If(self.start):
            m.d.sync += [weights.eq(first_weights), group_weights.eq(first_weights)]
        with m.Elif(ends):
            m.d.sync += weights.eq(Mux(last_block, next_weights, group_weights))
            with m.If(last_block):
                m.d.sync += group_weights.eq(next_weights)
        with m.Elif(go):
            m.d.sync += weights.eq(next_weights)
            with m.If(prologue):
                m.d.sync += group_weights.eq(next_weights)
        if p.port_bytes:
            last = Signal(len(slot), name="last_of_prologue")
            m.d.comb += last.eq(p.constant_stream_words - 1)
            if p.loads_tables:
                with m.If(table):
                    m.d.comb += last.eq(p.table_stream_words - 1)
            with m.If(go & prologue):
                m.d.sync += [slot.eq(slot + 1), *flags(first_slot.eq(0))]
                with m.If(slot == last):
                    m.d.sync += [slot.eq(0), prologue.eq(0), fresh.eq(~table), *flags(first_slot.eq(1))]
            used = step & last_block & streamed & ~table
            done = delayed(m, (go & prologue) | used, latency, "done", reset=True)  # not before it is read
            m.d.comb += [self.take.eq(go & new_word), self.free.eq(done)]

        # One cycle to choose the window, one to add the tap's distance.
        chosen = Signal(window_layout(p), reset_less=True)
        distance = Signal(len(offset), reset_less=True)
        bits = position_bits(p)
        tap_position = [Signal(p.kernel_bits, name=f"tap_{n}_delayed", reset_less=True) for n in ("row", "column")]
        second = Mux(table & ~first_slot, instruction.second, 0)
        m.d.sync += [
            chosen.eq(recall.window),
            distance.eq(delayed(m, offset, spare, "offset") + delayed(m, second, spare, "second")),
            tap_position[0].eq(delayed(m, kernel_row, spare, "kernel_row")),
            tap_position[1].eq(delayed(m, kernel_column, spare, "kernel_column")),
        ]
        at = [Signal(signed(bits + 2), name=f"at_row_{n}", reset_less=True) for n in range(p.depthwise_rows)]
        column_at = Signal(signed(bits + 1), reset_less=True)
        m.d.sync += column_at.eq(chosen.column + tap_position[1])
        beyond = column_at[-1] | (column_at > instruction.width)
        # of rows of pixels beside the first
        address_sum: Value = Const(0)
        row_sum: Value = Const(0)
        further_address, further_row = address_sum, row_sum
        for n, row_at in enumerate(at):
            address = Signal(len(offset), name=f"address_{n}", reset_less=True)
            m.d.sync += [
                address.eq(chosen.address + distance + further_address),
                row_at.eq(chosen.row + tap_position[0] + further_row),
            ]
            m.d.comb += self.map_addresses[n].eq(
                ringed(address, instruction.source, instruction.source_ring) if p.ranges else address
            )
            m.d.comb += self.slot.outside[n].eq(beyond | row_at[-1] | (row_at > instruction.height))
            if n + 1 < p.depthwise_rows:
                address_sum = address_sum + Mux(depthwise, instruction.lane_row_step, 0)
                row_sum = row_sum + Mux(depthwise, instruction.lane_row_stride, 0)
                further_address = Signal(len(offset), name=f"further_address_{n}")
                further_row = Signal(bits + 1, name=f"further_row_{n}")
                m.d.sync += [further_address.eq(address_sum), further_row.eq(row_sum)]
        m.d.comb += self.weight_address.eq(delayed(m, weights, latency, "weights"))
        last_element = Signal()
        no_other = Mux(dense, instruction.tail == 0, Mux(table, p.word_cycles == 1, 1))
        of_elements = Mux(first_slot, no_other, slot == elements) if spare else slot == elements
        m.d.comb += last_element.eq(of_elements & last_word & last_tap & last_row)
        constant = [("constant", go & prologue, True)] if p.port_bytes else []
        for name, value, reset in (
            *constant,
            ("load", load, True),
            ("lane", slot[: len(self.slot.lane)], False),
            ("step", step, True),
            ("first", first_tap & first_slot, False),
            ("last", step & last_element, True),
            ("group_ends", last_block, False),
        ):
            m.d.comb += self.slot[name].eq(delayed(m, value, latency, name, reset=reset))
        return m
