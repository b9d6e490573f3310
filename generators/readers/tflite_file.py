"""Reader of quantised ``.tflite`` files: from a path to a :class:`~mbconv.generators.graph.graph.Graph`.

Full-integer files are read: int8 per channel or per tensor, uint8 per tensor, as TFLiteConverter and ai-edge-quantizer
write them. What surrounds the integers is dissolved: a float input that a QUANTIZE turns into integers gives an integer
input, constants of shapes and axes are consumed, SAME and VALID become explicit padding. Tensor and operator indices
are the file's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..graph.checks import operator_problems, structure_problems
from ..graph.graph import Graph, GraphError, Operator
from ..graph.refusal import refusal_lines, usable_range
from ..operators.registry import TFLITE_FORMS
from .constant_folding import fold_constants
from .file_range import file_range, without_dead_branches
from .tflite_content import FileContent, FileOperator, read_content
from .tflite_numbers import DESCRIPTIONS, RECIPE, WEIGHTED, FileNumbers
from .tflite_reader import Reader, Tensors, Unsupported

_ADVICE = {
    "ELU": "train with ReLU6 instead",
    "CUSTOM": "cut the model before it",
    "BATCH_MATMUL": "use a fully connected layer with constant weights",
    "MIRROR_PAD": "pad with zeros",
    "PADV2": "pad with zeros",
    "SHAPE": "convert with a fixed input shape, so that shapes are constants",
}
_COMPILED = {
    "edgetpu-custom-op": "the Edge TPU (its name ends in _edgetpu)",
    "ethos-u": "an Ethos-U (by Vela)",
}


def read_tflite(path: str | Path, layers: tuple[int, int] | None = None) -> Graph:
    """Read a quantised TFLite file.

    Args:
        path: a ``.tflite`` file: one subgraph, batch size 1, int8 or uint8 throughout. Supported operators are the
            keys of :data:`~mbconv.generators.operators.registry.TFLITE_FORMS`.
        layers: operators ``(first, last)`` (half open) alone, judged alone: what lies outside may be unsupported.

    Returns:
        The graph, named after the file as far as that can be printed, without what no output needs and with constants
        computed.

    Raises:
        GraphError: the file cannot be read, is damaged, or cannot be used; the message names every operator that is not
            supported, each with the reason, and says what to do. The range is none of the file's.
    """
    content = _dissolve_float_inputs(read_content(path))
    numbers = FileNumbers(content)
    content = without_dead_branches(fold_constants(content))
    name = "".join(character if character.isprintable() else "_" for character in Path(path).stem)
    if layers is not None:
        if not content.operators:
            raise GraphError(f"{path} has no operators")
        graph, refusal = _graph(*file_range(content, *layers), f"{name}_{layers[0]}_{layers[1]}", numbers)
    else:
        graph, refusal = _graph(content, frozenset(), name, numbers)
    if not refusal.lines:
        return graph
    message = [f"{path} cannot be used:", *(f"  {line}" for line in refusal.lines)]
    if any(op.code not in TFLITE_FORMS for op in refusal.operators):
        message.append(f"Supported operators: {', '.join(TFLITE_FORMS)}.")
    if numbers.kind is not None or any(op.code in WEIGHTED and numbers.of(op) is not None for op in refusal.operators):
        message.append(RECIPE)
    elif layers is None and refusal.operators:
        others = usable_range(
            [op.index for op in content.operators],
            (op.index for op in refusal.operators),
            lambda first, last: _usable(content, first, last, numbers),
        )
        message += [others] if others else []
    raise GraphError("\n".join(message))


@dataclass(frozen=True)
class _Refusal:
    """What is wrong with a file or a range: lines of a message, and the operators that they name."""

    lines: list[str]
    operators: list[FileOperator]


def _graph(content: FileContent, cuts: frozenset[int], name: str, numbers: FileNumbers) -> tuple[Graph, _Refusal]:
    """The graph of a file's content as far as it can be read, and all that is wrong with it."""
    tensors = Tensors(content)
    operators: list[Operator] = []
    problems: list[tuple[FileOperator, str]] = []
    for file_operator in content.operators:
        try:
            read = _read_operator(file_operator, numbers, tensors)
        except Unsupported as error:
            problems.append((file_operator, str(error)))
            continue
        operators += read
        problems += [(file_operator, problem) for op in read for problem in operator_problems(op, tensors.made)]
    outputs = tuple(dict.fromkeys(content.outputs))  # one that the file names twice is one stream
    used = {*content.inputs, *(t for op in operators for t in (*op.inputs, *op.outputs))}
    graph = Graph(
        name=name,
        tensors={i: t for i, t in sorted(tensors.made.items()) if i in used},
        operators=tuple(operators),
        inputs=content.inputs,
        outputs=outputs,
        cuts=cuts,
    )
    lines = [] if numbers.kind is None else [f"it {DESCRIPTIONS[numbers.kind]}"]
    lines += refusal_lines((op.index, op.code, problem) for op, problem in problems)
    if not lines:
        lines = _unread_inputs(content) or structure_problems(graph) if content.operators else ["it has no operators"]
        if not cuts:
            lines += _batch_problems(graph)
    return graph, _Refusal(lines, [op for op, _ in problems])


def _usable(content: FileContent, first: int, last: int, numbers: FileNumbers) -> bool:
    return not _graph(*file_range(content, first, last), "range", numbers)[1].lines


def _unread_inputs(content: FileContent) -> list[str]:
    read = {tensor for op in content.operators for tensor in op.inputs}
    return [
        f"input {index} '{content.tensors[index].name}' is read by no operator that an output needs; remove it from "
        "the model"
        for index in content.inputs
        if index not in read
    ]


def _batch_problems(graph: Graph) -> list[str]:
    """Inputs of several pictures at once. Within a network a first axis may as well count pixels."""
    return [
        f"tensor {tensor.index} '{tensor.name}' has batch size {tensor.shape[0]}; convert the model with batch size 1"
        for tensor in (graph.tensors[index] for index in graph.inputs if index in graph.tensors)
        if len(tensor.shape) > 1 and tensor.shape[0] != 1
    ]


def _read_operator(operator: FileOperator, numbers: FileNumbers, tensors: Tensors) -> tuple[Operator, ...]:
    """What an operator is in the graph; nothing in a file whose numbers are not supported, which is said once for all
    of it.

    Raises:
        Unsupported: the operator cannot be used.
    """
    if operator.code not in TFLITE_FORMS:
        compiled = next((of for custom, of in _COMPILED.items() if custom in operator.code), None)
        if compiled is not None:
            raise Unsupported(f"holds what was compiled for {compiled}; give the file that it was compiled from")
        advice = _ADVICE.get(operator.code.split(" ")[0])
        raise Unsupported("is not supported" + (f"; {advice}" if advice else ""))
    if numbers.kind is not None:
        return ()
    kind = numbers.of(operator)
    if kind is not None:
        raise Unsupported(f"computes with {kind} numbers amid 8-bit integers; quantise the whole model")
    form = TFLITE_FORMS[operator.code]
    if form.options and operator.options_table not in ("", form.options):
        raise Unsupported(f"carries the options of another operator ({operator.options_table}): the file is damaged")
    read = form.read(Reader(operator, tensors))
    return read if isinstance(read, tuple) else (read,)


def _dissolve_float_inputs(content: FileContent) -> FileContent:
    """Turn each float input that is only quantised (or first transposed) into an integer input.

    A default TFLiteConverter file begins with QUANTIZE: the tensor that it writes becomes the input. Where a
    TRANSPOSE comes first, the input takes the quantisation of the QUANTIZE behind it, since the two commute.

    Returns:
        The content with other inputs, and without those QUANTIZE operators.
    """
    readers: dict[int, list[FileOperator]] = {}
    for op in content.operators:
        for tensor in op.inputs:
            readers.setdefault(tensor, []).append(op)

    def only_reader(tensor: int, code: str) -> FileOperator | None:
        """The operator of this kind that alone reads a tensor, if it writes one tensor."""
        found = readers.get(tensor, [])
        if len(found) != 1 or found[0].code != code or len(found[0].outputs) != 1 or tensor in content.outputs:
            return None
        return found[0] if found[0].inputs[0] == tensor else None

    tensors, operators, inputs = list(content.tensors), list(content.operators), list(content.inputs)
    skipped: set[int] = set()
    for place, index in enumerate(content.inputs):
        if tensors[index].type != "FLOAT32":
            continue
        transpose = only_reader(index, "TRANSPOSE")
        quantize = only_reader(transpose.outputs[0] if transpose else index, "QUANTIZE")
        if quantize is None:
            continue
        skipped.add(quantize.index)
        result = tensors[quantize.outputs[0]]
        if transpose is None:
            inputs[place] = result.index
        else:
            tensors[index] = replace(
                tensors[index], type=result.type, scales=result.scales, zero_points=result.zero_points
            )
            operators[operators.index(transpose)] = replace(transpose, outputs=(result.index,))
    kept = tuple(op for op in operators if op.index not in skipped)
    return replace(content, tensors=tuple(tensors), operators=kept, inputs=tuple(inputs))
