"""The wrappers of multipliers and memories: the only circuits that a family of FPGAs replaces.

Each is an ``Instance`` of a small Verilog module shipped in ``hdl/primitives``. The behavioural modules there serve
simulation and unknown targets; ``mbconv.fpga`` puts a family's DSP and block RAM cells behind the same names, ports and
latencies, so that simulation and netlist agree cycle by cycle.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, Shape, ShapeCastable, ShapeLike, Value, signed, unsigned
from amaranth.lib.wiring import Component, In, Out

from .cells import MemoryCell, MultiplierCell, record_memory, record_multipliers
from .cost import Cost, MemoryCost, Products
from .family import GENERIC, Family
from .layouts import ArrayLayout

VERILOG_FOLDER = Path(__file__).parent / "primitives"


def primitive_files(kinds: Collection[str] = ()) -> list[Path]:
    """The behavioural Verilog modules, sorted by name: the three of every design, and those for further ``kinds``."""
    names = {"multiply", "ram", "rom", *kinds}
    return sorted(path for path in VERILOG_FOLDER.glob("mbconv_*.v") if path.stem.removeprefix("mbconv_") in names)


def address_width(depth: int) -> int:
    """Bits that address ``depth`` words, at least one."""
    return max(1, (depth - 1).bit_length())


_LARGEST_COMPARED = 64  # words; larger memories are block RAM in every family


def distinct_columns(words: Sequence[int], width: int) -> int:
    """Bits of some words that are neither the same in all of them, nor equal or opposite to a lower bit in all."""
    seen = {0}
    for bit in range(width):
        column = sum(((word >> bit) & 1) << row for row, word in enumerate(words))
        if column & 1:
            column ^= (1 << len(words)) - 1
        seen.add(column)
    return len(seen) - 1


class Multipliers(Component):
    """``count`` multipliers with registers at their inputs and outputs: one product each per cycle, no enable; latency
    ``latency``, the family's.

    Product ``i`` is ``a[i % a_count] * b[i]``. Cost: ``count`` multipliers.

    Args:
        dsp_count: how many of the products, the first ones, a family of FPGAs has multiplier cells for; the others are
            rows of adders there. None: all. It changes nothing that can be seen here.
        of_array: the products are those of a multiply-accumulate array; reports count them.

    Members:
        a: ``In(ArrayLayout(a_shape, a_count))``
        b: ``In(ArrayLayout(b_shape, count))``
        p: ``Out(ArrayLayout(signed(width of a + width of b), count))``, unsigned when both operands are.

    Raises:
        ValueError: no multiplier is asked for, ``a_count`` does not divide ``count``, or ``dsp_count`` exceeds it.
    """

    def __init__(
        self,
        count: int,
        a_shape: ShapeLike,
        b_shape: ShapeLike,
        *,
        a_count: int | None = None,
        dsp_count: int | None = None,
        of_array: bool = True,
        family: Family = GENERIC,
    ):
        a_count = count if a_count is None else a_count
        if count < 1 or a_count < 1 or count % a_count:
            raise ValueError(f"a multiple of a_count (a_count = {a_count}) multipliers is needed, not {count}")
        if dsp_count is not None and not 0 <= dsp_count <= count:
            raise ValueError(f"of {count} products 0 to {count} are in multiplier cells, not {dsp_count}")
        self.count, self.a_count, self.latency = count, a_count, family.multiplier_latency
        self.dsp_count, self.of_array = dsp_count, of_array
        self.a_shape, self.b_shape = Shape.cast(a_shape), Shape.cast(b_shape)
        width = self.a_shape.width + self.b_shape.width
        product = signed(width) if self.a_shape.signed or self.b_shape.signed else unsigned(width)
        super().__init__(
            {
                "a": In(ArrayLayout(self.a_shape, a_count)),
                "b": In(ArrayLayout(self.b_shape, count)),
                "p": Out(ArrayLayout(product, count)),
            }
        )

    @property
    def own_cost(self) -> Cost:
        """Products, for DSP blocks where there are some."""
        return Cost(products=(Products(self.count, self.a_shape.width, self.b_shape.width, self.dsp_count),))

    def elaborate(self, platform) -> Module:
        a, b = self.a_shape, self.b_shape
        inside = self.count if self.dsp_count is None else self.dsp_count
        cell = MultiplierCell(
            self.count, self.a_count, a.width, a.signed, b.width, b.signed, self.latency, inside, self.of_array
        )
        record_multipliers(cell)
        share = {} if self.dsp_count is None else {"p_DSP_COUNT": self.dsp_count}
        m = Module()
        m.submodules.product = Instance(
            "mbconv_multiply",
            p_COUNT=self.count,
            p_A_COUNT=self.a_count,
            p_A_WIDTH=self.a_shape.width,
            p_A_SIGNED=int(self.a_shape.signed),
            p_B_WIDTH=self.b_shape.width,
            p_B_SIGNED=int(self.b_shape.signed),
            p_LATENCY=self.latency,
            **share,
            i_clk=ClockSignal(),
            i_a=self.a.as_value(),
            i_b=self.b.as_value(),
            o_p=self.p.as_value(),
        )
        return m


class _WrittenMemory(Component):
    """``depth`` words of any shape that a circuit writes: what memories of one and of two ports share.

    Raises:
        ValueError: no word.
    """

    def __init__(self, shape: ShapeLike | ShapeCastable, depth: int, family: Family, members: dict):
        if depth < 1:
            raise ValueError(f"a memory has at least one word, not {depth}")
        self.shape, self.depth, self.latency = shape, depth, family.memory_latency
        self.width = Shape.cast(shape).width
        super().__init__(members)

    @property
    def memory_bits(self) -> int:
        return self.width * self.depth

    @property
    def own_cost(self) -> Cost:
        """A memory."""
        return Cost(memories=(MemoryCost(self.width, self.depth),))


class Ram(_WrittenMemory):
    """A memory with one write and one read port, for ``depth`` words of any shape.

    A word written in cycle t may be read by an address given in cycle t + 1 or later. What is read is undefined before
    the first write, and where the address is given in the cycle of the write. A word written and one read each cycle.
    Cost: LUTs up to the family's ``largest_distributed`` words where it has them as memory, block RAM above.

    Members:
        w_en, w_addr, w_data: the write port.
        r_addr, r_data: the read port; ``r_data`` is valid ``latency`` cycles, the family's, after ``r_addr``.
    """

    def __init__(self, shape: ShapeLike | ShapeCastable, depth: int, *, family: Family = GENERIC):
        super().__init__(
            shape,
            depth,
            family,
            {
                "w_en": In(1),
                "w_addr": In(address_width(max(depth, 1))),
                "w_data": In(shape),
                "r_addr": In(address_width(max(depth, 1))),
                "r_data": Out(shape),
            },
        )

    def elaborate(self, platform) -> Module:
        record_memory(MemoryCell("ram", self.width, self.depth, latency=self.latency))
        m = Module()
        m.submodules.memory = Instance(
            "mbconv_ram",
            p_WIDTH=self.width,
            p_DEPTH=self.depth,
            p_ADDRESS_WIDTH=address_width(self.depth),
            p_LATENCY=self.latency,
            i_clk=ClockSignal(),
            i_w_en=self.w_en,
            i_w_addr=self.w_addr,
            i_w_data=Value.cast(self.w_data),
            i_r_addr=self.r_addr,
            o_r_data=Value.cast(self.r_data),
        )
        return m


class SinglePortRam(_WrittenMemory):
    """A memory of one port, which writes a word or reads one, for ``depth`` words of any shape.

    What is read is undefined before the first write, and in the cycle of a write. A word a cycle. Cost: block RAM, or a
    family's memories of one port.

    Members:
        w_en: ``In(1)``; addr: ``In``; w_data: ``In(shape)``
        r_data: ``Out(shape)``, valid ``latency`` cycles, the family's, after ``addr`` without ``w_en``.
    """

    def __init__(self, shape: ShapeLike | ShapeCastable, depth: int, *, family: Family = GENERIC):
        members = {"w_en": In(1), "addr": In(address_width(max(depth, 1))), "w_data": In(shape), "r_data": Out(shape)}
        super().__init__(shape, depth, family, members)

    def elaborate(self, platform) -> Module:
        record_memory(MemoryCell("single_port_ram", self.width, self.depth, latency=self.latency))
        m = Module()
        m.submodules.memory = Instance(
            "mbconv_single_port_ram",
            p_WIDTH=self.width,
            p_DEPTH=self.depth,
            p_ADDRESS_WIDTH=address_width(self.depth),
            p_LATENCY=self.latency,
            i_clk=ClockSignal(),
            i_w_en=self.w_en,
            i_addr=self.addr,
            i_w_data=Value.cast(self.w_data),
            o_r_data=Value.cast(self.r_data),
        )
        return m


class Rom(Component):
    """Constant words, read in ``latency`` cycles, the family's, counted in cycles with ``en``; one each such cycle.

    Cost: LUTs up to the family's ``largest_distributed`` words, in which equal columns share theirs; block RAM above.

    Args:
        words: the contents, non-negative integers of ``width`` bits.
        name: the file of the contents is ``<name>.hex``; see :func:`.cells.collect_cells`.

    Members:
        en: memory and output register, where there is one, advance.
        addr, data: ``data`` is valid ``latency`` enabled cycles after ``addr``.
    """

    def __init__(self, words: Sequence[int], width: int, name: str, *, family: Family = GENERIC):
        if len(words) < 1:
            raise ValueError(f"the memory {name} has no word")
        if min(words) < 0 or max(words) >> width:
            raise ValueError(f"the memory {name} holds a word that {width} bits do not hold")
        self.words, self.width, self.name, self.latency = words, width, name, family.memory_latency
        super().__init__({"en": In(1), "addr": In(address_width(len(words))), "data": Out(width)})

    @property
    def memory_bits(self) -> int:
        return self.width * len(self.words)

    @property
    def own_cost(self) -> Cost:
        """A memory."""
        depth = len(self.words)
        columns = distinct_columns(self.words, self.width) if depth <= _LARGEST_COMPARED else None
        return Cost(memories=(MemoryCost(self.width, depth, constant=True, columns=columns),))

    def elaborate(self, platform) -> Module:
        record_memory(MemoryCell("rom", self.width, len(self.words), self.name, self.words, self.latency))
        m = Module()
        m.submodules.memory = Instance(
            "mbconv_rom",
            p_WIDTH=self.width,
            p_DEPTH=len(self.words),
            p_ADDRESS_WIDTH=address_width(len(self.words)),
            p_LATENCY=self.latency,
            p_FILE=f"{self.name}.hex",
            i_clk=ClockSignal(),
            i_en=self.en,
            i_addr=self.addr,
            o_data=self.data,
        )
        return m
