"""The anchors of an SSD: boxes at every place of every map, which the network's encodings move and stretch.

The generator is that of TensorFlow's object detection (``multiple_grid_anchor_generator.create_ssd_anchors``): at each
place of a map, row by row, anchors of some aspect ratios around the place's middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mbconv.generators.graph.graph import Graph, GraphError

from .options import DetectorOptions


@dataclass(frozen=True)
class Grid:
    """A map that boxes are read from: its rows and columns, and the boxes at each place."""

    rows: int
    columns: int
    boxes: int


def grids(graph: Graph, boxes: int) -> list[Grid]:
    """The maps behind a tensor of box encodings ``[…][4]``, in its order.

    Raises:
        GraphError: they are not convolutions' maps of four channels for each box, joined in a row.
    """
    found: list[Grid] = []
    waiting = [boxes]
    while waiting:
        tensor = graph.tensors[waiting.pop()]
        producer = graph.producer(tensor.index)
        if producer is not None and not producer.WEIGHTED:
            waiting += reversed(producer.inputs)
        elif producer is None or len(tensor.shape) != 4 or tensor.channels % 4:
            raise GraphError(
                f"the boxes of {graph.name} come from tensor {tensor.index} of shape {list(tensor.shape)}, which is no "
                "map of four channels for each box: its anchors are not known"
            )
        else:
            found.append(Grid(tensor.height, tensor.width, tensor.channels // 4))
    return found


def generated_anchors(options: DetectorOptions, maps: Sequence[Grid]) -> np.ndarray:
    """Anchors ``[N][4]`` (centre y, centre x, height, width; float32, in parts of the picture) of maps in their order.

    Raises:
        GraphError: the options make another number of anchors at a place than a map has boxes.
    """
    parts = []
    for index, grid in enumerate(maps):
        sizes = _sizes(options, index, len(maps))
        if len(sizes) != grid.boxes:
            raise GraphError(
                f"map {index} of {grid.rows}×{grid.columns} has {grid.boxes} boxes at each place, but the anchor "
                f"generator's options make {len(sizes)}: change aspect_ratios, interpolated_aspect_ratio or "
                "reduce_boxes_in_lowest_layer"
            )
        y, x = np.meshgrid((np.arange(grid.rows) + 0.5) / grid.rows, (np.arange(grid.columns) + 0.5) / grid.columns,
                           indexing="ij")  # fmt: skip
        centres = np.repeat(np.stack([y.ravel(), x.ravel()], axis=1), len(sizes), axis=0)
        parts.append(np.concatenate([centres, np.tile(sizes, (y.size, 1))], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _sizes(options: DetectorOptions, index: int, maps: int) -> np.ndarray:
    """Heights and widths of the anchors at a place of map ``index``."""
    scale, following = _scale(options, index, maps), _scale(options, index + 1, maps)
    if index == 0 and options.reduce_boxes_in_lowest_layer:
        scales, ratios = np.array([0.1, scale, scale]), np.array([1.0, 2.0, 0.5])
    else:
        scales, ratios = np.full(len(options.aspect_ratios), scale), np.array(options.aspect_ratios)
        if options.interpolated_aspect_ratio:
            scales = np.append(scales, np.sqrt(scale * following))
            ratios = np.append(ratios, options.interpolated_aspect_ratio)
    return np.stack([scales / np.sqrt(ratios), scales * np.sqrt(ratios)], axis=1)


def _scale(options: DetectorOptions, index: int, maps: int) -> float:
    """The anchors' scale at a map; 1 behind the last."""
    if index == maps:
        return 1.0
    step = (options.max_scale - options.min_scale) / max(maps - 1, 1)
    return options.min_scale + step * index
