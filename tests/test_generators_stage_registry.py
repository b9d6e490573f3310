"""Every circuit of the registry has all parts of the stage protocol; what is not in it is an error."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from mbconv.generators.stages import protocol
from mbconv.generators.stages.folded import FoldedCircuit
from mbconv.generators.stages.network import build_network
from mbconv.generators.stages.protocol import StageCircuit
from mbconv.generators.stages.registry import CIRCUITS, circuit_named
from mbconv.models import load

ROOT = Path(protocol.__file__).parents[2]


@pytest.mark.parametrize("kind", CIRCUITS)
def test_parts(kind):
    circuit = CIRCUITS[kind]
    missing = [name for name in dir(circuit) if getattr(getattr(circuit, name), "__isabstractmethod__", False)]
    assert not missing
    assert kind == circuit.KIND and circuit.REASON
    assert isinstance(circuit, FoldedCircuit) == circuit.FOLDED
    assert inspect.getdoc(type(circuit)) != inspect.getdoc(StageCircuit), "it has no description of its own"


def test_unknown_circuits_are_errors():
    with pytest.raises(LookupError, match="no circuit is named 'sort'; there are add, concatenate"):
        circuit_named("sort")


def test_every_node_has_a_circuit_of_the_registry():
    for node in build_network(load("cifar10")).nodes:
        assert node.circuit is CIRCUITS[node.kind]


def test_nobody_compares_names_of_circuits():
    """Whoever wants to know something of a circuit asks it."""
    compared = re.compile(r"node\.kind (==|!=|in|not in) ")
    for folder in ("generators", "sim", "fpga", "mbconv"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            assert not compared.search(path.read_text()), path


def test_every_circuit_that_an_operator_becomes_is_in_the_registry():
    """Names are written in the operators' files; each is looked up here, whether a network in a test has it or not."""
    named = set()
    for path in sorted((ROOT / "generators/operators").glob("*.py")) + sorted((ROOT / "generators/graph").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Circuit", "elementwise"):
                kinds = {node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)}
                kinds = {kind for kind in kinds if isinstance(kind, str)}
                assert kinds or path.name == "lowering.py", (
                    f"{path.name} names a circuit that this test cannot read: write its name there"
                )
                named |= kinds
    assert named == CIRCUITS.keys(), "a circuit that is unknown, or one that no operator becomes"
