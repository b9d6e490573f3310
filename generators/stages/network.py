"""From a graph to the network of circuits: which operators become stages, which are wiring, which are the host's.

Wiring: RESHAPE is another view of a stream, whose lanes then divide the channels of both; PAD joins the padding of the
windows behind it; TRANSPOSE at an input becomes the port's element order. The host's: SOFTMAX, DEQUANTIZE and whatever
follows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from mbconv.hdl.processes import shared_out

from ..constants.remembered import recall, remember, remembered
from ..graph.graph import NO_PADDING, Graph, GraphError, Operator, Padding, Tensor
from ..graph.lowering import Circuit, Padded, PortOrder, Wire
from ..graph.refusal import refusal_lines, usable_range
from ..graph.shown import Shown
from ..planning.folding import Folding
from ..planning.plan import Plan
from .folded import FoldedCircuit
from .protocol import Site, StageCircuit
from .registry import circuit_named

_ANY_INTERVAL = 1 << 48
_WORTH_A_PROCESS = 12  # stages whose constants take longer to find than a process to start


@dataclass(frozen=True, eq=False)
class Node:
    """One circuit of the network, before it is folded.

    Attributes:
        kind: the name of its circuit, a file of this folder.
        inputs, output: tensors, renamed ones resolved to the one that their stream is named by.
        kernel, strides, padding: of the window; a pointwise stage has none.
        reduction: products that one output sums.
        rasters: rows, columns and channels as it reads each input, which a RESHAPE may have changed.
    """

    name: str
    kind: str
    operator: Operator
    inputs: tuple[int, ...]
    output: int
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = NO_PADDING
    reduction: int = 0
    rasters: tuple[StreamShape, ...] = ()

    @property
    def raster(self) -> StreamShape | None:
        """That of its first input."""
        return self.rasters[0] if self.rasters else None

    @property
    def circuit(self) -> StageCircuit:
        """What is known of its circuit.

        Raises:
            LookupError: no circuit is named so.
        """
        return circuit_named(self.kind)


@dataclass(frozen=True)
class StreamShape:
    """The raster of a tensor's stream."""

    height: int
    width: int
    channels: int

    @property
    def pixels(self) -> int:
        return self.height * self.width

    def beats(self, lanes: int) -> int:
        return self.pixels * -(-self.channels // lanes)


@dataclass(frozen=True, eq=False)
class Network(Shown):
    """The circuits of a graph, in order, with the tensors that enter, leave and flow between them.

    Attributes:
        inputs: tensor that the port is named by → the tensor whose raster it carries (different behind a TRANSPOSE).
        views: of streams that are read in other rasters than they are written in, or whose beats must be whole, the
            channels of every raster: lanes must divide them all. A map that is read as one vector of all its pixels is
            one case of it.
        host: operators left to the host, after the outputs.
        streams: of tensors that are another name or raster of a stream, the tensor that it is named by.
        straight: the network's inputs, and what is an input renamed, turned or padded: no circuit computes it.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    inputs: dict[int, int]
    outputs: tuple[int, ...]
    shapes: dict[int, StreamShape]
    views: dict[int, tuple[int, ...]]
    host: tuple[Operator, ...]
    streams: dict[int, int] = field(default_factory=dict)
    straight: frozenset[int] = frozenset()

    def shown(self) -> dict[str, object]:
        return {
            "of": self.graph.name,
            "stages": len(self.nodes),
            "inputs": len(self.inputs),
            "outputs": len(self.outputs),
        }

    def tensor(self, index: int) -> Tensor:
        return self.graph.tensors[index]

    def consumers(self, tensor: int) -> list[Node]:
        """The nodes that read a tensor, once for each of their inputs that do."""
        return [node for node in self.nodes for read in node.inputs if read == tensor]

    @property
    def folded(self) -> list[tuple[Node, FoldedCircuit]]:
        """The nodes for which a plan chooses a folding."""
        return [(node, circuit) for node in self.nodes if isinstance(circuit := node.circuit, FoldedCircuit)]

    def macs(self, node: Node) -> int:
        return self.graph.macs(node.operator)

    @cached_property
    def host_part(self) -> Graph | None:
        """What the host computes, of the circuit's outputs and of the network's inputs; None where that is nothing.

        What it reads of an input that is renamed it renames itself.
        """
        needed, found = set[int](), list[Operator]()
        for op in reversed(self.graph.operators):
            if op in self.host or self.straight.intersection(op.outputs) & needed:
                found.insert(0, op)
                needed.update(op.inputs)
        return self.graph.part(tuple(found), f"{self.graph.name}_host") if found else None


class _Assembly:
    """A network being put together, operator by operator."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ports = {tensor: tensor for tensor in graph.inputs}
        self.straight = set(graph.inputs)
        self.nodes: list[Node] = []
        self._views: dict[int, set[int]] = {}  # of streams: the channels of the rasters that they are read in
        self._whole_beats: set[int] = set()  # streams without an empty lane
        self.streams: dict[int, int] = {}  # of renamed tensors: the stream that carries them
        self._rasters: dict[int, StreamShape] = {}  # of padded tensors: what is there before the padding
        self._padding: dict[int, Padding] = {}

    def stream(self, tensor: int) -> int:
        """The tensor that the stream of a tensor is named by."""
        return self.streams.get(tensor, tensor)

    def add(self, op: Operator) -> None:
        """Put an operator in its place.

        Raises:
            GraphError: no circuit computes it; the message follows the operator's name.
        """
        (tensor, *_), output = op.inputs, op.outputs[0]
        padding = self._padding.get(tensor, NO_PADDING)
        lowering = op.lower(self.graph, padding)
        if isinstance(lowering, tuple):  # a circuit for each output
            for place, circuit in enumerate(lowering):
                if op.outputs[place] in self.graph.outputs or self.graph.consumers(op.outputs[place]):
                    self._circuit(op, circuit, place)
        elif isinstance(lowering, Circuit):
            self._circuit(op, lowering)
        elif isinstance(lowering, PortOrder):
            self.ports[tensor] = output
        elif isinstance(lowering, Padded):
            self.streams[output] = self.stream(tensor)
            self._rasters[output] = self._raster(tensor)
            self._padding[output] = lowering.padding
        else:
            assert isinstance(lowering, Wire)
            self.streams[output] = self.stream(tensor)
        if not isinstance(lowering, tuple | Circuit) and tensor in self.straight:
            self.straight.add(output)

    def _circuit(self, op: Operator, circuit: Circuit, place: int = 0) -> None:
        """A circuit that makes one of an operator's outputs."""
        inputs = tuple(self.stream(tensor) for tensor in op.inputs)
        window = circuit.window
        part = f"_{place}" if len(op.outputs) > 1 else ""
        self.nodes.append(
            Node(
                f"layer_{op.index:02d}_{circuit.kind}{part}",
                circuit.kind,
                op,
                inputs,
                op.outputs[place],
                window.kernel,
                window.strides,
                window.padding,
                circuit.reduction,
                tuple(self._raster(tensor) for tensor in op.inputs),
            )
        )
        for tensor, stream in zip(op.inputs, inputs, strict=True):
            channels = circuit.reduction if circuit.whole_vector else self._raster(tensor).channels
            self._views.setdefault(stream, {self.graph.tensors[stream].channels}).add(channels)
            self._views[stream].update(circuit.lanes_divide)
        if circuit.lanes_divide:
            self._whole_beats.update(inputs)

    @property
    def views(self) -> dict[int, tuple[int, ...]]:
        """The channels of all rasters of streams that have several, or whose beats must be whole."""
        return {
            stream: tuple(sorted(channels))
            for stream, channels in self._views.items()
            if len(channels) > 1 or stream in self._whole_beats
        }

    def _raster(self, tensor: int) -> StreamShape:
        return self._rasters.get(tensor, stream_shape(self.graph.tensors[tensor]))


def stream_shape(tensor: Tensor) -> StreamShape:
    """The raster of a tensor as it is."""
    return StreamShape(tensor.height, tensor.width, tensor.channels)


def _assembled(graph: Graph) -> tuple[_Assembly, list[tuple[int, str, str]]]:
    """The network's parts, and the operators that no circuit exists for: index, kind and reason."""
    assembly, problems = _Assembly(graph), []
    for op in graph:
        if op not in graph.host:
            try:
                assembly.add(op)
            except GraphError as error:
                problems.append((op.index, op.kind, str(error)))
    return assembly, problems


def circuit_problems(graph: Graph) -> list[str]:
    """What no circuit computes, one line for each reason, then what can be built all the same; empty where all of a
    graph can be.

    Every node's circuit is asked, so whatever it refuses (sums that turn over, scales for which nothing is exact) is
    listed here, before anything is planned.
    """
    return remembered(graph, "problems", lambda: _circuit_problems(graph))


def _circuit_problems(graph: Graph) -> list[str]:
    assembly, problems = _assembled(graph)
    problems = sorted(problems + _refused_by_circuits(_network(graph, assembly)))
    if problems:
        indices = [op.index for op in graph]
        alone = usable_range(indices, (index for index, _, _ in problems), lambda *r: _can_be_built(graph.layers(*r)))
        return [*refusal_lines(problems), *([alone] if alone else [])]
    if not assembly.nodes:
        return ["nothing of this network is left to build: all its operators are wiring or the host's"]
    return [
        f"tensor {t} is an output, but an input at most renamed: nothing computes it; leave it out"
        for t in graph.outputs
        if t in assembly.straight
    ]


def _refused_by_circuits(network: Network) -> list[tuple[int, str, str]]:
    """Index, kind and reason of the operators for which a circuit exists, but none that is exact."""
    plan = Plan(
        {node.operator.index: Folding(1, 1) for node, _ in network.folded},
        dict.fromkeys(network.shapes, 1),
        _ANY_INTERVAL,
        None,
    )
    graph, problems = network.graph, []
    answers = shared_out(_asked, [Site(network, node, plan) for node in network.nodes], _WORTH_A_PROCESS)
    for node, (refusal, constants) in zip(network.nodes, answers, strict=True):
        op = node.operator
        if constants is not None:
            remember(graph, ("constants", op.index), constants)
        if refusal is not None:
            phrase = refusal.removeprefix(f"operator {op.index} {op.kind}").removeprefix(": ").strip()
            problems.append((op.index, op.kind, f"cannot be computed exactly: {phrase}"))
    return problems


def _asked(site: Site) -> tuple[str | None, object]:
    """Why a site's circuit refuses it, if it does, and the constants that were found meanwhile and last."""
    try:
        site.node.circuit.check(site)
    except GraphError as error:
        return str(error), None
    return None, recall(site.network.graph, ("constants", site.node.operator.index))


def _outputs(graph: Graph, assembly: _Assembly) -> list[int]:
    """The tensors that leave the circuit: outputs of the graph, and what the host reads and has not."""
    read = (t for op in graph.host for t in op.inputs)
    return [t for t in (*graph.outputs, *read) if graph.producer(t) not in graph.host and t not in assembly.straight]


def _can_be_built(graph: Graph) -> bool:
    assembly, problems = _assembled(graph)
    return bool(assembly.nodes) and not problems


def build_network(graph: Graph) -> Network:
    """Decide what each operator of a graph becomes.

    Raises:
        GraphError: operators that no circuit computes, all of them named.
    """
    if problems := circuit_problems(graph):
        raise GraphError("\n  ".join([f"{graph.name} cannot be built:", *problems]))
    return _network(graph, _assembled(graph)[0])


def _network(graph: Graph, assembly: _Assembly) -> Network:
    nodes = tuple(assembly.nodes)
    read = {tensor for node in nodes for tensor in node.inputs}
    # What the host alone reads needs no port: the host has it.
    ports = {port: tensor for port, tensor in assembly.ports.items() if tensor in read}
    used = set(ports.values()) | {t for node in nodes for t in (*node.inputs, node.output)}
    return Network(
        graph,
        nodes,
        ports,
        tuple(dict.fromkeys(assembly.stream(tensor) for tensor in _outputs(graph, assembly))),
        {tensor: stream_shape(graph.tensors[tensor]) for tensor in used},
        assembly.views,
        graph.host,
        assembly.streams,
        frozenset(assembly.straight),
    )
