"""What every graph must satisfy before anything is computed or built from it.

Readers call :func:`tensor_problems` and :func:`operator_problems` to report all that is wrong with a file at once;
:func:`check_graph` checks a whole graph, however it was made.
"""

from __future__ import annotations

from collections.abc import Mapping

from .graph import Graph, GraphError, Operator, Placement, Tensor
from .number_checks import number_problems, valid_scale

MAXIMUM_RANK = 6
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
    if not 1 <= len(tensor.shape) <= MAXIMUM_RANK:
        problems.append(f"has shape {list(tensor.shape)}; 1 to {MAXIMUM_RANK} dimensions are supported")
    elif len(tensor.shape) == 4 and tensor.shape[0] != 1:
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
    if len(op.outputs) != op.OUTPUTS if op.OUTPUTS is not None else not op.outputs:
        return [f"writes {len(op.outputs)} tensors, not {op.OUTPUTS or 'one or more'}"]
    if len(op.inputs) != op.INPUTS if op.INPUTS is not None else not op.inputs:
        return [f"reads {len(op.inputs)} computed tensors, not {op.INPUTS or 'one or more'}"]
    if op.numbers not in ("affine", "fixed"):
        return [f"has numbers {op.numbers!r}, neither 'affine' nor 'fixed'"]
    input_tensors = tuple(tensors[index] for index in op.inputs)
    outputs = tuple(tensors[index] for index in op.outputs)
    return number_problems(op, input_tensors, outputs) or op.problems(input_tensors, op.written(tensors))


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
        goes_on = any(index in graph.tensors and not graph.tensors[index].in_file for index in op.inputs)
        if op.index < previous + (not goes_on):
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
        if tensor in graph.tensors and tensor not in read:
            problems.append(f"input {tensor} is read by no operator; remove it from the model")
    for tensor in graph.outputs:
        if tensor not in written:
            problems.append(f"output {tensor} is computed by no operator; remove it from the model")
    for op in graph:
        if not (read | set(graph.outputs)).intersection(op.outputs):
            problems.append(
                f"operator {op.index} {op.kind} computes tensor {op.outputs[0]}, which nothing reads; remove it"
            )
    return problems or _placement_problems(graph)


def _placement_problems(graph: Graph) -> list[str]:
    """The host computes what stands at the end; it multiplies no weights there."""
    problems = []
    for op in graph.host:
        if op.WEIGHTED:
            first = _first_of_host(graph, op)
            problems.append(
                f"operator {op.index} {op.kind} follows operator {first.index} {first.kind}, which is supported at the "
                f"end of a network only, where the host computes it{first.HOST_ADVICE}"
            )
    return problems


def _first_of_host(graph: Graph, op: Operator) -> Operator:
    """The operator for which another behind it is the host's."""
    while op.placement(graph) is not Placement.HOST:
        op = next(p for t in op.inputs if (p := graph.producer(t)) in graph.host)
    return op
