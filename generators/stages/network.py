"""From a graph to the network of circuits: which operators become stages, which are wiring, which are the host's.

Wiring: RESHAPE renames a stream, PAD joins the padding of the windows behind it, TRANSPOSE at an input becomes the
port's element order. The host's: SOFTMAX, DEQUANTIZE and whatever follows them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..graph.graph import Graph, GraphError, Operator, Padding, Tensor
from ..graph.table_operator import TableOperator
from ..operators.add import Add
from ..operators.average_pool import AveragePool
from ..operators.convolution import Convolution
from ..operators.depthwise_convolution import DepthwiseConvolution
from ..operators.fully_connected import FullyConnected
from ..operators.mean import Mean
from ..operators.pad import Pad
from ..operators.reshape import Reshape
from ..operators.transpose import Transpose

NO_PADDING = Padding()


@dataclass(frozen=True, eq=False)
class Node:
    """One circuit of the network, before it is folded.

    Attributes:
        kind: ``pointwise``, ``depthwise``, ``convolution``, ``add``, ``lookup`` or ``pool``.
        inputs, output: tensors, renamed ones resolved to the one that their stream is named by.
        kernel, strides, padding: of the window; a pointwise stage has none.
        reduction: products that one output sums.
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

    @property
    def is_mac(self) -> bool:
        return self.kind in ("pointwise", "depthwise", "convolution")


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
class Network:
    """The circuits of a graph, in order, with the tensors that enter, leave and flow between them.

    Attributes:
        inputs: tensor that the port is named by → the tensor whose raster it carries (different behind a TRANSPOSE).
        whole_vectors: tensors read as one vector of all their pixels, whose lanes must divide their channels.
        host: operators left to the host, after the outputs.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    inputs: dict[int, int]
    outputs: tuple[int, ...]
    shapes: dict[int, StreamShape]
    whole_vectors: frozenset[int]
    host: tuple[Operator, ...]

    def tensor(self, index: int) -> Tensor:
        return self.graph.tensors[index]

    def consumers(self, tensor: int) -> list[Node]:
        """The nodes that read a tensor, once for each of their inputs that do."""
        return [node for node in self.nodes for read in node.inputs if read == tensor]

    def macs(self, node: Node) -> int:
        return self.graph.macs(node.operator)


_KINDS = {
    Add: "add",
    AveragePool: "pool",
    Mean: "pool",
}


def build_network(graph: Graph) -> Network:
    """Decide what each operator of a graph becomes.

    Raises:
        GraphError: operators that no circuit exists for, all of them named.
    """
    host = {op.index for op in graph.host}
    alias: dict[int, int] = {}
    pads: dict[int, Padding] = {}
    ports = {tensor: tensor for tensor in graph.inputs}
    nodes: list[Node] = []
    whole: set[int] = set()
    problems: list[str] = []

    def source(tensor: int) -> int:
        while tensor in alias:
            tensor = alias[tensor]
        return tensor

    for op in graph:
        if op.index in host:
            continue
        try:
            inputs = tuple(source(t) for t in op.inputs)
            if isinstance(op, Reshape) or (isinstance(op, Transpose) and op.keeps_order(graph.tensors[op.inputs[0]])):
                alias[op.outputs[0]] = inputs[0]
            elif isinstance(op, Pad):
                if any(op.channels):
                    raise GraphError("padding of channels has no circuit yet")
                alias[op.outputs[0]] = inputs[0]
                pads[op.outputs[0]] = op.padding
                if any(not isinstance(c, (Convolution, DepthwiseConvolution)) for c in graph.consumers(op.outputs[0])):
                    raise GraphError("only convolutions can read a padded map")
                if op.outputs[0] in graph.outputs:
                    raise GraphError(
                        "a padded map cannot be an output; end the range before it or after the convolution"
                    )
            elif isinstance(op, Transpose):
                if op.inputs[0] not in ports:
                    raise GraphError("only a TRANSPOSE of an input can be dissolved")
                if len(graph.consumers(op.inputs[0])) > 1:
                    raise GraphError("an input that is read both transposed and not has no single order")
                ports[op.inputs[0]] = op.outputs[0]
            else:
                node = _node(graph, op, inputs, pads)
                if isinstance(op, FullyConnected) and graph.tensors[inputs[0]].channels != node.reduction:
                    whole.add(inputs[0])
                nodes.append(node)
        except GraphError as error:
            problems.append(f"operator {op.index} {op.kind}: {error}")
    if problems:
        raise GraphError("no circuit exists for\n  " + "\n  ".join(problems))

    outputs = [source(t) for t in graph.outputs if (p := graph.producer(t)) is None or p.index not in host]
    outputs += [
        source(t)
        for op in graph
        if op.index in host
        for t in op.inputs
        if (p := graph.producer(t)) and p.index not in host
    ]
    outputs = list(dict.fromkeys(outputs))
    used = set(ports.values()) | {t for node in nodes for t in (*node.inputs, node.output)}
    shapes = {t: StreamShape(graph.tensors[t].height, graph.tensors[t].width, graph.tensors[t].channels) for t in used}
    if not nodes:
        raise GraphError("nothing of this network is left to build: all its operators are wiring or the host's")
    return Network(
        graph,
        tuple(nodes),
        ports,
        tuple(outputs),
        shapes,
        frozenset(whole),
        graph.host,
    )


def _node(graph: Graph, op: Operator, inputs: tuple[int, ...], pads: dict[int, Padding]) -> Node:
    node = Node("", "", op, inputs, op.outputs[0])
    source = graph.tensors[op.inputs[0]]
    if isinstance(op, (Convolution, DepthwiseConvolution)):
        extra = pads.get(op.inputs[0], Padding())
        own = op.padding
        padding = Padding(
            own.top + extra.top, own.bottom + extra.bottom, own.left + extra.left, own.right + extra.right
        )
        kernel = op.kernel
        if any(size % 2 == 0 for size in kernel):
            raise GraphError(f"a {kernel[0]}×{kernel[1]} kernel is even; windows have odd kernels")
        if padding.top >= kernel[0] or padding.left >= kernel[1]:
            raise GraphError(
                f"with {padding.top} rows above and {padding.left} columns to the left the first window of "
                f"{kernel[0]}×{kernel[1]} lies wholly in the padding; pad less than the kernel"
            )
        if isinstance(op, DepthwiseConvolution) and not (op.depth_multiplier == 1 and source.channels > 1):
            if source.channels != 1:
                raise GraphError(
                    f"depth multiplier {op.depth_multiplier} over {source.channels} channels; only over one"
                )
            kind, reduction = "convolution", kernel[0] * kernel[1]
        elif isinstance(op, DepthwiseConvolution):
            kind, reduction = "depthwise", kernel[0] * kernel[1]
        else:
            kind, reduction = "convolution", kernel[0] * kernel[1] * source.channels
            if kernel == (1, 1) and op.strides == (1, 1) and padding == Padding():
                kind = "pointwise"
        node = replace(node, kind=kind, kernel=kernel, strides=op.strides, padding=padding, reduction=reduction)
    elif isinstance(op, FullyConnected):
        node = replace(node, kind="pointwise", reduction=op.weights.shape[1])
    elif isinstance(op, TableOperator) and op.by_channel:
        node = replace(node, kind="lookup")
    elif isinstance(op, Add) and len({graph.tensors[t].shape for t in op.inputs}) > 1:
        raise GraphError("one input is repeated over the other, which has no circuit yet")
    elif isinstance(op, Mean) and not op.over_all_pixels(source):
        raise GraphError(f"a mean over axes {list(op.axes)} of {list(source.shape)}; only over all pixels of a map")
    elif type(op) in _KINDS:
        node = replace(node, kind=_KINDS[type(op)])
        if isinstance(op, AveragePool) and (
            op.kernel != (source.height, source.width) or graph.tensors[op.outputs[0]].size != source.channels
        ):
            raise GraphError(
                f"a {op.kernel[0]}×{op.kernel[1]} window over {source.height}×{source.width}; only the whole map"
            )
    else:
        raise GraphError("it has no circuit yet")
    return replace(node, name=f"layer_{op.index:02d}_{node.kind}")
