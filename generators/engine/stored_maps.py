"""A network's tensors as an engine stores them, and how they come in and leave."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.parameters import EngineParameters

from ..graph.graph import Graph, GraphError
from ..stages.network import Network, Node
from .banks import pitches
from .folding import foldings
from .layer import Layer
from .layout import StoredMap


class StoredMaps:
    """Of a network, for an engine; ``meant``: by tensor the one as which its readers understand it
    (:func:`~mbconv.generators.engine.copies.without_copies`)."""

    def __init__(
        self, network: Network, parameters: EngineParameters, meant: Mapping[int, int] = MappingProxyType({})
    ) -> None:
        self.network, self.parameters, self._meant = network, parameters, meant
        self._foldings = foldings(network, parameters)
        rows = {
            tensor.index: StoredMap(tensor, parameters.channels).row_words for tensor in network.graph.tensors.values()
        }
        self._pitches = pitches(network, parameters, rows)

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
        meant = self.graph.tensors[self._meant[tensor]] if tensor in self._meant else None
        pitch, folding = self._pitches.get(tensor, 0), self._foldings.get(tensor)
        return StoredMap(found, self.parameters.channels, pitch, folding, meant)

    def ports(self) -> tuple[list[Layer], list[Layer]]:
        """INPUT and OUTPUT of every tensor that enters and leaves, in the order of their packets."""
        inputs = [
            Layer(
                f"input_t{port}",
                {"operation": Operation.INPUT, **self._frame(tensor, given=False)},
                (),
                tensor,
                rows=self.graph.tensors[tensor].height,
            )
            for port, tensor in self.network.inputs.items()
        ]
        outputs = [
            Layer(
                f"output_t{tensor}", {"operation": Operation.OUTPUT, **self._frame(tensor, given=True)}, (tensor,), None
            )
            for tensor in self.network.outputs
        ]
        return inputs, outputs

    def _frame(self, tensor: int, *, given: bool) -> dict[str, int]:
        """The fields of INPUT, or of OUTPUT where it is ``given``."""
        stored, p = self.map(tensor), self.parameters
        values = {
            "pixels": stored.tensor.pixels - 1,
            "words": stored.words_of_pixel - 1,
            "tail": (stored.tensor.channels - 1) % p.channels,
            "fill": stored.zero_point,
            "unsigned": int(stored.offset > 0),
        }
        if given or p.input_elements == 1:
            return values | (stored.folding.fields if stored.folding else {})
        if stored.folding is not None:
            return values | stored.folding.fields
        if stored.words_of_pixel > 1 and p.channels % p.input_elements:
            raise GraphError(
                f"input {tensor} has {stored.tensor.channels} channels in {stored.words_of_pixel} words of a pixel; "
                f"beats of input_elements = {p.input_elements} do not fill words of {p.channels}"
            )
        return values | {"tail": values["tail"] // p.input_elements}

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
