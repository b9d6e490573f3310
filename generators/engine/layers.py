"""What each node of a network is on the engine: an instruction, its weights, its constants, its tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.parameters import EngineParameters

from ..constants.add_tables import add_solutions
from ..constants.lookup_tables import lookup_tables
from ..constants.mac_constants import mac_rule
from ..constants.pool_constants import pool_rule
from ..constants.step_function import Rule, activation_limits
from ..constants.weights import effective_weights
from ..graph.graph import Graph, GraphError, Tensor
from ..graph.mac_operator import MacOperator
from ..operators.add import Add
from ..operators.subtract import Subtract
from ..planning.folding import ceil_div
from ..stages.network import Network, Node
from .layout import StoredMap
from .requantize import ChannelConstants, EngineRequantization, engine_requantization


@dataclass(frozen=True, eq=False)
class Layer:
    """An instruction before addresses are known.

    Attributes:
        values: its fields, but for those that are addresses.
        reads: tensors, the one that ``source`` is of first; writes: a tensor.
        before: words by which the first window's first tap lies before the source's first word.
        weights: int64 ``[words][channels]``.
        constants: one word for each channel of each group, or a single one.
        tables: of the first and the second operand, 256 entries each.
    """

    name: str
    values: dict[str, int]
    reads: tuple[int, ...]
    writes: int | None
    before: int = 0
    weights: np.ndarray | None = None
    constants: list[int] = field(default_factory=list)
    tables: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    macs: int = 0
    requantization: EngineRequantization | None = None


def stored_rule(rule: Rule, output: StoredMap) -> Rule:
    """A rule whose results are stored elements."""
    offset = output.offset
    return replace(
        rule,
        zero_point=rule.zero_point - offset,
        minimum=rule.minimum - offset,
        maximum=rule.maximum - offset,
    )


def _folded(constants: AddConstants) -> AddConstants:
    """The same sums with their rounding constant in a table, where it is one for both signs; offsets of the tables that
    cancel each other are taken out."""
    first, second = np.array(constants.first), np.array(constants.second)
    if constants.positive == constants.negative:
        first = first + constants.positive
        constants = replace(constants, positive=0, negative=0)
    moved = (int(second.max() + second.min()) - int(first.max() + first.min())) // 4
    return replace(constants, first=tuple(first + moved), second=tuple(second - moved))


class Lowering:
    """Makes the layers of a network for an engine.

    Raises:
        GraphError: from :meth:`layer`: the node is none of the engine's instructions, or is beyond its limits.
    """

    def __init__(self, network: Network, parameters: EngineParameters) -> None:
        self.network, self.parameters = network, parameters

    @property
    def graph(self) -> Graph:
        return self.network.graph

    def map(self, tensor: int) -> StoredMap:
        """Of a tensor, as it is stored.

        Raises:
            GraphError: its elements are none that a word holds.
        """
        found = self.graph.tensors[tensor]
        if found.element.bits > 8:
            raise GraphError(f"tensor {tensor} is {found.element}; the engine has elements of 8 bits")
        return StoredMap(found, self.parameters.channels)

    def layer(self, node: Node) -> Layer:
        instructions = {
            "pointwise": self._dense,
            "convolution": self._dense,
            "depthwise": self._depthwise,
            "pool": self._pool,
            "max_pool": self._max_pool,
            "lookup": self._table,
            "add": self._add,
        }
        make = instructions.get(node.kind)
        if make is None:
            raise GraphError(f"{node.name} ({node.operator.kind}): the engine has no instruction for {node.kind} yet")
        return make(node)

    def ports(self) -> tuple[list[Layer], list[Layer]]:
        """INPUT and OUTPUT of every tensor that enters and leaves, in the order of their packets."""
        inputs = [
            Layer(f"input_t{port}", {"operation": Operation.INPUT, **self._frame(tensor)}, (), tensor)
            for port, tensor in self.network.inputs.items()
        ]
        outputs = [
            Layer(f"output_t{tensor}", {"operation": Operation.OUTPUT, **self._frame(tensor)}, (tensor,), None)
            for tensor in self.network.outputs
        ]
        return inputs, outputs

    def _frame(self, tensor: int) -> dict[str, int]:
        stored = self.map(tensor)
        return {
            "pixels": stored.tensor.pixels - 1,
            "words": stored.words_of_pixel - 1,
            "tail": (stored.tensor.channels - 1) % self.parameters.channels,
            "fill": stored.zero_point,
            "unsigned": int(stored.offset > 0),
        }

    def _raster(self, node: Node) -> tuple[int, int, int]:
        """Rows, columns and channels that the node reads: as they are stored, or another view of the same words.

        Raises:
            GraphError: a view that is not.
        """
        stored, read = self.graph.tensors[node.inputs[0]], node.raster
        assert read is not None
        size = self.parameters.channels
        if read.channels != stored.channels and (read.channels % size or stored.channels % size):
            raise GraphError(
                f"{node.name} reads the {stored.height}×{stored.width}×{stored.channels} of tensor {stored.index} as "
                f"{read.height}×{read.width}×{read.channels}; the engine's words hold {size} channels of one pixel, so "
                "only views of as many channels, or of multiples of that, have an instruction"
            )
        return read.height, read.width, read.channels

    def _window(self, node: Node, operation: Operation, raster: tuple[int, int, int], kernel: tuple[int, int],
                whole: bool = False) -> tuple[dict[str, int], int]:  # fmt: skip
        """The fields that say which elements an output reads, and ``before``."""
        p = self.parameters
        height, width, channels = raster
        output = self.map(node.output)
        words = ceil_div(channels, p.channels)
        pixels = 1 if whole else output.tensor.pixels
        if whole and output.words_of_pixel * output.tensor.pixels != output.words_of_pixel:
            raise GraphError(f"{node.name} writes several pixels of one vector, which is no instruction of the engine")
        lanes = p.pixels if operation == Operation.DENSE else 1
        strides, padding = node.strides, node.padding
        values = {
            "operation": operation,
            "pixel_step": strides[1] * words,
            "row_step": strides[0] * width * words,
            "tap_step": words,
            "tap_row_step": width * words,
            "height": height - 1,
            "width": width - 1,
            "top": padding.top,
            "left": padding.left,
            "row_stride": strides[0],
            "column_stride": strides[1],
            "rows": kernel[0] - 1,
            "columns": kernel[1] - 1,
            "words": words - 1 if operation == Operation.DENSE else 0,
            "tail": (channels - 1) % p.channels,
            # Not the output tensor's, which a RESHAPE may have given another raster.
            "output_width": 0 if whole else (width + padding.left + padding.right - kernel[1]) // strides[1],
            "pixels": pixels - 1,
            "blocks": ceil_div(pixels, lanes) - 1,
            "groups": output.words_of_pixel - 1,
            "destination_step": output.words_of_pixel,
            "fill": self.map(node.inputs[0]).zero_point,
        }
        return values, (padding.top * width + padding.left) * words

    def _weights(self, node: Node, weights: np.ndarray) -> np.ndarray:
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
        least, most = tensor.element.minimum - source.offset, tensor.element.maximum - source.offset
        return engine_requantization(
            stored_rule(mac_rule(op, tensor, output.tensor), output),
            np.minimum(weights * least, weights * most).sum(axis=1),
            np.maximum(weights * least, weights * most).sum(axis=1),
            op.bias.astype(np.int64) - source.zero_point * weights.sum(axis=1),
            self.parameters,
            f"{node.name} ({op.kind})",
        )

    def _finished(self, found: EngineRequantization) -> dict[str, int]:
        names = ("zero_point", "minimum", "maximum", "positive", "negative")
        return {name: int(getattr(found, name)) for name in names}

    def _multiplied(self, node: Node, weights: np.ndarray, values: dict[str, int], before: int) -> Layer:
        """A layer with weights, after what :meth:`_window` gave."""
        found = self._accumulated(node, weights)
        return Layer(
            node.name,
            values | self._finished(found),
            node.inputs,
            node.output,
            before,
            self._weights(node, weights),
            found.words.packed(self.parameters),
            macs=self.network.macs(node),
            requantization=found,
        )

    def _dense(self, node: Node) -> Layer:
        stored: Tensor = self.graph.tensors[node.inputs[0]]
        weights = effective_weights(node)
        whole = node.kernel == (1, 1) and node.reduction == stored.size and stored.pixels > 1
        raster = (stored.height, stored.width, stored.channels) if whole else self._raster(node)
        kernel = (stored.height, stored.width) if whole else node.kernel
        values, before = self._window(node, Operation.DENSE, raster, kernel, whole)
        return self._multiplied(node, weights, values, before)

    def _depthwise(self, node: Node) -> Layer:
        weights = effective_weights(node)
        values, before = self._window(node, Operation.DEPTHWISE, self._raster(node), node.kernel)
        return self._multiplied(node, weights, values, before)

    def _pool(self, node: Node) -> Layer:
        source, output = self.map(node.inputs[0]), self.map(node.output)
        rule, low, high, bias = pool_rule(node.operator, self.graph)
        raster = self._raster(node)
        values, _ = self._window(node, Operation.DEPTHWISE, raster, raster[:2], whole=True)
        moved = source.offset * raster[0] * raster[1]
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
            values | self._finished(found) | {"still_weights": 1, "still_constants": 1},
            node.inputs,
            node.output,
            0,
            ones,
            found.words.packed(self.parameters),
            requantization=found,
        )

    def _max_pool(self, node: Node) -> Layer:
        op, output = node.operator, self.map(node.output)
        values, before = self._window(node, Operation.DEPTHWISE, self._raster(node), node.kernel)
        limits = activation_limits(op.activation, output.tensor.element, output.tensor.scale, output.tensor.zero_point)
        identity = self._unscaled(0)
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
        )

    def _unscaled(self, shift: int, rounded: int = 0) -> ChannelConstants:
        """Constants of a multiplication by 2^−shift."""
        whole = max(self.parameters.least_shift, shift)
        multiplier = 1 << (whole - shift)
        return ChannelConstants(*(np.array([value], np.int64) for value in (0, multiplier, whole, rounded)))

    def _elementwise(self, node: Node) -> dict[str, int]:
        words = self.map(node.inputs[0]).words
        if self.map(node.output).words != words or self._raster(node)[2] != self.graph.tensors[node.output].channels:
            raise GraphError(f"{node.name} writes a map of other words than it reads, which is no instruction")
        return {
            "operation": Operation.TABLE,
            "row_step": 1,
            "pixels": words - 1,
            "blocks": words - 1,
            "destination_step": 1,
            "still_constants": 1,
        }

    def _entries(self, table: np.ndarray | tuple[int, ...], source: StoredMap) -> tuple[int, ...]:
        """256 entries by the stored element, the least first; 0 for those that do not occur."""
        entries = [int(entry) for entry in table]
        limit = 1 << (self.parameters.table_bits - 1)
        if min(entries) < -limit or max(entries) >= limit:
            raise GraphError(
                f"a table of tensor {source.tensor.index} has entries of {min(entries)} to {max(entries)}; the engine "
                f"has table_bits = {self.parameters.table_bits}"
            )
        before = source.tensor.element.minimum - source.offset + 128
        return (*[0] * before, *entries, *[0] * (256 - before - len(entries)))

    def _table(self, node: Node) -> Layer:
        source, output = self.map(node.inputs[0]), self.map(node.output)
        tables = lookup_tables(node.operator, self.graph)
        if len(tables) > 1:
            raise GraphError(
                f"{node.name} ({node.operator.kind}) has constants of each channel's own, for which the engine has no "
                "instruction yet"
            )
        entries = self._entries(tables[0] - output.offset, source)
        return Layer(
            node.name,
            self._elementwise(node) | {"minimum": -128, "maximum": 127},
            node.inputs,
            node.output,
            constants=self._unscaled(0).packed(self.parameters),
            tables=(entries, (0,) * 256),
        )

    def _add(self, node: Node) -> Layer:
        op = node.operator
        assert isinstance(op, (Add, Subtract))
        maps = [self.map(tensor) for tensor in node.inputs]
        output = self.map(node.output)
        values = self._elementwise(node)
        if maps[1].words_of_pixel != maps[0].words_of_pixel or maps[1].words != maps[0].words:
            raise GraphError(f"{node.name} adds maps that are stored in different views, which is no instruction")
        solutions = [_folded(found) for found in add_solutions(op, self.graph)]
        constants = min(solutions, key=lambda found: max(map(abs, (*found.first, *found.second))))
        positive, negative = constants.positive, constants.negative
        words = self._unscaled(constants.shift, 1)
        whole = int(words.shift[0])
        scale, half = 1 << (whole - constants.shift), 1 << (whole - 1)
        return Layer(
            node.name,
            values
            | {
                "binary": 1,
                "positive": positive * scale - half,
                "negative": negative * scale - half,
                "zero_point": constants.zero_point - output.offset,
                "minimum": constants.minimum - output.offset,
                "maximum": constants.maximum - output.offset,
            },
            node.inputs,
            node.output,
            constants=words.packed(self.parameters),
            tables=(self._entries(constants.first, maps[0]), self._entries(constants.second, maps[1])),
        )
