"""The window: a line buffer that gives the taps of a sliding kernel, with no cycle lost at the end of a row or
frame."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .counting import advance, delayed
from .layouts import ArrayLayout
from .window_memory import WindowMemory
from .window_parameters import WindowParameters
from .window_position import RingPosition
from .window_sequence import PixelSequence


class Window(Component):
    """The taps of a kernel that slides over back-to-back frames.

    ::

                 ┌───────────────┐ banks ┌──────────┐
        i ──────►│ ring of       ├──────►│ rotation,├──► o [P][K]
        (P lanes)│ N pixels      │       │ padding  │
                 └──▲─────────▲──┘       └──────────┘
              room  │         │ positions
                 ┌──┴─────────┴──┐
        permit ─►│ sequence of   ├──► issued, first, last, last_group
                 │ output pixels │
                 └───────────────┘

    Its output is a flow, not a stream: in a cycle with ``permit`` and ``available`` a step is ``issued``, and its data
    are at ``o`` (with ``o_valid``) ``latency`` cycles later, come what may. Steps are issued in the order: output rows,
    output columns, groups of P channels, passes of a group (one, unless it is repeated), steps of a pass. Step s of a
    pass holds the taps s·K … s·K+K−1 in row-major order of the kernel.

    Cycles per frame: output height × output width × passes × ⌈taps of the kernel/K⌉, ⌈C/P⌉ passes unless groups are
    repeated. There is no other cycle as long as
    pixels arrive in time and ``permit`` is high: output pixel n starts exactly at

        max(acceptance of the last pixel that it requires + available_delay, start of output pixel n − 1 + its cycles).

    A pixel is accepted once fewer than N pixels are in the ring, where a pixel leaves ``release_delay`` cycles after
    the last step of the last output pixel that needs it. :class:`WindowGeometry` counts both.

    Cost: ``memory_bits``, N pixels in K memories (K = k²: N whole rows in at least K memories); a multiplexer of P·K
    elements; no multiplication, division or modulo: positions are added to.

    Args:
        parameters: a :class:`~mbconv.hdl.window_parameters.WindowParameters`.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, P)))``
        permit: ``In(1)``, may depend on all outputs of the same cycle but ``issued``
        available: ``Out(1)``, the pixels that the next step needs have arrived
        issued: ``Out(1)``
        first, last, last_group: ``Out(1)``, of the step that is next: first or last of its pass, pass the pixel's last
        repeat: ``Out``, of the step that is next: which pass of its group it is of
        o_valid: ``Out(1)``; o: ``Out(ArrayLayout(ArrayLayout(shape, K), P))``
    """

    multipliers = 0

    def __init__(self, parameters: WindowParameters):
        self.parameters = p = parameters
        self.memory = WindowMemory(p)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(p.shape, p.lanes))),
                "permit": In(1),
                "available": Out(1),
                "issued": Out(1),
                "first": Out(1),
                "last": Out(1),
                "last_group": Out(1),
                "repeat": Out(range(p.repeats)),
                "o_valid": Out(1),
                "o": Out(self.memory.o.shape()),
            }
        )

    @property
    def cycles_per_pixel(self) -> int:
        """Of an output pixel."""
        return self.parameters.cycles_per_pixel

    @property
    def cycles_per_frame(self) -> int:
        return self.parameters.cycles_per_frame

    @property
    def latency(self) -> int:
        """Cycles from a step's issue to its data."""
        return self.parameters.latency

    @property
    def memory_bits(self) -> int:
        return self.memory.memory_bits

    @property
    def own_cost(self) -> Cost:
        """The sequence of output pixels and the positions in the ring."""
        return Cost(150)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        m.submodules.sequence = sequence = PixelSequence(self.parameters.geometry)
        step, group = Signal(range(self.parameters.steps)), Signal(range(self.parameters.groups))
        repeat, repeats = Signal(range(self.parameters.repeats)), self.parameters.repeats
        last_group = group == self.parameters.groups - 1
        last_repeat = repeat == Mux(last_group, self.parameters.last_repeats - 1, repeats - 1)
        m.d.comb += [
            self.issued.eq(self.permit & self.available),
            self.first.eq(step == 0),
            self.last.eq(step == self.parameters.steps - 1),
            self.last_group.eq(last_group & last_repeat),
            self.repeat.eq(repeat),
            sequence.advance.eq(self.issued & self.last & self.last_group),
        ]
        # Reading follows a cycle behind the issue: what to read is decided in one cycle and computed in the next.
        m.d.sync += self.memory.group.eq(group)
        with m.If(self.issued):
            advance(m, step, self.parameters.steps)
            with m.If(self.last):
                if repeats > 1:
                    m.d.sync += repeat.eq(Mux(last_repeat, 0, repeat + 1))
                with m.If(last_repeat):
                    advance(m, group, self.parameters.groups)
        self._levels(m, sequence)
        if self.parameters.whole_rows:
            self._read_whole_kernel(m, sequence)
        else:
            self._read_ring(m, sequence, step)
        m.d.comb += [
            self.o_valid.eq(delayed(m, self.issued, self.latency, "valid", reset=True)),
            self.o.eq(self.memory.o),
        ]
        return m

    def _levels(self, m: Module, sequence: PixelSequence) -> None:
        """Whether the next step's pixels are there, and whether there is room for a pixel: each the sign of a
        counter."""
        required, released = self.parameters.geometry.required, self.parameters.geometry.released
        before = [0, *released[:-1].tolist()]
        most = max(self.parameters.capacity + b - r for b, r in zip(before, required.tolist(), strict=True))
        reach = max(int(required[0]), -int(sequence.tables["need"].min()))
        # Pixels written and not needed yet by the next output pixel; the room counts pixels, less the one that is
        # asked for.
        spare = Signal(range(-reach, most + 1), init=-int(required[0]))
        most_room = max(self.parameters.capacity + int(a) - int(r) for a, r in zip(released, required, strict=True))
        room = Signal(range(-1, max(most_room, self.parameters.capacity) + 1), init=self.parameters.capacity - 1)

        group = Signal(range(self.parameters.groups))
        pixel_accepted, pixel_written = Signal(), Signal()
        last_group = group == self.parameters.groups - 1
        accepted = self.i.valid & self.i.ready
        with m.If(accepted):
            advance(m, group, self.parameters.groups)
        m.d.comb += [
            self.i.ready.eq(~room[-1]),
            pixel_accepted.eq(accepted & last_group),
            self.memory.w_valid.eq(accepted),
            self.memory.w_last_group.eq(last_group),
            self.memory.w_data.eq(self.i.payload),
            self.available.eq(~spare[-1]),
        ]
        m.d.sync += pixel_written.eq(pixel_accepted)

        change = Mux(pixel_written, sequence.need_less_one, sequence.need)
        m.d.sync += spare.eq(spare + Mux(sequence.advance, change, pixel_written))

        # Counted a cycle after the release, so that a freed word is overwritten after its last read.
        freed = Signal(signed(len(sequence.free) + 1))
        freed_less_one = Signal(signed(len(sequence.free_less_one) + 1), init=-1)
        m.d.sync += [
            freed.eq(Mux(sequence.advance, sequence.free, 0)),
            freed_less_one.eq(Mux(sequence.advance, sequence.free_less_one, -1)),
            room.eq(room + Mux(pixel_accepted, freed_less_one, freed)),
        ]

    def _read_ring(self, m: Module, sequence: PixelSequence, step: Signal) -> None:
        """Places are pixels; a step begins at its first tap's."""
        geometry = self.parameters.geometry
        rows, columns = geometry.kernel
        top, _, left, _ = geometry.padding
        column_steps = columns // self.parameters.taps  # steps within a kernel row
        last_column = (geometry.output_width - 1) * geometry.strides[1]
        last_row = (geometry.output_height - 1) * geometry.strides[0] * geometry.width
        moves = [
            0,  # the next group of the same pixel
            geometry.strides[1],
            geometry.strides[0] * geometry.width - last_column,
            geometry.pixels - last_row - last_column,
            geometry.width - (columns - self.parameters.taps),  # the next kernel row
            1,  # the next tap in the kernel row
        ]
        m.submodules.position = position = RingPosition(
            banks=self.parameters.column_banks,
            size=self.parameters.depth,
            scale=self.parameters.groups,
            start=-top * geometry.width - left,
            moves=moves,
        )
        row, column = Signal(range(rows)), Signal(range(column_steps))
        row_ends = Signal()
        m.d.comb += row_ends.eq(column == column_steps - 1)
        with m.If(self.issued):
            advance(m, column, column_steps)
            with m.If(row_ends):
                advance(m, row, rows)
        with m.If(~self.last):
            m.d.sync += position.move.eq(Mux(row_ends, 4, 5))
        with m.Elif(self.last_group):
            m.d.sync += position.move.eq(Mux(sequence.last_column, Mux(sequence.last_row, 3, 2), 1))
        with m.Else():
            m.d.sync += position.move.eq(0)
        m.d.sync += [
            position.enable.eq(self.issued),
            position.from_base.eq(self.last),
            position.set_base.eq(self.last & self.last_group),
        ]
        m.d.comb += [
            self.memory.column_word.eq(position.address),
            self.memory.column_word_following.eq(position.following),
            self.memory.column_bank.eq(position.bank),
        ]
        inside_row = Signal()
        m.d.comb += inside_row.eq(sequence.rows_inside.bit_select(row, 1))
        inside_columns = sequence.columns_inside
        if column_steps > 1:
            inside_columns = inside_columns.bit_select(column, 1)
        m.d.sync += self.memory.inside.eq(Mux(inside_row, inside_columns, 0))

    def _read_whole_kernel(self, m: Module, sequence: PixelSequence) -> None:
        """Places are rows of the ring, and columns of a row."""
        geometry = self.parameters.geometry
        top, _, left, _ = geometry.padding
        next_pixel = self.issued & self.last_group
        last_row = (geometry.output_height - 1) * geometry.strides[0]
        m.submodules.row = row = RingPosition(
            banks=self.parameters.row_banks,
            size=self.parameters.depth,
            scale=self.parameters.row_words,
            start=-top,
            moves=[geometry.strides[0], geometry.height - last_row],
        )
        m.submodules.column = column = RingPosition(
            banks=self.parameters.column_banks,
            size=self.parameters.row_words,
            scale=self.parameters.groups,
            start=-left,
            moves=[geometry.strides[1], -(geometry.output_width - 1) * geometry.strides[1]],
        )
        m.d.sync += [
            row.enable.eq(next_pixel & sequence.last_column),
            row.move.eq(sequence.last_row),
            column.enable.eq(next_pixel),
            column.move.eq(sequence.last_column),
        ]
        m.d.comb += [
            self.memory.row_bank.eq(row.bank),
            self.memory.row_slot.eq(row.address),
            self.memory.row_slot_following.eq(row.following),
            self.memory.column_bank.eq(column.bank),
            self.memory.column_word.eq(column.address),
            self.memory.column_word_following.eq(column.following),
        ]
        columns = geometry.kernel[1]
        for tap in range(self.parameters.taps):
            inside = sequence.rows_inside[tap // columns] & sequence.columns_inside[tap % columns]
            m.d.sync += self.memory.inside[tap].eq(inside)
