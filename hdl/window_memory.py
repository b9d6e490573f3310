"""The memory of a window: banks of a ring that give all taps of a cycle at once."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .layouts import ArrayLayout
from .primitives import Ram, address_width
from .window_parameters import WindowParameters


class WindowMemory(Component):
    """A ring of pixels in raster order, dealt to banks so that the taps of one cycle never share one.

    One tap a cycle: a single bank. A kernel row: pixel p of the ring in bank p mod columns, so that neighbours in a row
    are in distinct banks. The whole kernel: the ring holds whole rows; row r is in row bank r mod ``row_banks`` and
    column c of it in column bank c mod columns. A pixel's beats are at consecutive addresses of its bank.

    Writes take one cycle (a register), so a beat with ``w_valid`` in cycle t is in the memory in cycle t + 2. Of a
    read, addresses are given in one cycle (``row_slots`` … ``group``), and words come out, rotated so that the kernel's
    first row and column come first, after ``latency`` cycles; taps without their bit in ``inside`` hold ``pad_value``.

    Cost: ``memory_bits`` in ``row_banks`` × ``column_banks`` memories; a multiplexer of as many words as banks for
        each tap.

    Args:
        parameters: a :class:`~mbconv.hdl.window_parameters.WindowParameters`.

    Members:
        w_valid, w_last_group, w_data: ``In``, the beats in stream order
        row_bank, row_slot, row_slot_following, column_bank, column_word, column_word_following: ``In``, the position
            of the kernel's first tap; rows only where the ring holds whole rows
        group: ``In``, the beat of the pixel
        inside: ``In(p.taps)``
        o: ``Out(ArrayLayout(ArrayLayout(p.shape, p.taps), p.lanes))``
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(self, parameters: WindowParameters):
        self.parameters = p = parameters
        self.word = word = ArrayLayout(p.shape, p.lanes)
        self.banks = [[Ram(word, p.depth, family=p.family) for _ in range(p.column_banks)] for _ in range(p.row_banks)]
        address = address_width(p.depth)
        column = address_width(p.row_words) if p.whole_rows else address
        super().__init__(
            {
                "w_valid": In(1),
                "w_last_group": In(1),
                "w_data": In(word),
                "row_bank": In(range(p.row_banks)),
                "row_slot": In(address),
                "row_slot_following": In(address),
                "column_bank": In(range(p.column_banks)),
                "column_word": In(column),
                "column_word_following": In(column),
                "group": In(range(p.groups)),
                "inside": In(p.taps),
                "o": Out(ArrayLayout(ArrayLayout(p.shape, p.taps), p.lanes)),
            }
        )

    @property
    def latency(self) -> int:
        return self.parameters.memory_latency

    @property
    def memory_bits(self) -> int:
        return sum(ram.memory_bits for row in self.banks for ram in row)

    @property
    def own_cost(self) -> Cost:
        """A two-way selection for each level of the banks' rotation and for the padding, and addresses."""
        p = self.parameters
        levels = (p.row_banks - 1).bit_length() + (p.column_banks - 1).bit_length() + 1
        return Cost(Shape.cast(self.word).width * p.taps * levels + 3 * p.row_banks * address_width(p.depth))

    def elaborate(self, platform) -> Module:
        m = Module()
        for row, banks in enumerate(self.banks):
            for column, ram in enumerate(banks):
                m.submodules[f"bank_{row}_{column}"] = ram
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        address = Signal(address_width(self.parameters.depth))  # of the next beat
        pixel = Signal.like(address)  # of its pixel's first beat
        column_bank, row_bank = Signal(range(self.parameters.column_banks)), Signal(range(self.parameters.row_banks))
        after = Signal.like(address)
        m.d.comb += after.eq(address + 1)
        if not self.parameters.whole_rows and self.parameters.depth != 1 << len(address):
            with m.If(address == self.parameters.depth - 1):
                m.d.comb += after.eq(0)

        with m.If(self.w_valid):
            m.d.sync += address.eq(after)
            if self.parameters.column_banks > 1:
                with m.If(self.w_last_group):
                    with m.If(column_bank == self.parameters.column_banks - 1):
                        m.d.sync += [column_bank.eq(0), pixel.eq(after)]
                    with m.Else():
                        m.d.sync += [column_bank.eq(column_bank + 1), address.eq(pixel)]
            if self.parameters.whole_rows:
                self._write_row_end(m, row_bank, address, pixel, column_bank)

        written = Signal(self.word, reset_less=True)
        written_address = Signal.like(address, reset_less=True)
        m.d.sync += [written.eq(self.w_data), written_address.eq(address)]
        for row, banks in enumerate(self.banks):
            for column, ram in enumerate(banks):
                enable = Signal(name=f"write_{row}_{column}")
                m.d.sync += enable.eq(self.w_valid & (row_bank == row) & (column_bank == column))
                m.d.comb += [ram.w_en.eq(enable), ram.w_addr.eq(written_address), ram.w_data.eq(written)]

    def _write_row_end(self, m: Module, row_bank, address, pixel, column_bank) -> None:
        """After a row's last beat go on in the next row bank, and after the last of them in the next slot."""
        column = Signal(address_width(self.parameters.geometry.width))
        row, row_end = Signal.like(address), Signal()
        m.d.comb += row_end.eq(self.w_last_group & (column == self.parameters.geometry.width - 1))
        next_row = Signal.like(address)
        m.d.comb += next_row.eq(row)
        with m.If(row_bank == self.parameters.row_banks - 1):
            m.d.comb += next_row.eq(
                Mux(row == self.parameters.depth - self.parameters.row_words, 0, row + self.parameters.row_words)
            )
        with m.If(self.w_last_group):
            m.d.sync += column.eq(column + 1)
        with m.If(row_end):
            m.d.sync += [
                column.eq(0),
                column_bank.eq(0),
                row_bank.eq(Mux(row_bank == self.parameters.row_banks - 1, 0, row_bank + 1)),
                row.eq(next_row),
                address.eq(next_row),
                pixel.eq(next_row),
            ]

    def _read(self, m: Module) -> None:
        for row, banks in enumerate(self.banks):
            slot = self.row_slot
            if self.parameters.row_banks > 1:
                slot = Mux(self.row_bank > row, self.row_slot_following, slot)
            for column, ram in enumerate(banks):
                word = self.column_word
                if self.parameters.column_banks > 1:
                    word = Mux(self.column_bank > column, self.column_word_following, word)
                address = word if self.parameters.groups == 1 else word + self.group
                if self.parameters.row_slots > 1:
                    address = address + slot
                register = Signal.like(ram.r_addr, name=f"read_{row}_{column}", reset_less=True)
                m.d.sync += register.eq(address)
                m.d.comb += ram.r_addr.eq(register)
        self._rotate(m)

    def _rotate(self, m: Module) -> None:
        delay = 1 + self.parameters.family.memory_latency
        rows = [[ram.r_data for ram in banks] for banks in self.banks]
        if self.parameters.whole_rows:
            bank = _delay(m, self.row_bank, delay)
            kernel_rows = []
            for row in range(self.parameters.geometry.kernel[0]):
                words = []
                for column in range(self.parameters.column_banks):
                    word = Signal(self.word, name=f"row_{row}_{column}", reset_less=True)
                    with m.Switch(bank):
                        for first in range(self.parameters.row_banks):
                            with m.Case(first):
                                m.d.sync += word.eq(rows[(first + row) % self.parameters.row_banks][column])
                    words.append(word)
                kernel_rows.append(words)
            rows = kernel_rows
            delay += 1
        # Which bank a tap comes from, or none of them, is decided a cycle before it is used.
        chosen, inside = _delay(m, self.column_bank, delay - 1), _delay(m, self.inside, delay - 1)
        for tap in range(self.parameters.taps):
            words, offset = rows[tap // self.parameters.column_banks], tap % self.parameters.column_banks
            source = Signal(range(self.parameters.column_banks + 1), name=f"source_{tap}", reset_less=True)
            m.d.sync += source.eq(self.parameters.column_banks)
            with m.If(inside[tap]), m.Switch(chosen):
                for first in range(self.parameters.column_banks):
                    with m.Case(first):
                        m.d.sync += source.eq((first + offset) % self.parameters.column_banks)
            word = Signal(self.word, name=f"tap_{tap}", reset_less=True)
            with m.Switch(source):
                for bank in range(self.parameters.column_banks):
                    with m.Case(bank):
                        m.d.sync += word.eq(words[bank])
                with m.Default():
                    m.d.sync += [element.eq(self.parameters.pad_value) for element in word]
            m.d.comb += [self.o[lane][tap].eq(word[lane]) for lane in range(self.word.length)]


def _delay(m: Module, value, cycles: int) -> Signal:
    for age in range(cycles):
        delayed = Signal.like(value, name=f"{value.name}_{age}", reset_less=True)
        m.d.sync += delayed.eq(value)
        value = delayed
    return value
