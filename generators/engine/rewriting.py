"""A graph in which operators are computed by several others: what the rewritings of the engine's compiler share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from mbconv.hdl.engine.parameters import EngineParameters

from ..graph.graph import Graph, Operator, Tensor


class Rewriting:
    """Goes over a graph's operators, but for what the host computes; ``graph`` is the result.

    Operators that are added have indices beyond the file's, their results are tensors that are not ``in_file``. A
    rewriting changes no element of the file's own tensors.
    """

    def __init__(self, graph: Graph, parameters: EngineParameters) -> None:
        self.parameters = parameters
        self.tensors, self.operators = dict(graph.tensors), list[Operator]()
        self._index = max((op.index for op in graph.operators), default=0)
        host = {op.index for op in graph.host}
        for op in graph.operators:
            self.operators.append(op if op.index in host else self.rewritten(op))
        self.graph = replace(graph, tensors=self.tensors, operators=tuple(self.operators))

    @abstractmethod
    def rewritten(self, op: Operator) -> Operator:
        """What stands in an operator's place, behind what was put before it in ``operators``."""

    def next_index(self) -> int:
        """Of an operator that is added."""
        self._index += 1
        return self._index

    def tensor(self, like: Tensor, name: str, shape: tuple[int, ...]) -> Tensor:
        """A further tensor."""
        index = max(self.tensors) + 1
        made = replace(like, index=index, name=f"{like.name}/{name}", shape=shape, in_file=False)
        self.tensors[index] = made
        return made
