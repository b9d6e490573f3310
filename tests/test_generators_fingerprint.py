"""The hash of a model: everything that is computed counts, and nothing else."""

from dataclasses import dataclass, field, fields, replace

from emitted_folders import AFFINE, FIXED

from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.readers.block import parse_block
from mbconv.generators.readers.model_source import fingerprint
from mbconv.models import load


def test_fingerprint():
    """Everything that is computed counts, names do not."""
    graph = parse_block(AFFINE)
    assert fingerprint(parse_block(AFFINE)) == fingerprint(graph) == fingerprint(replace(graph, name="other"))
    assert fingerprint(parse_block(FIXED)) != fingerprint(graph)
    changed = []
    for position, operator in enumerate(graph.operators):
        if operator.parameters:
            weights = operator.weights.copy()
            weights.flat[-1] ^= 1
            operators = list(graph.operators)
            operators[position] = replace(operator, weights=weights)
            changed.append(replace(graph, operators=tuple(operators)))
    index, tensor = next(iter(graph.tensors.items()))
    for change in ({"scale": tensor.scale * 2}, {"zero_point": tensor.zero_point + 1}):
        changed.append(replace(graph, tensors={**graph.tensors, index: replace(tensor, **change)}))
    assert len({fingerprint(graph), *map(fingerprint, changed)}) == 1 + len(changed)


def test_an_option_that_is_not_used_is_no_other_network():
    """What a later version reads of a file that has it leaves every other network's hash as it was."""

    @dataclass(frozen=True, eq=False)
    class Later(Convolution):
        groups: int = field(default=1, kw_only=True)

    Later.__name__ = Convolution.__name__
    graph = load("digits")
    known = {member.name: getattr(graph.operators[0], member.name) for member in fields(Convolution)}

    def with_groups(value):
        return replace(graph, operators=(Later(**known, groups=value), *graph.operators[1:]))

    assert fingerprint(with_groups(1)) == fingerprint(graph) != fingerprint(with_groups(2))
