"""Operators of which each instruction writes a part of the result: what is moved, padded, resized, averaged.

A part is a raster of places at equal distances in rows and columns (:class:`~.lines.Line`), each made of a window of
the source: DEPTHWISE, or DENSE where channels change their places within a word. Which rows and columns are made alike
is known from the operator, so that edges, phases of a resized map, and zeros between elements are lines of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd, prod

import numpy as np

from mbconv.hdl.engine.instruction import Operation

from ..constants.pool_constants import pool_rule
from ..constants.step_function import AverageRule, activation_limits
from ..graph.graph import GraphError
from ..planning.folding import ceil_div
from ..stages.network import Node
from .copies import stored_offset
from .layer import Layer, Part
from .layers import Lowering, stored_rule
from .lines import Line, lines, whole
from .requantize import ChannelConstants, engine_requantization


@dataclass(frozen=True, eq=False)
class Made:
    """How the elements of a part are made of a window.

    Attributes:
        fields: of the instruction.
        constants: of a channel, or of all.
        weights: ``[taps]`` of DEPTHWISE, for all channels; ``[outputs][inputs]`` of DENSE.
        groups: words of a pixel: the first that is read, the first that is written, how many.
    """

    fields: dict[str, int]
    constants: ChannelConstants
    weights: np.ndarray
    groups: tuple[int, int, int]


def part_layers(lowering: Lowering, node: Node, tensor: int, row: Line, column: Line, made: Made) -> list[Layer]:
    """The instructions of a part: one, or one for each row where an engine has no distance of rows."""
    p = lowering.parameters
    source, output = lowering.map(tensor), lowering.map(node.output)
    words, pixel = source.words_of_pixel, output.words_of_pixel
    apart, below = column.apart * pixel, row.apart * output.step
    if p.depthwise_lanes == 1 and row.count > 1 and below != column.count * apart:
        return [layer for one in row.single for layer in part_layers(lowering, node, tensor, one, column, made)]
    read, written, groups = made.groups
    dense = made.weights.ndim == 2
    stored = source.tensor
    values = {
        "operation": Operation.DENSE if dense else Operation.DEPTHWISE,
        "pixel_step": column.step * words,
        "row_step": row.step * source.step,
        "tap_step": words,
        "tap_row_step": source.step,
        "height": stored.height - 1 - max(0, row.source),
        "width": stored.width - 1 - max(0, column.source),
        "top": max(0, -row.source),
        "left": max(0, -column.source),
        "row_stride": row.step,
        "column_stride": column.step,
        "rows": len(row.weights) - 1,
        "columns": len(column.weights) - 1,
        "taps": len(column.weights) - 1,
        "words": words - 1 if dense else 0,
        "tail": (stored.channels - 1) % p.channels,
        "output_width": column.count - 1,
        "pixels": row.count * column.count - 1,
        "blocks": ceil_div(row.count * column.count, p.pixels if dense else 1) - 1,
        "groups": groups - 1,
        "destination_step": apart,
        "destination_row_step": below,
        "destination_width": column.count - 1,
        "destination_height": row.count - 1,
        "fill": source.zero_point,
        "minimum": -128,
        "maximum": 127,
    }
    if dense:
        weights, constants = lowering.word_weights(node, made.weights), made.constants.packed(p)
    elif len(set(made.weights.tolist())) == 1 and made.weights[0] == 1:
        values |= {"still_weights": 1, "still_constants": 1}
        weights, constants = np.ones((1, p.channels), np.int64), made.constants.packed(p)
    else:
        every = np.tile(made.weights, (groups * p.channels, 1))
        weights, constants = lowering.word_weights(node, every), made.constants.packed(p) * (groups * p.channels)
    return [
        Layer(
            node.name,
            values | made.fields,
            (tensor,),
            node.output,
            before=-(row.source * source.step + column.source * words + read),
            weights=weights,
            constants=constants,
            lanes=None if dense else (p.depthwise_columns, 1),
            behind=row.first * output.step + column.first * pixel + written,
            part=Part(row.places, column.places, range(written, written + groups)),
        )
    ]


def _moved(lowering: Lowering, node: Node, groups: tuple[int, int, int]) -> Made:
    """Elements as they are."""
    return Made({}, lowering.unscaled(0), np.ones(1, np.int64), groups)


def _selected(lowering: Lowering, node: Node, channels: np.ndarray) -> Made:
    """Channels of a pixel in another order; −1: the zero point."""
    source, output = lowering.map(node.inputs[0]), lowering.map(node.output)
    selection = (channels[:, None] == np.arange(source.tensor.channels)).astype(np.int64)
    bias = np.where(channels < 0, output.zero_point, 0).astype(np.int64)
    one = lowering.unscaled(0)
    same = (np.repeat(constant, len(channels)) for constant in (one.multiplier, one.shift, one.rounded))
    return Made({}, ChannelConstants(bias, *same), selection, (0, 0, output.words_of_pixel))


def _same_raster(lowering: Lowering, node: Node) -> None:
    """Refuse maps that are read in another view than they are stored in.

    Raises:
        GraphError: one is.
    """
    for tensor, raster in zip(node.inputs, node.rasters, strict=True):
        stored = lowering.map(tensor).tensor
        if (raster.height, raster.width, raster.channels) != (stored.height, stored.width, stored.channels):
            raise GraphError(
                f"{node.name} ({node.operator.kind}) reads a view of tensor {tensor}, which is no instruction"
            )


def _all(lowering: Lowering, node: Node, rows: list[Line], columns: list[Line],
         make: Callable[[Line, Line], Made]) -> list[Layer]:  # fmt: skip
    """The instructions of a result that is made of the first input."""
    _same_raster(lowering, node)
    return [
        layer
        for row in rows
        for column in columns
        for layer in part_layers(lowering, node, node.inputs[0], row, column, make(row, column))
    ]


def slice_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """STRIDED_SLICE, SLICE, SPLIT, and maps made smaller by whole factors."""
    rows, columns, (first, step, count) = node.operator.kept(lowering.graph, node.output)
    size = lowering.parameters.channels
    output = lowering.map(node.output)
    if (step == 1 or count == 1) and first % size == 0:
        made = _moved(lowering, node, (first // size, 0, output.words_of_pixel))
    else:
        made = _selected(lowering, node, first + step * np.arange(count))
    taken = [
        lines([(begin + step * place, (1,)) for place in range(number)]) for begin, step, number in (rows, columns)
    ]
    return _all(lowering, node, *taken, lambda row, column: made)


def pad_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """PAD that no window takes, of channels too; zero points between rows and columns."""
    op, padding, output = node.operator, node.padding, lowering.map(node.output)
    source = lowering.map(node.inputs[0]).tensor
    before, behind = op.channels
    if before or behind:
        channels = np.r_[np.full(before, -1), np.arange(source.channels), np.full(behind, -1)]
        made = _selected(lowering, node, channels)
    else:
        made = _moved(lowering, node, (0, 0, output.words_of_pixel))
    sides = (padding.top, op.between[0], output.tensor.height), (padding.left, op.between[1], output.tensor.width)
    sizes = source.height, source.width
    taken = [_padded(*side, size) for side, size in zip(sides, sizes, strict=True)]
    return _all(lowering, node, *taken, lambda row, column: made)


def _padded(before: int, between: int, count: int, size: int) -> list[Line]:
    """An axis with zero points before, between and behind its elements."""
    if not between:
        return [Line(-before, 1, (1,), 0, 1, count)]
    made = []
    for place in range(count):
        element, rest = divmod(place - before, 1 + between)
        made.append((element if not rest and 0 <= element < size else None, (1,)))
    found = lines(
        [(place[0], place[1]) if place[0] is not None else (place_of, (0,)) for place_of, place in enumerate(made)]
    )
    # what is no element lies before the map
    return [
        line if line.weights == (1,) else Line(-line.count, 1, (1,), line.first, line.apart, line.count)
        for line in found
    ]


def concatenate_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """CONCATENATION: of channels, each but the last of whole words."""
    _same_raster(lowering, node)
    op, graph, size = node.operator, lowering.graph, lowering.parameters.channels
    what = f"{node.name} ({op.kind})"
    if op.tables(graph) is not None:
        raise GraphError(
            f"{what} joins maps of other scales than its result's, for which the engine has no instruction"
        )
    shape = graph.tensors[op.inputs[0]].shape
    axis = op.axis - len(shape)
    if axis < -2 and prod(shape[: op.axis]) > 1:
        raise GraphError(f"{what} joins along axis {op.axis} of {len(shape)}, which is no instruction")
    found, done = [], 0
    for tensor in node.inputs:
        stored = lowering.map(tensor).tensor
        if axis == -1 and done % size:
            raise GraphError(
                f"{what} joins channels behind the first {done}, which is no instruction: in the engine each input but "
                f"the last has a multiple of channels = {size}"
            )
        groups = 0, done // size if axis == -1 else 0, lowering.map(tensor).words_of_pixel
        row, column = Line(0, 1, (1,), 0, 1, stored.height), Line(0, 1, (1,), 0, 1, stored.width)
        if axis == -2:
            column = replace(column, first=done)
        elif axis < -2:
            row = replace(row, first=done)
        found += part_layers(lowering, node, tensor, row, column, _moved(lowering, node, groups))
        done += {-1: stored.channels, -2: stored.width}.get(axis, stored.height)
    return found


def resize_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR that enlarge."""
    output = lowering.map(node.output)
    axes = node.operator.axes(lowering.graph)
    taken = []
    for axis in axes:
        one = 1 << axis.bits
        taken.append(
            lines([
                (newest, (one,)) if not weight else (newest - 1, (weight, one - weight))
                for newest, weight in zip(axis.newest, axis.weights, strict=True)
            ])
        )  # fmt: skip

    def make(row: Line, column: Line) -> Made:
        weights = np.outer(row.weights, column.weights).reshape(-1)
        least = gcd(*weights.tolist())
        shift = sum(axis.bits for axis in axes) - (least.bit_length() - 1)
        weights = weights // least
        limit = (1 << lowering.parameters.weight_bits - 1) - 1
        if weights.max() > limit:
            raise GraphError(
                f"{node.name} ({node.operator.kind}) takes {weights.max():,} parts of {1 << shift:,} of an element, "
                f"which is no instruction: weight_bits = {lowering.parameters.weight_bits} hold {limit} at most"
            )
        # halves away from 0, of signed elements: one less for those below, in units of the multiplier
        rounded = int(shift > 0 and output.tensor.element.signed)
        words = lowering.unscaled(shift, rounded)
        fields = {"negative": -int(words.multiplier[0])} if rounded else {}
        return Made(fields, words, weights, (0, 0, output.words_of_pixel))

    return _all(lowering, node, *taken, make)


def average_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """AVERAGE_POOL_2D: windows that reach beyond an edge are divided by what lies within."""
    op = node.operator
    source, output = lowering.map(node.inputs[0]), lowering.map(node.output)
    taken = []
    for axis, size, count, before in (
        (0, source.tensor.height, output.tensor.height, node.padding.top),
        (1, source.tensor.width, output.tensor.width, node.padding.left),
    ):
        ends = []
        for place in range(count):
            first = place * node.strides[axis] - before
            ends.append((max(0, first), (1,) * (min(size, first + node.kernel[axis]) - max(0, first))))
        taken.append(lines(ends))
    element = lowering.graph.tensors[op.inputs[0]].element  # what is read may be a copy of another type
    limits = activation_limits(op.activation, output.tensor.element, output.tensor.scale, output.tensor.zero_point)

    def make(row: Line, column: Line) -> Made:
        count = len(row.weights) * len(column.weights)
        rule = AverageRule(1, 0, *limits, np.array([count]))
        return _mean(lowering, node, rule, (count * element.minimum, count * element.maximum, 0), count)

    return _all(lowering, node, *taken, make)


def mean_layers(lowering: Lowering, node: Node) -> list[Layer]:
    """Means over rows, or over columns; over both in :meth:`Lowering.layer`."""
    op, graph = node.operator, lowering.graph
    source = lowering.map(node.inputs[0]).tensor
    count = op.summed(graph).count
    if count == source.height * source.width:
        return [lowering.layer(node)]
    down, across = (Line(0, 1, (1,) * size, 0, 1, 1) for size in (source.height, source.width))
    if count == source.height and op.summed(graph).times == 1:
        taken = [[down], whole(source.width)]
    elif count == source.width and op.summed(graph).times == source.height:
        taken = [whole(source.height), [across]]
    else:
        raise GraphError(f"{node.name} ({op.kind}) takes the mean of no rows or columns, which is no instruction")
    rule, low, high, bias = pool_rule(op, graph)
    return _all(lowering, node, *taken, lambda row, column: _mean(lowering, node, rule, (low, high, bias), count))


def _mean(lowering: Lowering, node: Node, rule, sums: tuple[int, int, int], count: int) -> Made:
    """A mean of so many elements; ``sums``: the least, the greatest, and what is added."""
    output, (low, high, bias) = lowering.map(node.output), sums
    moved = stored_offset(lowering.graph, node.operator.inputs[0]) * count
    found = engine_requantization(
        stored_rule(rule, output), np.array([low - moved]), np.array([high - moved]), np.array([bias + moved]),
        lowering.parameters, f"{node.name} ({node.operator.kind})",
    )  # fmt: skip
    return Made(lowering.finished(found), found.words, np.ones(count, np.int64), (0, 0, output.words_of_pixel))
