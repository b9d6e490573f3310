"""The instructions of an engine: fields, their widths, and the words of the program memory that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib.data import StructLayout

from ..primitives import address_width
from .parameters import EngineParameters

WORD_BITS = 32
"""Of the program memory."""


class Operation(IntEnum):
    """What an instruction does."""

    INPUT = 0
    DENSE = 1
    DEPTHWISE = 2
    TABLE = 3
    OUTPUT = 4


def instruction_layout(parameters: EngineParameters) -> StructLayout:
    """The fields of an instruction, lowest first.

    Counts (height, width, rows, columns, and words to groups but for fill) are held less one.

    ==================  ================================================================================================
    operation           an :class:`Operation`
    last                the frame's last instruction
    unsigned            INPUT, OUTPUT: elements are uint8 outside, and less 128 in the map memory
    greatest            DEPTHWISE: the greatest product of the window, not their sum
    binary              TABLE: with a second operand
    still_weights       DEPTHWISE: the word at ``weights`` is that of every tap
    streamed            DENSE, DEPTHWISE: the weights come through the port, next in its order
    still_constants     the word at ``constants`` is that of every channel
    source              the first word; of a window the first tap's, which may lie before the map
    second              TABLE: the second operand's first word less ``source``
    destination         the first word that is written
    destination_step    words from a written pixel to the next
    pixel_step          words from a window to the next of its row
    row_step            words from the first window of a row to that of the next
    tap_step            words from a tap to the next of its row
    tap_row_step        words from the first tap of a row to that of the next
    height, width       rows and columns of the source
    top, left           rows and columns of padding before it
    row_stride,
    column_stride       rows and columns from a window to the next
    rows, columns       of the kernel
    words               words of a tap: groups of input channels
    tail                elements of the last of them
    output_width        pixels of a row of the destination
    pixels              of the destination (of the stream, where INPUT and OUTPUT; words, where TABLE)
    blocks              groups of pixels that are computed together
    groups              groups of output channels
    fill                the element beyond the map's edges, and of a packet that ends early
    zero_point,
    minimum, maximum    of the results
    positive, negative  rounding constants of channels with ``rounded``
    weights             the first word of weights; of a frame's first INPUT: of the ring of those that are streamed
    constants           the first word of constants
    table               the pair of tables
    ==================  ================================================================================================
    """
    p = parameters
    map_address = address_width(p.map_words)
    fields: dict[str, Shape] = {
        "operation": unsigned(3),
        **{
            flag: unsigned(1)
            for flag in ("last", "unsigned", "greatest", "binary", "streamed", "still_weights", "still_constants")
        },
        **{
            name: unsigned(map_address)
            for name in (
                "source",
                "second",
                "destination",
                "destination_step",
                "pixel_step",
                "row_step",
                "tap_step",
                "tap_row_step",
            )
        },
        **{name: unsigned(p.side_bits) for name in ("height", "width", "output_width")},
        **{name: unsigned(p.kernel_bits) for name in ("top", "left", "row_stride", "column_stride", "rows", "columns")},
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


def instruction_words(parameters: EngineParameters) -> int:
    """Words of the program memory that an instruction takes."""
    return -(-instruction_layout(parameters).size // WORD_BITS)


def pack_instruction(parameters: EngineParameters, values: Mapping[str, int]) -> list[int]:
    """The words of an instruction; fields that are not given are 0.

    Raises:
        ValueError: fields that do not hold their values, or that do not exist, all of them in one message.
    """
    layout = instruction_layout(parameters)
    packed, offset, problems = 0, 0, [f"an instruction has no {name}" for name in values if name not in layout.members]
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
    return [packed >> WORD_BITS * word & (1 << WORD_BITS) - 1 for word in range(instruction_words(parameters))]
