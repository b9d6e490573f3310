"""The window: a line buffer that gives the taps of a sliding kernel, with no cycle lost at the end of a row or
frame."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Shape, ShapeLike, Signal, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .counting import advance
from .family import GENERIC, Family
from .window_geometry import AVAILABLE_DELAY, RELEASE_DELAY, WindowGeometry
from .window_memory import WindowMemory
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
    output columns, groups of P channels, steps of a group. Step s of a group holds the taps s·K … s·K+K−1 in row-major
    order of the kernel.

    Cycles per frame: output height × output width × ⌈C/P⌉ × ⌈taps of the kernel/K⌉. There is no other cycle as long as
    pixels arrive in time and ``permit`` is high: output pixel n starts exactly at

        max(acceptance of the last pixel that it requires + AVAILABLE_DELAY, start of output pixel n − 1 + its cycles).

    A pixel is accepted once fewer than N pixels are in the ring, where a pixel leaves ``RELEASE_DELAY`` cycles after
    the last step of the last output pixel that needs it. :class:`WindowGeometry` counts both.

    Cost: ``memory_bits``, N pixels in K memories (K = k²: N whole rows in at least K memories); a multiplexer of P·K
    elements; no multiplication, division or modulo: positions are added to.

    Args:
        geometry: map, kernel, strides and padding.
        shape: of an element.
        channels, lanes: C, and P of the stream; lanes beyond the last channel are passed on as they are.
        taps: K: 1, a kernel row, or the whole kernel.
        capacity: N pixels; by default, and at least, ``geometry.minimum_capacity(taps)``.
        pad_value: of taps in the padding.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, P)))``
        permit: ``In(1)``, may depend on all outputs of the same cycle but ``issued``
        available: ``Out(1)``, the pixels that the next step needs have arrived
        issued: ``Out(1)``
        first, last, last_group: ``Out(1)``, of the step that is next: first or last of its group, group the pixel's
            last
        o_valid, o_first, o_last: ``Out(1)``; o: ``Out(ArrayLayout(ArrayLayout(shape, K), P))``

    Raises:
        ValueError: a first window wholly in the padding; a capacity that is too small, or that such a ring cannot have;
            taps that are not offered; no channel or lane; a ``pad_value`` that the shape does not hold.
    """

    AVAILABLE_DELAY = AVAILABLE_DELAY
    RELEASE_DELAY = RELEASE_DELAY
    multipliers = 0

    def __init__(
        self,
        geometry: WindowGeometry,
        *,
        shape: ShapeLike,
        channels: int,
        lanes: int,
        taps: int = 1,
        capacity: int | None = None,
        pad_value: int = 0,
        family: Family = GENERIC,
    ):
        if channels < 1 or lanes < 1:
            raise ValueError(f"a window has at least one channel and one lane, not {channels} and {lanes}")
        if not geometry.required[0]:
            raise ValueError(
                f"the first window lies wholly in the padding {geometry.padding}: its frame could not be told"
            )
        least = geometry.minimum_capacity(taps)
        capacity = least if capacity is None else capacity
        if capacity < least:
            raise ValueError(f"a ring of {capacity} pixels deadlocks: this window needs {least}")
        if geometry.round_capacity(capacity, taps) != capacity:
            raise ValueError(
                f"a ring for {taps} taps per cycle cannot hold {capacity} pixels but "
                f"{geometry.round_capacity(capacity, taps)}"
            )
        element = Shape.cast(shape)
        low, high = (-(1 << element.width - 1), 1 << element.width - 1) if element.signed else (0, 1 << element.width)
        if not low <= pad_value < high:
            raise ValueError(f"the padding {pad_value} is not a value of {element!r}")
        self.geometry, self.shape, self.channels, self.lanes, self.taps = geometry, shape, channels, lanes, taps
        self.capacity = capacity
        self.groups = -(-channels // lanes)
        self.steps = geometry.steps(taps)
        self.memory = WindowMemory(
            geometry,
            shape=shape,
            lanes=lanes,
            groups=self.groups,
            taps=taps,
            capacity=capacity,
            pad_value=pad_value,
            family=family,
        )
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(shape, lanes))),
                "permit": In(1),
                "available": Out(1),
                "issued": Out(1),
                "first": Out(1),
                "last": Out(1),
                "last_group": Out(1),
                "o_valid": Out(1),
                "o_first": Out(1),
                "o_last": Out(1),
                "o": Out(self.memory.o.shape()),
            }
        )

    @property
    def cycles_per_pixel(self) -> int:
        """Of an output pixel."""
        return self.groups * self.steps

    @property
    def cycles_per_frame(self) -> int:
        return self.geometry.output_pixels * self.cycles_per_pixel

    @property
    def latency(self) -> int:
        """Cycles from a step's issue to its data: a register of the position's moves, and the memory."""
        return 1 + self.memory.latency

    @property
    def memory_bits(self) -> int:
        return self.memory.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = self.memory
        m.submodules.sequence = sequence = PixelSequence(self.geometry)
        step, group = Signal(range(self.steps)), Signal(range(self.groups))
        m.d.comb += [
            self.issued.eq(self.permit & self.available),
            self.first.eq(step == 0),
            self.last.eq(step == self.steps - 1),
            self.last_group.eq(group == self.groups - 1),
            sequence.advance.eq(self.issued & self.last & self.last_group),
        ]
        # Reading follows a cycle behind the issue: what to read is decided in one cycle and computed in the next.
        m.d.sync += self.memory.group.eq(group)
        with m.If(self.issued):
            advance(m, step, self.steps)
            with m.If(self.last):
                advance(m, group, self.groups)
        self._levels(m, sequence)
        if self.memory.whole_rows:
            self._read_whole_kernel(m, sequence)
        else:
            self._read_ring(m, sequence, step)
        self._pipeline(m)
        return m

    def _levels(self, m: Module, sequence: PixelSequence) -> None:
        """Whether the next step's pixels are there, and whether there is room for a pixel: each the sign of a
        counter."""
        required, released = self.geometry.required, self.geometry.released
        before = [0, *released[:-1].tolist()]
        most = max(self.capacity + b - r for b, r in zip(before, required.tolist(), strict=True))
        reach = max(int(required[0]), -int(sequence.tables["need"].min()))
        # Pixels written and not needed yet by the next output pixel; the room counts pixels, less the one that is
        # asked for.
        spare = Signal(range(-reach, most + 1), init=-int(required[0]))
        most_room = max(self.capacity + int(a) - int(r) for a, r in zip(released, required, strict=True))
        room = Signal(range(-1, max(most_room, self.capacity) + 1), init=self.capacity - 1)

        group = Signal(range(self.groups))
        pixel_accepted, pixel_written = Signal(), Signal()
        last_group = group == self.groups - 1
        accepted = self.i.valid & self.i.ready
        with m.If(accepted):
            advance(m, group, self.groups)
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
        geometry = self.geometry
        rows, columns = geometry.kernel
        top, _, left, _ = geometry.padding
        column_steps = columns // self.taps  # steps within a kernel row
        last_column = (geometry.output_width - 1) * geometry.strides[1]
        last_row = (geometry.output_height - 1) * geometry.strides[0] * geometry.width
        moves = [
            0,  # the next group of the same pixel
            geometry.strides[1],
            geometry.strides[0] * geometry.width - last_column,
            geometry.pixels - last_row - last_column,
            geometry.width - (columns - self.taps),  # the next kernel row
            1,  # the next tap in the kernel row
        ]
        m.submodules.position = position = RingPosition(
            banks=self.memory.column_banks,
            size=self.memory.depth,
            scale=self.groups,
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
        geometry = self.geometry
        top, _, left, _ = geometry.padding
        next_pixel = self.issued & self.last_group
        last_row = (geometry.output_height - 1) * geometry.strides[0]
        m.submodules.row = row = RingPosition(
            banks=self.memory.row_banks,
            size=self.memory.depth,
            scale=self.memory.row_words,
            start=-top,
            moves=[geometry.strides[0], geometry.height - last_row],
        )
        m.submodules.column = column = RingPosition(
            banks=self.memory.column_banks,
            size=self.memory.row_words,
            scale=self.groups,
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
        for tap in range(self.taps):
            inside = sequence.rows_inside[tap // columns] & sequence.columns_inside[tap % columns]
            m.d.sync += self.memory.inside[tap].eq(inside)

    def _pipeline(self, m: Module) -> None:
        """The step's marks travel beside its data."""
        marks = Cat(self.issued, self.first, self.last)
        for age in range(self.latency):
            register = Signal(3, name=f"marks_{age}")
            m.d.sync += register.eq(marks)
            marks = register
        m.d.comb += [
            self.o_valid.eq(marks[0]),
            self.o_first.eq(marks[1]),
            self.o_last.eq(marks[2]),
            self.o.eq(self.memory.o),
        ]
