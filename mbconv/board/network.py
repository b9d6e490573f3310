"""A graph as a board's link carries it: its input as bytes, and the outputs that the bytes of a result mean."""

from __future__ import annotations

import numpy as np

from mbconv.generators.emission.board import model_hash
from mbconv.generators.graph.graph import Graph
from mbconv.generators.stages.network import build_network
from mbconv.hdl.link.identity import Identity
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation.host import host_outputs

from .errors import BoardError, WrongNetwork
from .pseudo_random import frames, signature


class LinkedNetwork:
    """A graph of one input and one output behind a link.

    Raises:
        BoardError: it has several.
    """

    def __init__(self, graph: Graph):
        self.graph, self.network = graph, build_network(graph)
        if len(self.network.inputs) != 1 or len(self.network.outputs) != 1:
            raise BoardError(
                f"a board's link carries one input and one output; {graph.name} has {len(self.network.inputs)} and "
                f"{len(self.network.outputs)}"
            )
        ((self._input, inside),) = self.network.inputs.items()
        (self._output,) = self.network.outputs
        self._permutation = None
        if inside != self._input:
            transpose = next(op for op in graph if op.outputs == (inside,))
            self._permutation = tuple(transpose.permutation)

    def check(self, device: str, identity: Identity) -> None:
        """Refuse a board that holds another network.

        Raises:
            WrongNetwork: it does; the message says which.
        """
        wanted = model_hash(self.graph)
        if identity.model != wanted:
            raise WrongNetwork(
                f"{device} holds {identity.name} (model {identity.model.hex()}), not {self.graph.name} (model "
                f"{wanted.hex()}): load its bitstream, or give the model that it was made from"
            )

    def raster(self, values: np.ndarray) -> np.ndarray:
        """An input in the order of the link: behind a dissolved TRANSPOSE, that of its result."""
        shaped = np.asarray(values).reshape(self.graph.tensors[self._input].shape)
        return shaped if self._permutation is None else shaped.transpose(self._permutation)

    def outputs(self, picture: np.ndarray, result: np.ndarray) -> dict[int, np.ndarray]:
        """The graph's outputs by tensor index: those of the circuit, and what the host makes of them and the input."""
        source = self.graph.tensors[self._input]
        given = np.asarray(picture).reshape(source.shape).astype(source.element.dtype)
        return host_outputs(self.graph, {self._output: result}, {self._input: given})

    def expected(self, identity: Identity, elements: np.ndarray) -> bytes:
        """The golden model's result, as bytes, of elements in the link's order."""
        tensor = self.graph.tensors[self._input]
        if self._permutation is not None:
            shape = tuple(tensor.shape[axis] for axis in self._permutation)
            elements = elements.reshape(shape).transpose(np.argsort(self._permutation))
        values = elements.reshape(tensor.shape).astype(tensor.element.dtype)
        result = golden.run(self.graph, {self._input: values})[self._output]
        return result.astype(np.int64).astype(f"<i{identity.result.element_bytes}", casting="unsafe").tobytes()

    def expected_signature(self, identity: Identity, seed: int, count: int, progress=None) -> int:
        """The golden model's signature of a measurement."""
        results = []
        for number, elements in enumerate(frames(identity.source, seed, count)):
            results.append(self.expected(identity, elements))
            if progress is not None:
                progress(number + 1, count)
        return signature(identity.result, b"".join(results))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of the circuit's output."""
        return self.graph.tensors[self._output].shape
