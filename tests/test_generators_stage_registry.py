"""Every circuit of the registry has all parts of the stage protocol; what is not in it is an error."""

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
