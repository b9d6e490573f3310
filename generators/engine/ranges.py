"""Layers some rows at a time: which rows of its source a range of rows needs, and the fields of its instruction."""

from __future__ import annotations

from collections.abc import Mapping

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.parameters import EngineParameters

from ..planning.folding import ceil_div
from .banks import rows_at_once
from .layer import Layer


def needed_rows(layer: Layer, first: int, end: int, height: int) -> tuple[int, int]:
    """Rows of the source, ``height`` of them, that rows ``first`` to ``end`` of the result are computed from."""
    if layer.values["operation"] == Operation.TABLE:
        return first, end
    stride, top, kernel = (layer.values[name] for name in ("row_stride", "top", "rows"))
    begin, stop = first * stride - top, (end - 1) * stride - top + kernel + 1
    return min(max(0, begin), height), min(max(0, stop), height)


def reads_several_rows(layer: Layer) -> bool:
    """Its windows reach beyond the row that they are of, so that rows are read again later, or left out."""
    values = layer.values
    return values["operation"] != Operation.TABLE and bool(values["rows"] or values["top"] or values["row_stride"] > 1)


def range_values(parameters: EngineParameters, layer: Layer, first: int, end: int) -> dict[str, int]:
    """The fields of an instruction for rows ``first`` to ``end``; all of them where the layer has no rows."""
    p, values = parameters, dict(layer.values)
    operation = values["operation"]
    if operation in (Operation.OUTPUT, Operation.END):
        return values
    if operation == Operation.INPUT:
        if layer.rows and end - first < layer.rows:
            values["pixels"] = (values["pixels"] + 1) // layer.rows * (end - first) - 1
            values["height"] = end - first - 1
        return values | {"more": int(end < layer.rows)}
    if layer.rows:
        values["destination_height"] = end - first - 1
    width, height = values["destination_width"] + 1, values["destination_height"] + 1
    pixels = width * height
    values["pixels"] = pixels - 1
    if operation == Operation.TABLE:
        return values | _words(p, values, pixels, width)
    values["top"] -= first * values["row_stride"]
    if layer.lanes is None:
        return values | {"blocks": ceil_div(pixels, p.pixels) - 1}
    return values | _blocks(p, values, *layer.lanes)


def _words(parameters: EngineParameters, values: Mapping[str, int], words: int, width: int) -> dict[str, int]:
    """The fields of a TABLE over rows of words, one row where nothing lies between them."""
    if parameters.depthwise_lanes == 1:
        return {"blocks": words - 1, "row_step": 1, "pixel_step": 0}
    if values["row_step"] == values["destination_row_step"] == width:
        width = words
    return {
        "blocks": words - 1,
        "output_width": width - 1,
        "destination_width": width - 1,
        "destination_height": words // width - 1,
    }


def _blocks(parameters: EngineParameters, values: Mapping[str, int], columns: int, rows: int) -> dict[str, int]:
    """The fields of a DEPTHWISE that computes pixels of so many columns and rows of lanes at once, at most, or all of
    them in one row if that takes fewer slots."""
    several = _block(parameters, values, columns, min(rows, rows_at_once(values["row_step"], parameters.banks)))
    if rows == 1:
        return several
    one = _block(parameters, values, columns * rows, 1) | {"one_row": 1}
    least = parameters.word_cycles * parameters.depthwise_lanes  # for the results

    def slots(block: Mapping[str, int]) -> int:
        return (block["blocks"] + 1) * max((values["rows"] + 1) * (block["columns"] + 1), least)

    return min(several, one, key=slots)


def _block(parameters: EngineParameters, values: Mapping[str, int], columns: int, rows: int) -> dict[str, int]:
    stride = values["column_stride"]
    pixels = min(ceil_div(columns, stride), values["destination_width"] + 1)
    rows = min(rows, values["destination_height"] + 1)
    across = ceil_div(values["destination_width"] + 1, pixels)
    down = ceil_div(values["destination_height"] + 1, rows)
    return {
        "one_row": 0,
        "columns": (pixels - 1) * stride + values["taps"],
        "pixel_step": pixels * values["pixel_step"],
        "row_step": rows * values["row_step"],
        "lane_row_step": values["row_step"],
        "column_stride": pixels * stride,
        "row_stride": rows * values["row_stride"],
        "lane_row_stride": values["row_stride"],
        "output_width": across - 1,
        "blocks": across * down - 1,
        "lane_columns": sum(1 << place * stride for place in range(pixels)),
        "lane_rows": (1 << rows) - 1,
        "block_pixels": pixels,
        "block_rows": rows,
        "block_step": pixels * values["destination_step"],
        "block_row_step": rows * values["destination_row_step"],
    }
