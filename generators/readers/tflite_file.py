"""Reader of quantised ``.tflite`` files: from a path to a :class:`~mbconv.generators.graph.graph.Graph`.

Full-integer files are read: int8 per channel or per tensor, uint8 per tensor, as TFLiteConverter and ai-edge-quantizer
write them. What surrounds the integers is dissolved: a float input that a QUANTIZE turns into integers gives an integer
input, constants of shapes and axes are consumed, SAME and VALID become explicit padding. Tensor and operator indices
are the file's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..graph.checks import operator_problems, structure_problems
from ..graph.graph import Graph, GraphError, Operator
from ..operators.registry import TFLITE_FORMS
from .tflite_content import FileContent, FileOperator, read_content
from .tflite_numbers import DESCRIPTIONS, RECIPE, FileNumbers
from .tflite_reader import Reader, Tensors, Unsupported

_ADVICE = {
    "ELU": "train with ReLU6 instead",
    "GELU": "train with ReLU6 instead",
    "CUSTOM": "cut the model before it",
    "BATCH_MATMUL": "use a fully connected layer with constant weights",
    "MIRROR_PAD": "pad with zeros",
    "PADV2": "pad with zeros",
    "MAX_POOL_2D": "train with a strided convolution or average pooling instead",
    "CONCATENATION": "cut the model before it",
    "SHAPE": "convert with a fixed input shape, so that shapes are constants",
}


def read_tflite(path: str | Path) -> Graph:
    """Read a quantised TFLite file.

    Args:
        path: a ``.tflite`` file: one subgraph, batch size 1, int8 or uint8 throughout. Supported operators are the
            keys of :data:`~mbconv.generators.operators.registry.TFLITE_FORMS`, with fused NONE, RELU or RELU6;
            ADD also, MUL and SUB only, by a constant that is one number or one for each channel; TRANSPOSE at the
            input, DEQUANTIZE and SOFTMAX at the output.

    Returns:
        The graph, named after the file.

    Raises:
        GraphError: the file cannot be read, is damaged, or cannot be used; the message names every operator that is not
            supported, each with the reason, and says what to do.
    """
    content, skipped = _dissolve_float_inputs(read_content(path))
    numbers = FileNumbers(content)
    tensors = Tensors(content)
    operators: list[Operator] = []
    problems: list[tuple[FileOperator, str]] = []
    for file_operator in content.operators:
        if file_operator.index in skipped:
            continue
        try:
            operator = _read_operator(file_operator, numbers, tensors)
        except Unsupported as error:
            problems.append((file_operator, str(error)))
            continue
        if operator is not None:
            operators.append(operator)
            problems += [(file_operator, problem) for problem in operator_problems(operator, tensors.made)]
    used = {*content.inputs, *(t for op in operators for t in (*op.inputs, *op.outputs))}
    graph = Graph(
        name=Path(path).stem,
        tensors={i: t for i, t in sorted(tensors.made.items()) if i in used},
        operators=tuple(operators),
        inputs=content.inputs,
        outputs=content.outputs,
    )
    lines = [] if numbers.kind is None else [f"it {DESCRIPTIONS[numbers.kind]}"]
    lines += _grouped(problems)
    if not lines:
        lines = structure_problems(graph) if content.operators else ["it has no operators"]
    if lines:
        message = [f"{path} cannot be used:", *(f"  {line}" for line in lines)]
        if any(op.code not in TFLITE_FORMS for op, _ in problems):
            message.append(f"Supported operators: {', '.join(TFLITE_FORMS)}.")
        if any(numbers.of(op) is not None for op in content.operators):
            message.append(RECIPE)
        raise GraphError("\n".join(message))
    return graph


def _read_operator(operator: FileOperator, numbers: FileNumbers, tensors: Tensors) -> Operator | None:
    """An operator of the graph; None in a file whose numbers are not supported, which is said once for all of it.

    Raises:
        Unsupported: the operator cannot be used.
    """
    if operator.code not in TFLITE_FORMS:
        advice = _ADVICE.get(operator.code.split(" ")[0])
        raise Unsupported("is not supported" + (f"; {advice}" if advice else ""))
    if numbers.kind is not None:
        return None
    kind = numbers.of(operator)
    if kind is not None:
        raise Unsupported(f"computes with {kind} numbers amid 8-bit integers; quantise the whole model")
    form = TFLITE_FORMS[operator.code]
    if form.options and operator.options_table not in ("", form.options):
        raise Unsupported(f"carries the options of another operator ({operator.options_table}): the file is damaged")
    return form.read(Reader(operator, tensors))


def _grouped(problems: Sequence[tuple[FileOperator, str]]) -> list[str]:
    """One line for each kind of operator and reason, with the indices of all operators that have it."""
    groups: dict[tuple[str, str], list[int]] = {}
    for operator, problem in problems:
        groups.setdefault((operator.code, problem), []).append(operator.index)
    lines = []
    for (code, problem), indices in groups.items():
        what = "operator" if len(indices) == 1 else "operators"
        subject = f"{what} {', '.join(map(str, indices))} {code}"
        lines.append(f"{subject} {problem}" if len(indices) == 1 else f"{subject}: each {problem}")
    return lines


def _dissolve_float_inputs(content: FileContent) -> tuple[FileContent, set[int]]:
    """Turn each float input that is only quantised (or first transposed) into an integer input.

    A default TFLiteConverter file begins with QUANTIZE: the tensor that it writes becomes the input. Where a
    TRANSPOSE comes first, the input takes the quantisation of the QUANTIZE behind it, since the two commute.

    Returns:
        The content with other inputs, and the indices of the QUANTIZE operators that have gone.
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
            operators[transpose.index] = replace(transpose, outputs=(result.index,))
    return replace(content, tensors=tuple(tensors), operators=tuple(operators), inputs=tuple(inputs)), skipped
