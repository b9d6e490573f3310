"""The instructions of an engine: fields, their widths, and the words of the program memory that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import cache

from amaranth.hdl import Cat, Mux, Shape, Value, signed, unsigned
from amaranth.lib.data import StructLayout

from ..primitives import address_width
from .parameters import EngineParameters

WORD_BITS = 32
"""Of the program memory."""

RANGE_FIELDS = ("more", "source_ring", "destination_ring")
"""Those that only engines with ``ranges`` have."""

LANE_FIELDS = (
    "one_row",
    "taps",
    "lane_row_step",
    "lane_row_stride",
    "lane_columns",
    "lane_rows",
    "block_pixels",
    "block_rows",
    "block_step",
    "block_row_step",
    "destination_width",
    "destination_height",
    "destination_row_step",
)
"""Those that only engines with several pixels in DEPTHWISE have."""


class Operation(IntEnum):
    """What an instruction does."""

    INPUT = 0
    DENSE = 1
    DEPTHWISE = 2
    TABLE = 3
    OUTPUT = 4
    END = 5


def instruction_layout(parameters: EngineParameters) -> StructLayout:
    """The fields of an instruction, lowest first.

    Counts (height, width, rows, columns, and words to groups but for fill) are held less one.

    ==================  ================================================================================================
    operation           an :class:`Operation`
    last                the frame's last instruction
    folded              INPUT, with ``folds``: a word holds all columns of a window
    to_weights          TABLE, with ``vectors``: words go to the weight memory, one every other cycle at most
    more                INPUT, with ``ranges``: another INPUT takes the rest of the packet
    late                with ``overlaps``: of the frame before, where two are computed at once
    unsigned            INPUT, OUTPUT: elements are uint8 outside, and less 128 in the map memory
    greatest            DEPTHWISE: the greatest product of the window, not their sum; TABLE, with ``products``: the
                        greater of two entries
    product             TABLE, with ``products``: the product of two entries, of the lowest 9 bits of each
    binary              TABLE: with a second operand
    still_weights       DEPTHWISE: the word at ``weights`` is that of every tap
    streamed            DENSE, DEPTHWISE: the weights come through the port, next in its order; TABLE, with
                        ``loads_tables``: the tables do
    still_constants     the word at ``constants`` is that of every channel
    source              the first word; of a window the first tap's, which may lie before the map
    second              TABLE: the second operand's first word less ``source``; DENSE and DEPTHWISE of one pixel: words
                        from where a group's last pixel is written to the next one's first
    destination         the first word that is written; OUTPUT: as ``source``
    destination_step    words from a written pixel to the next
    pixel_step          words from a window to the next of its row; of blocks' first windows, DEPTHWISE
    row_step            words from the last window of a row to the first of the next; of a row of blocks, DEPTHWISE
    tap_step            words from the last word of a tap to the next tap of its row
    tap_row_step        words from the last word of a row of taps to the first tap of the next
    height, width       rows and columns of the source
    top, left           rows and columns of padding before it; with ``ranges`` the first may be negative: windows begin
                        further down
    row_stride,
    column_stride       rows and columns from a window to the next; of blocks' first windows, DEPTHWISE
    rows, columns       of the kernel; with ``taps`` columns are those that are read for a row of pixels
    words               words of a tap: groups of input channels
    tail                elements of the last of them
    output_width        windows of a row; blocks of a row, DEPTHWISE
    pixels              of the destination (of the stream, where INPUT and OUTPUT; words, where TABLE)
    blocks              groups of pixels that are computed together
    groups              groups of output channels
    fill                the element beyond the map's edges, and of a packet that ends early
    zero_point,
    minimum, maximum    of the results
    positive, negative  rounding constants of channels with ``rounded``
    weights             the first word of weights, with ``overlaps`` of those that are not streamed; of a frame's first
                        INPUT, and END: of the ring of those that are streamed
    constants           the first word of constants
    table               the pair of tables
    ==================  ================================================================================================

    INPUT with ``folded`` counts beats, less one, in ``row_step`` (of a row and its padding), ``tap_row_step`` (of a
    row), ``tap_step`` (before the first word of a row), ``pixel_step`` (from a word to the next), ``tail`` (in a word),
    and rows in ``height``.

    END, with ``overlaps``, ends a program of which some instructions are ``late``: ``positive`` and ``negative`` are
    where the weights for all of them, and for the late ones alone, begin in the memory outside, in units of 4 bytes.

    Engines with ``ranges`` have two more: ``source_ring`` and ``destination_ring`` are how many of the lowest bits of
    an address turn; those above them are always the bits of ``source`` and ``destination``.

    Engines with several pixels in DEPTHWISE have more fields (``depthwise_lanes``):

    ====================  ==============================================================================================
    taps                  columns of the kernel
    lane_row_step         words from a row of pixels to the next that is computed with it; of several rows only
    lane_row_stride       rows of the source between them
    one_row               all lanes are of one row of pixels; of several rows only
    lane_columns          a bit for each column of lanes: whether it is a pixel
    lane_rows             a bit for each row of lanes
    block_pixels          pixels of a row of a block, block_rows: its rows; not less one
    block_step            words from the first pixel of a block to that of the next, where it is written
    block_row_step        words from the first pixel of a row of blocks to that of the next
    destination_width     pixels of a row of the destination, destination_height: its rows; words of a row, TABLE
    destination_row_step  words from the first pixel of a row to that of the next
    ====================  ==============================================================================================
    """
    p = parameters
    map_address = address_width(p.map_words)
    flags = ["last", "unsigned", "greatest", "binary", "streamed", "still_weights", "still_constants"]
    steps = ["source", "second", "destination", "destination_step"]
    steps += ["pixel_step", "row_step", "tap_step", "tap_row_step"]
    kernel = ["left", "row_stride", "column_stride", "rows", "columns"]
    more: dict[str, Shape] = {"top": unsigned(p.kernel_bits)}
    if p.ranges:
        flags.append("more")
        more["top"] = signed(p.side_bits + 1)
        more |= dict.fromkeys(("source_ring", "destination_ring"), unsigned(address_width(map_address + 1)))
    if p.folds:
        flags.append("folded")
    if p.vectors:
        flags.append("to_weights")
    if p.products:
        flags.append("product")
    if p.overlaps:
        flags.append("late")
    if p.depthwise_lanes > 1:
        steps += ["block_step", "block_row_step", "destination_row_step", "destination_width"]
        kernel.append("taps")
        more |= {
            "destination_height": unsigned(p.side_bits),
            "lane_columns": unsigned(p.depthwise_lanes),
            "lane_rows": unsigned(p.depthwise_rows),
            "block_pixels": unsigned(address_width(p.depthwise_lanes + 1)),
            "block_rows": unsigned(address_width(p.depthwise_rows + 1)),
        }
    if p.depthwise_rows > 1:
        flags.append("one_row")
        steps.append("lane_row_step")
        kernel.append("lane_row_stride")
    fields: dict[str, Shape] = {
        "operation": unsigned(3),
        **{flag: unsigned(1) for flag in flags},
        **{name: unsigned(map_address) for name in steps},
        **{name: unsigned(p.side_bits) for name in ("height", "width")},
        "output_width": unsigned(map_address if p.depthwise_lanes > 1 else p.side_bits),
        **{name: unsigned(p.kernel_bits) for name in kernel},
        **more,
        "words": unsigned(p.group_bits),
        "tail": unsigned(address_width(p.channels)),
        "pixels": unsigned(map_address),
        "blocks": unsigned(map_address),
        "groups": unsigned(p.group_bits),
        "fill": signed(8),
        "zero_point": signed(10),
        "minimum": signed(8),
        "maximum": signed(8),
        "positive": signed(p.constant_bits),
        "negative": signed(p.constant_bits),
        "weights": unsigned(address_width(p.weight_words)),
        "constants": unsigned(address_width(p.constant_words)),
        "table": unsigned(address_width(p.tables)),
    }
    return StructLayout(fields)


def ringed(address: Value, first: Value, bits: Value) -> Value:
    """An address whose lowest ``bits`` bits turn, and whose others are those of ``first``."""
    return Cat(Mux(bits > place, own, kept) for place, (own, kept) in enumerate(zip(address, first, strict=True)))


def row_words(parameters: EngineParameters) -> int:
    """Words of the program memory that are read at once."""
    return max(1, parameters.standing_words)


def row_places(parameters: EngineParameters) -> int:
    """Words that a row takes in an upload: a power of two, those beyond the row's own are 0."""
    return 1 << (row_words(parameters) - 1).bit_length()


@cache
def instruction_rows(parameters: EngineParameters) -> int:
    """Rows of the program memory that an instruction takes."""
    return -(-instruction_layout(parameters).size // (WORD_BITS * row_words(parameters)))


def instruction_words(parameters: EngineParameters) -> int:
    """Words of an upload that an instruction takes."""
    return instruction_rows(parameters) * row_places(parameters)


def unused_bits(parameters: EngineParameters) -> int:
    """Those before the first field of an instruction: its last row is full."""
    words = -(-instruction_layout(parameters).size // WORD_BITS)
    return WORD_BITS * (instruction_rows(parameters) * row_words(parameters) - words)


def pack_instruction(parameters: EngineParameters, values: Mapping[str, int]) -> list[int]:
    """The words of an instruction in an upload; fields that are not given are 0.

    Raises:
        ValueError: fields that do not hold their values, or that do not exist, all of them in one message.
    """
    layout = instruction_layout(parameters)
    packed, offset, problems = (
        0,
        unused_bits(parameters),
        [f"an instruction has no {name}" for name in values if name not in layout.members],
    )
    for name, shape in layout.members.items():
        shape = Shape.cast(shape)
        value = int(values.get(name, 0))
        low = -(1 << (shape.width - 1)) if shape.signed else 0
        high = low + (1 << shape.width) - 1
        if not low <= value <= high:
            problems.append(f"{name} is {low} to {high}, not {value}")
        packed |= (value & ((1 << shape.width) - 1)) << offset
        offset += shape.width
    if problems:
        raise ValueError("; ".join(problems))
    words, beyond = row_words(parameters), row_places(parameters) - row_words(parameters)
    found = []
    for row in range(instruction_rows(parameters)):
        found += [packed >> WORD_BITS * (row * words + word) & (1 << WORD_BITS) - 1 for word in range(words)]
        found += [0] * beyond
    return found
