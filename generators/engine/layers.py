"""What each node of a network is on the engine: an instruction, its weights, its constants, its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.parameters import EngineParameters

from ..constants.mac_constants import mac_rule
from ..constants.pool_constants import pool_rule
from ..constants.step_function import Rule, activation_limits
from ..constants.weights import effective_weights
from ..graph.graph import GraphError, Tensor
from ..graph.mac_operator import MacOperator
from ..planning.folding import ceil_div
from ..stages.network import Network, Node
from .copies import stored_offset
from .layer import Layer
from .layout import StoredMap
from .requantize import EngineRequantization, engine_requantization
from .table_layers import TableLayers


def stored_rule(rule: Rule, output: StoredMap) -> Rule:
    """A rule whose results are stored elements."""
    offset = output.offset
    return replace(
        rule,
        zero_point=rule.zero_point - offset,
        minimum=rule.minimum - offset,
        maximum=rule.maximum - offset,
    )


def spread_weights(weights: np.ndarray, channels: int) -> np.ndarray:
    """Weights ``[Co][taps]`` of one channel each as those of a convolution over all, ``[Co][taps · channels]``."""
    outputs, taps = weights.shape
    spread = np.zeros((outputs, taps, channels), weights.dtype)
    of_output = np.arange(outputs)
    spread[of_output, :, of_output // (outputs // channels)] = weights
    return spread.reshape(outputs, -1)


class Lowering(TableLayers):
    """Makes the layers of a network for an engine.

    Raises:
        GraphError: from :meth:`layer`: the node is none of the engine's instructions, or is beyond its limits.
    """

    def __init__(
        self, network: Network, parameters: EngineParameters, meant: Mapping[int, int] = MappingProxyType({})
    ) -> None:
        super().__init__(network, parameters, meant)
        self.makers: dict[str, Callable[[Node], Layer]] = {
            "pointwise": self._dense,
            "convolution": self._dense,
            "depthwise": self._depthwise,
            "pool": self._pool,
            "max_pool": self._max_pool,
            "lookup": self._table,
            "add": self._add,
        }

    def layer(self, node: Node) -> Layer:
        make = self.makers.get(node.kind)
        if make is None:
            raise GraphError(f"{node.name} ({node.operator.kind}): the engine has no instruction for {node.kind} yet")
        return make(node)

    def _window(self, node: Node, operation: Operation, raster: tuple[int, int, int], kernel: tuple[int, int],
                whole: bool = False) -> tuple[dict[str, int], int, int]:  # fmt: skip
        """The fields that say which elements an output reads, ``before``, and ``rows``."""
        p = self.parameters
        height, width, channels = raster
        stored, output = self.map(node.inputs[0]), self.map(node.output)
        padding, strides = node.padding, node.strides
        # Not the output tensor's, which a RESHAPE may have given another raster.
        shape = (
            (1, 1)
            if whole
            else (
                (height + padding.top + padding.bottom - kernel[0]) // strides[0] + 1,
                (width + padding.left + padding.right - kernel[1]) // strides[1] + 1,
            )
        )
        left = padding.left
        if stored.folding is not None:
            width, channels, kernel = stored.folding.windows, stored.folding.channels, (kernel[0], 1)
            strides, left = (strides[0], 1), 0
        words = ceil_div(channels, p.channels)
        same = (height, width) == (stored.tensor.height, stored.tensor.width) or stored.folding is not None
        pitch = stored.step if same else width * words
        pixels = shape[0] * shape[1]
        if whole and output.words_of_pixel * output.tensor.pixels != output.words_of_pixel:
            raise GraphError(f"{node.name} writes several pixels of one vector, which is no instruction of the engine")
        values = {
            "operation": operation,
            "pixel_step": strides[1] * words,
            "row_step": strides[0] * pitch,
            "tap_step": words,
            "tap_row_step": pitch,
            "height": height - 1,
            "width": width - 1,
            "top": padding.top,
            "left": left,
            "row_stride": strides[0],
            "column_stride": strides[1],
            "rows": kernel[0] - 1,
            "columns": kernel[1] - 1,
            "taps": kernel[1] - 1,
            "words": words - 1 if operation == Operation.DENSE else 0,
            "tail": (channels - 1) % p.channels,
            "output_width": shape[1] - 1,
            "pixels": pixels - 1,
            "blocks": ceil_div(pixels, p.pixels if operation == Operation.DENSE else 1) - 1,
            "groups": output.words_of_pixel - 1,
            "destination_step": output.words_of_pixel,
            "destination_row_step": (
                output.step if shape[1] == output.tensor.width else shape[1] * output.words_of_pixel
            ),
            "destination_width": shape[1] - 1,
            "destination_height": shape[0] - 1,
            "fill": stored.zero_point,
        }
        by_rows = same and not whole and shape == (output.tensor.height, output.tensor.width)
        return values, padding.top * pitch + left * words, shape[0] if by_rows else 0

    def word_weights(self, node: Node, weights: np.ndarray) -> np.ndarray:
        """``[output channel][reduction]`` as words: group by group, in the order of the reduction."""
        limit = 1 << (self.parameters.weight_bits - 1)
        if weights.min() < -limit or weights.max() >= limit:
            raise GraphError(
                f"{node.name} has weights of {weights.min()} to {weights.max()}, less their zero point; the engine has "
                f"weight_bits = {self.parameters.weight_bits}: 9 hold them"
            )
        size = self.parameters.channels
        channels, reduction = weights.shape
        groups = ceil_div(channels, size)
        padded = np.zeros((groups * size, reduction), np.int64)
        padded[:channels] = weights
        return padded.reshape(groups, size, reduction).transpose(0, 2, 1).reshape(-1, size)

    def _accumulated(self, node: Node, weights: np.ndarray) -> EngineRequantization:
        """The requantisation of a layer with weights."""
        op = node.operator
        assert isinstance(op, MacOperator)
        source, output = self.map(node.inputs[0]), self.map(node.output)
        # renamed tensors may have scales of their own nowhere: a RESHAPE keeps them
        tensor = self.graph.tensors[op.inputs[0]]
        offset = stored_offset(self.graph, tensor.index)
        least, most = tensor.element.minimum - offset, tensor.element.maximum - offset
        return engine_requantization(
            stored_rule(mac_rule(op, tensor, output.tensor), output),
            np.minimum(weights * least, weights * most).sum(axis=1),
            np.maximum(weights * least, weights * most).sum(axis=1),
            op.bias.astype(np.int64) - source.zero_point * weights.sum(axis=1),
            self.parameters,
            f"{node.name} ({op.kind})",
        )

    def finished(self, found: EngineRequantization) -> dict[str, int]:
        """The fields of a requantisation."""
        names = ("zero_point", "minimum", "maximum", "positive", "negative")
        return {name: int(getattr(found, name)) for name in names}

    def _multiplied(
        self, node: Node, weights: np.ndarray, values: dict[str, int], before: int, rows: int,
        stored: np.ndarray | None = None,
    ) -> Layer:  # fmt: skip
        """A layer with weights, after what :meth:`_window` gave; ``stored``: as the map's words need them."""
        found = self._accumulated(node, weights)
        return Layer(
            node.name,
            values | self.finished(found),
            node.inputs,
            node.output,
            before,
            self.word_weights(node, weights if stored is None else stored),
            found.words.packed(self.parameters),
            macs=self.network.macs(node),
            requantization=found,
            rows=rows,
        )

    def _dense(self, node: Node) -> Layer:
        stored: Tensor = self.graph.tensors[node.inputs[0]]
        weights = effective_weights(node)
        whole = node.kernel == (1, 1) and node.reduction == stored.size and stored.pixels > 1
        raster = (stored.height, stored.width, stored.channels) if whole else self._raster(node)
        kernel = (stored.height, stored.width) if whole else node.kernel
        values, before, rows = self._window(node, Operation.DENSE, raster, kernel, whole)
        folding = self.map(node.inputs[0]).folding
        return self._multiplied(node, weights, values, before, rows, folding.weights(weights) if folding else None)

    def _depthwise(self, node: Node) -> Layer:
        weights, p, raster = effective_weights(node), self.parameters, self._raster(node)
        if node.operator.depth_multiplier > 1:
            # Words of results are of other channels than those of the map: a convolution whose other weights are 0.
            values, before, rows = self._window(node, Operation.DENSE, raster, node.kernel)
            return self._multiplied(node, spread_weights(weights, raster[2]), values, before, rows)
        values, before, rows = self._window(node, Operation.DEPTHWISE, raster, node.kernel)
        made = self._multiplied(node, weights, values, before, rows)
        return replace(made, lanes=(p.depthwise_columns, p.depthwise_rows))

    def _pool(self, node: Node) -> Layer:
        output = self.map(node.output)
        rule, low, high, bias = pool_rule(node.operator, self.graph)
        raster = self._raster(node)
        if node.operator.summed(self.graph).count != raster[0] * raster[1]:
            raise GraphError(
                f"{node.name} ({node.operator.kind}): the engine has no instruction for means of rows or columns alone "
                "yet"
            )
        values, _, _ = self._window(node, Operation.DEPTHWISE, raster, raster[:2], whole=True)
        moved = stored_offset(self.graph, node.operator.inputs[0]) * raster[0] * raster[1]
        found = engine_requantization(
            stored_rule(rule, output),
            np.array([low - moved]),
            np.array([high - moved]),
            np.array([bias + moved]),
            self.parameters,
            f"{node.name} ({node.operator.kind})",
        )
        ones = np.ones((1, self.parameters.channels), np.int64)
        return Layer(
            node.name,
            values | self.finished(found) | {"still_weights": 1, "still_constants": 1},
            node.inputs,
            node.output,
            0,
            ones,
            found.words.packed(self.parameters),
            requantization=found,
            lanes=(1, 1),
        )

    def _max_pool(self, node: Node) -> Layer:
        op, output = node.operator, self.map(node.output)
        if not self.parameters.maxima:
            raise GraphError(
                f"{node.name} ({op.kind}) takes the greatest element of a window; the engine has maxima = 0"
            )
        values, before, rows = self._window(node, Operation.DEPTHWISE, self._raster(node), node.kernel)
        limits = activation_limits(op.activation, output.tensor.element, output.tensor.scale, output.tensor.zero_point)
        identity = self.unscaled(0)
        return Layer(
            node.name,
            values
            | {"still_weights": 1, "still_constants": 1, "greatest": 1, "fill": -128}
            | {"minimum": limits[0] - output.offset, "maximum": limits[1] - output.offset},
            node.inputs,
            node.output,
            before,
            np.ones((1, self.parameters.channels), np.int64),
            identity.packed(self.parameters),
            lanes=(1, 1),  # the greatest of a window is found in the first lane
            rows=rows,
        )
