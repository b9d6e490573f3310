"""What every graph must satisfy before anything is computed or built from it.

Readers call :func:`tensor_problems` and :func:`operator_problems` to report all that is wrong with a file at once;
:func:`check_graph` checks a whole graph, however it was made.
"""

from __future__ import annotations

from collections.abc import Mapping

from .graph import Graph, GraphError, Operator, Placement, Tensor
from .number_checks import number_problems, valid_scale

MAXIMUM_DIMENSION = 1 << 16
MAXIMUM_ELEMENTS = 1 << 27


def check_graph(graph: Graph) -> None:
    """Check a graph's tensors, operators and structure.

    Raises:
        GraphError: lists everything that is wrong, each with its operator or tensor.
    """
    problems = [f"tensor {t.index} '{t.name}' {p}" for t in graph.tensors.values() for p in tensor_problems(t)]
    problems += structure_problems(graph)
    if not problems:
        problems = [f"operator {op.index} {op.kind} {p}" for op in graph for p in operator_problems(op, graph.tensors)]
    if problems:
        raise GraphError("\n  ".join([f"the network '{graph.name}' is not valid:", *problems]))


def tensor_problems(tensor: Tensor) -> list[str]:
    """What is wrong with a tensor's shape or quantisation, as phrases that follow the tensor's name."""
    problems = []
    if len(tensor.shape) not in (2, 4):
        problems.append(
            f"has shape {list(tensor.shape)}; shapes of 2 (batch, channels) and 4 dimensions (NHWC) are supported: "
            "reshape it in the model"
        )
    elif tensor.shape[0] != 1:
        problems.append(f"has batch size {tensor.shape[0]}; convert the model with batch size 1")
    elif not all(1 <= size <= MAXIMUM_DIMENSION for size in tensor.shape) or tensor.size > MAXIMUM_ELEMENTS:
        problems.append(
            f"has shape {list(tensor.shape)}; a dimension is 1 to {MAXIMUM_DIMENSION}, and a tensor has at most "
            f"{MAXIMUM_ELEMENTS} elements"
        )
    if not valid_scale(tensor.scale):
        problems.append(f"has scale {tensor.scale}; a scale is a positive finite float32")
    if not tensor.element.minimum <= tensor.zero_point <= tensor.element.maximum:
        problems.append(
            f"has zero point {tensor.zero_point}, outside {tensor.element.minimum}..{tensor.element.maximum}"
        )
    return problems


def operator_problems(op: Operator, tensors: Mapping[int, Tensor]) -> list[str]:
    """What is wrong with an operator, given valid tensors, as phrases that follow the operator's name."""
    if len(op.outputs) != 1:
        return [f"writes {len(op.outputs)} tensors, not one"]
    if len(op.inputs) != op.INPUTS:
        return [f"reads {len(op.inputs)} computed tensors, not {op.INPUTS}"]
    if op.numbers not in ("affine", "fixed"):
        return [f"has numbers {op.numbers!r}, neither 'affine' nor 'fixed'"]
    sources = tuple(tensors[index] for index in op.inputs)
    output = tensors[op.outputs[0]]
    return number_problems(op, sources, output) or op.problems(sources, output)


def structure_problems(graph: Graph) -> list[str]:
    """What is wrong with how operators and tensors are linked: not a DAG in execution order, or loose ends."""
    problems = []
    for what, indices in (("input", graph.inputs), ("output", graph.outputs)):
        if not indices:
            problems.append(f"it has no {what}")
        if len(set(indices)) != len(indices):
            problems.append(f"its {what}s {list(indices)} name a tensor twice")
        problems += [f"its {what} {i} is no tensor of it" for i in indices if i not in graph.tensors]
    written: dict[int, Operator] = {}
    known = set(graph.inputs)
    previous = -1
    for op in graph:
        name = f"operator {op.index} {op.kind}"
        if op.index <= previous:
            problems.append(f"{name} follows operator {previous}")
        previous = op.index
        for tensor in op.inputs:
            if tensor not in known:
                problems.append(f"{name} reads tensor {tensor} before any operator writes it")
        for tensor in op.outputs:
            if tensor in written:
                problems.append(f"{name} writes tensor {tensor}, which operator {written[tensor].index} also writes")
            elif tensor in known:
                problems.append(f"{name} writes tensor {tensor}, an input of the network")
            if tensor not in graph.tensors:
                problems.append(f"{name} writes tensor {tensor}, which does not exist")
            written[tensor] = op
            known.add(tensor)
    read = {tensor for op in graph for tensor in op.inputs}
    for tensor in graph.inputs:
        if tensor not in read:
            problems.append(f"input {tensor} is read by no operator; remove it from the model")
    for tensor in graph.outputs:
        if tensor not in written:
            problems.append(f"output {tensor} is computed by no operator; remove it from the model")
    for tensor, op in written.items():
        if tensor not in read and tensor not in graph.outputs:
            problems.append(f"operator {op.index} {op.kind} computes tensor {tensor}, which nothing reads; remove it")
    return problems + _placement_problems(graph)


def _placement_problems(graph: Graph) -> list[str]:
    """Operators that the host or the port computes stand at an end of the network."""
    problems = []
    consumers: dict[int, list[Operator]] = {}
    for op in graph:
        for tensor in op.inputs:
            consumers.setdefault(tensor, []).append(op)
    host: set[int] = set()
    for op in graph:
        if op.PLACEMENT is Placement.INPUT and not set(op.inputs) <= set(graph.inputs):
            problems.append(
                f"operator {op.index} {op.kind} stands inside the network; it is supported at the input only: "
                "export the model channel-last (NHWC)"
            )
        followers = [c for tensor in op.outputs for c in consumers.get(tensor, ())]
        if op.WRITES_REAL and followers:
            names = ", ".join(f"{c.index} {c.kind}" for c in followers)
            problems.append(
                f"operator {op.index} {op.kind} is followed by operator {names}; it is supported at the output only"
            )
        if (op.PLACEMENT is Placement.HOST and not op.WRITES_REAL) or host.intersection(op.inputs):
            host.update(op.outputs)
            if op.PLACEMENT not in (Placement.HOST, Placement.ANYWHERE_OR_HOST):
                problems.append(
                    f"operator {op.index} {op.kind} follows a SOFTMAX; SOFTMAX is supported at the output only, where "
                    "the host computes it"
                )
    return problems
