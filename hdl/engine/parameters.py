"""What an engine is made for: its lanes, its memories, its widths."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, fields

VERSION = 4
"""Of the instructions and of the upload."""

SHIFT_BITS = 5
"""Of a channel's own right shift, beyond the least."""

TABLE_ENTRIES = 256

OPERAND_BITS = 9
"""Of an element less its zero point, in a product of two."""

_LEAST_SHIFT_BELOW_MULTIPLIER = 4  # so that real multipliers up to 16 have a place

_LIMITS = {
    "channels": (2, 256),
    "pixels": (1, 256),
    "requantizers": (1, 256),
    "map_words": (16, 1 << 24),
    "map_ports": (1, 2),
    "weight_words": (16, 1 << 24),
    "constant_words": (4, 1 << 20),
    "tables": (1, 256),
    "instructions": (4, 4096),
    "standing_words": (0, 16),
    "result_cycles": (1, 4),
    "weight_bits": (8, 9),
    "lane_bits": (16, 32),
    "accumulator_bits": (18, 32),
    "multiplier_bits": (16, 31),
    "table_bits": (8, 31),
    "side_bits": (4, 12),
    "kernel_bits": (2, 8),
    "group_bits": (2, 12),
    "port_bytes": (0, 4),
    "overlaps": (0, 1),
    "loads_tables": (0, 1),
    "input_elements": (1, 256),
    "folds": (0, 1),
    "ranges": (0, 1),
    "vectors": (0, 1),
    "products": (0, 1),
    "maxima": (0, 1),
    "depthwise_rows": (1, 8),
    "depthwise_columns": (1, 64),
    "spare_registers": (0, 2),
}


@dataclass(frozen=True)
class EngineParameters:
    """The parameters of an engine; a network that is compiled for them runs on every engine that has them.

    Args:
        channels: output channels computed at once, and elements of a word of the map memory (G).
        pixels: pixels of a convolution computed at once, at most ``channels`` (Q).
        requantizers: results requantised a cycle; divides ``channels`` (R).
        map_words: words of ``channels`` elements in the map memory.
        map_ports: of the map memory; 1: a word is read or written in a cycle.
        weight_words: words of ``channels`` weights.
        constant_words: words of ``requantizers`` channels' constants.
        tables: pairs of tables of 256 entries.
        instructions: of a program.
        standing_words: 32-bit words of an instruction, its last ones, that stand at the outputs of the program memory
            while it is executed; as many are read at once. 0: one is read after another, and all are held in registers.
        result_cycles: from a result of a requantizer to its next.
        weight_bits: 8, or 9 for weights of uint8 less their zero point.
        lane_bits: of a lane's sum, signed.
        accumulator_bits: of a sum with its bias.
        multiplier_bits: of a requantisation. With 31 TFLite's own multipliers are exact whatever a sum can reach.
        table_bits: of an entry, signed.
        side_bits: of a map's height and width.
        kernel_bits: of a kernel's height and width, strides and padding.
        group_bits: of the number of groups of channels in a map.
        port_bytes: of a beat of the port to a memory of weights outside (:mod:`.weight_port`); 0: there is none.
        overlaps: 1: a frame's last layers can be computed among the first of the next.
        loads_tables: 1: a pair of tables can come through the port, before the TABLE that looks them up.
        input_elements: of a beat of frames (E). A pixel takes beats of its own.
        ranges: 1: instructions can be of some rows of a map, and a map can be a ring that holds its latest rows.
        vectors: 1: TABLE can write weights.
        products: 1: TABLE can multiply its two operands, and give the greater one.
        maxima: 1: DEPTHWISE can give the greatest element of a window.
        folds: 1: INPUT can put all columns of a window into one word.
        depthwise_rows, depthwise_columns: of the pixels that DEPTHWISE computes at once, ``pixels`` at most. For more
            than one row the map memory has as many banks, or the next power of two.
        spare_registers: 1: registers where wires cross a large chip, for a faster clock: an instruction takes 4 cycles
            more, a word that OUTPUT reads 2; 2: also where a word of a bank is chosen, before the multipliers, where
            the sums of lanes are joined, in the shift behind the multiplier and before memories are written, 4 more
            cycles, a word that OUTPUT reads 1. Of engines with several rows in DEPTHWISE, and no port of one byte.

    Raises:
        ValueError: a parameter out of its range, all of them in one message.
    """

    channels: int = 8
    pixels: int = 2
    requantizers: int = 1
    map_words: int = 16384
    map_ports: int = 2
    weight_words: int = 32768
    constant_words: int = 4096
    tables: int = 16
    instructions: int = 256
    standing_words: int = 0
    result_cycles: int = 1
    weight_bits: int = 8
    lane_bits: int = 24
    accumulator_bits: int = 26
    multiplier_bits: int = 31
    table_bits: int = 20
    side_bits: int = 10
    kernel_bits: int = 6
    group_bits: int = 10
    port_bytes: int = 0
    overlaps: int = 0
    loads_tables: int = 0
    input_elements: int = 1
    folds: int = 0
    ranges: int = 0
    vectors: int = 0
    products: int = 0
    maxima: int = 1
    depthwise_rows: int = 1
    depthwise_columns: int = 1
    spare_registers: int = 0

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {low} to {high}, not {value}"
            for name, (low, high) in _LIMITS.items()
            if not low <= (value := getattr(self, name)) <= high
        ]
        if not problems:
            if self.port_bytes == 3:
                problems.append("port_bytes is 0, 1, 2 or 4, not 3")
            if self.overlaps and self.port_bytes < 2:
                problems.append(
                    f"overlaps = 1 is of weights that come from outside in two bytes or more, not port_bytes = "
                    f"{self.port_bytes}"
                )
            if self.loads_tables and not (self.port_bytes and 2 * self.table_bits <= self.channels * self.weight_bits):
                problems.append(
                    f"loads_tables = 1 is of two entries of table_bits = {self.table_bits} in a word of weights, of "
                    f"{self.channels * self.weight_bits} bits, that comes from outside (port_bytes)"
                )
            if self.input_elements > self.channels:
                problems.append(
                    f"input_elements = {self.input_elements} are more than channels = {self.channels}, those of a word"
                )
            if self.depthwise_lanes > self.pixels:
                problems.append(
                    f"depthwise_rows = {self.depthwise_rows} of depthwise_columns = {self.depthwise_columns} need "
                    f"{self.depthwise_lanes} pixel lanes, not pixels = {self.pixels}"
                )
            if self.map_ports == 1 and self.depthwise_lanes > 1:
                problems.append(
                    "with map_ports = 1 DEPTHWISE computes one pixel at a time: depthwise_rows = depthwise_columns = 1"
                )
            if self.spare_registers and (self.depthwise_rows == 1 or self.port_bytes == 1):
                problems.append(
                    f"spare_registers = {self.spare_registers} is of engines with depthwise_rows of 2 or more, and "
                    "port_bytes of 0, 2 or 4, "
                    f"not depthwise_rows = {self.depthwise_rows} and port_bytes = {self.port_bytes}"
                )
            if self.map_words % self.banks**2:
                problems.append(
                    f"map_words = {self.map_words} is no multiple of {self.banks**2}, as {self.banks} banks need it"
                )
            if self.channels % self.requantizers:
                problems.append(f"requantizers = {self.requantizers} does not divide channels = {self.channels}")
            elif self.constants_in_turn >= self.constant_words:
                problems.append(
                    f"constant_words = {self.constant_words} are more than {self.constants_in_turn} with a port: those "
                    "of two groups of channels come through it"
                )
            if self.pixels > self.channels:
                problems.append(
                    f"pixels = {self.pixels} are more than channels = {self.channels}: a word of the map memory brings "
                    "elements for so many cycles only, in which a word for each pixel is read"
                )
            if self.accumulator_bits + 1 + self.multiplier_bits > 60:
                problems.append(
                    f"accumulator_bits = {self.accumulator_bits} and multiplier_bits = {self.multiplier_bits} make "
                    "products of more than 60 bits"
                )
            if self.map_ports == 1 and self.pixels >= self.word_cycles:
                problems.append(
                    f"with map_ports = 1 a word of results has to leave between the words of pixels = {self.pixels} "
                    f"pixels, and comes every {self.word_cycles} cycles (channels ÷ requantizers · result_cycles): "
                    "give fewer pixels or requantizers"
                )
            if self.lane_bits > self.accumulator_bits:
                problems.append(
                    f"lane_bits = {self.lane_bits} are more than accumulator_bits = {self.accumulator_bits}, which "
                    "hold a lane's sum and the bias"
                )
            if self.products and self.table_bits < OPERAND_BITS:
                problems.append(
                    f"products = 1 needs entries of table_bits = {OPERAND_BITS} at least, which hold an element less "
                    f"its zero point, not {self.table_bits}"
                )
            if self.table_bits + 1 > self.accumulator_bits:
                problems.append(
                    f"sums of two entries of table_bits = {self.table_bits} need more than accumulator_bits = "
                    f"{self.accumulator_bits}"
                )
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def spares(self) -> int:
        """1: spare registers of the first kind."""
        return int(self.spare_registers > 0)

    @property
    def further_spares(self) -> int:
        """1: those of the second."""
        return int(self.spare_registers > 1)

    @property
    def lanes(self) -> int:
        """Multipliers."""
        return self.channels * self.pixels

    @property
    def word_slots(self) -> int:
        """Slots of DENSE that a word of each pixel takes at least; with one port in one of them none is read."""
        return self.pixels + self.free_slots

    @property
    def free_slots(self) -> int:
        """Slots behind a block of DEPTHWISE, or a word of TABLE, in which none is read."""
        return 2 - self.map_ports

    @property
    def depthwise_lanes(self) -> int:
        """Pixels that DEPTHWISE computes at once."""
        return self.depthwise_rows * self.depthwise_columns

    @property
    def banks(self) -> int:
        """Of the map memory: as many words are read at once at most."""
        return 1 << (self.depthwise_rows - 1).bit_length()

    @property
    def beats(self) -> int:
        """In which the results of a word are requantised."""
        return self.channels // self.requantizers

    @property
    def word_cycles(self) -> int:
        """In which the results of a word are requantised."""
        return self.beats * self.result_cycles

    @property
    def word_beats(self) -> int:
        """Beats of the memory's port in a word of weights."""
        return -(-self.channels * self.weight_bits // (8 * self.port_bytes))

    @property
    def shares_upload(self) -> bool:
        """What comes through the port passes the upload's word and check: both are bytes."""
        return self.port_bytes == 1

    @property
    def channel_bits(self) -> int:
        """Of a channel's constants: bias, multiplier, shift, whether it is rounded."""
        return self.accumulator_bits + 2 * self.multiplier_digits + SHIFT_BITS + 1

    @property
    def constant_slices(self) -> int:
        """Words of weights that hold a word of constants."""
        return -(-self.requantizers * self.channel_bits // (self.channels * self.weight_bits))

    @property
    def constant_stream_words(self) -> int:
        """Words that hold the constants of a group of channels, before its weights from outside."""
        return self.beats * self.constant_slices

    @property
    def table_stream_words(self) -> int:
        """Words that hold a pair of tables which comes through the port."""
        return TABLE_ENTRIES if self.loads_tables else 0

    @property
    def constants_in_turn(self) -> int:
        """Words of constants, the first ones, for those of two groups of channels that come with their weights."""
        return 2 * self.beats if self.port_bytes else 0

    @property
    def constant_bits(self) -> int:
        """Of the two rounding constants of an instruction, signed."""
        return self.multiplier_bits + 1

    @property
    def least_shift(self) -> int:
        """Of every requantisation."""
        return self.multiplier_bits - _LEAST_SHIFT_BELOW_MULTIPLIER

    @property
    def sum_bits(self) -> int:
        """Of a sum on its way to the requantizer: a lane's, or of two entries of tables."""
        return max(self.lane_bits, self.pair_bits)

    @property
    def pair_bits(self) -> int:
        """Of the sum of two entries of tables, or their product."""
        return max(self.table_bits + 1, 2 * OPERAND_BITS * self.products)

    @property
    def multiplier_digits(self) -> int:
        """Digits of two bits, −1 to 2 each, that a multiplier takes."""
        return self.multiplier_bits // 2 + 1

    @property
    def identity(self) -> int:
        """32 bits that tell engines of other parameters or versions apart."""
        return zlib.crc32(f"{VERSION} {self}".encode())

    @property
    def text(self) -> str:
        """As :meth:`parse` reads it: what differs from the defaults."""
        default = EngineParameters()
        return ",".join(f"{k}={v}" for k, v in asdict(self).items() if v != getattr(default, k)) or "channels=8"

    @classmethod
    def parse(cls, text: str) -> EngineParameters:
        """Parameters from ``name=number,name=number``.

        Raises:
            ValueError: an unknown name, something that is no number, or a value out of range.
        """
        known = [field.name for field in fields(cls)]
        values: dict[str, int] = {}
        for item in text.split(","):
            name, equals, number = (part.strip() for part in item.partition("="))
            if name not in known or not equals:
                raise ValueError(
                    f"{item.strip()!r} is none of an engine's parameters, which are given as channels=8,pixels=2: "
                    f"{', '.join(known)}"
                )
            if name in values:
                raise ValueError(f"{name} is given twice")
            try:
                values[name] = int(number)
            except ValueError:
                raise ValueError(f"{name} is a whole number, not {number!r}") from None
        return cls(**values)
