"""Every operator is whole: what the registries of generator and golden model hold, held against each other."""

import ast
import re
from pathlib import Path

import pytest
import tflite

from mbconv.generators.graph.graph import Operator
from mbconv.generators.operators.registry import OPERATORS, TFLITE_FORMS
from mbconv.generators.operators.support import support_table
from mbconv.sim.golden.kernels import kernel, kernels

ROOT = Path(__file__).resolve().parent.parent


def test_golden_model_and_generator_know_the_same_operators():
    assert set(kernels()) == set(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_an_operator_is_whole(operator):
    module = operator.__module__.rpartition(".")[2]
    assert operator.KIND and operator.__doc__
    assert operator.problems is not Operator.problems, f"{operator.__name__} has no checks"
    assert (ROOT / "generators/operators" / f"{module}.py").is_file()
    assert kernels()[operator].__module__ == f"mbconv.sim.golden.{module}", "the kernel's file has the operator's name"


def test_what_an_operator_becomes_is_said_where_it_becomes_anything():
    """An operator with a circuit, wiring or the host says so in the table; one without says nothing and is refused."""
    for operator in OPERATORS:
        has_one = operator.lower is not Operator.lower or operator.placement is not Operator.placement
        assert has_one == bool(operator.BECOMES), operator.__name__


def test_the_table_of_the_documentation_is_the_one_that_is_printed():
    assert support_table() in (ROOT / "docs/operators.md").read_text()


def test_every_code_stands_in_the_table():
    for code in TFLITE_FORMS:
        assert re.search(rf"\b{code}\b", support_table()), code


def test_operator_codes_and_options_are_those_of_the_schema():
    for code, form in TFLITE_FORMS.items():
        assert hasattr(tflite.BuiltinOperator, code.split(" ")[0]), code
        assert not form.options or hasattr(tflite.BuiltinOptions, form.options), form


def test_an_operator_has_one_kernel():
    with pytest.raises(TypeError, match="has two kernels"):
        kernel(OPERATORS[0])(lambda: None)


def test_golden_model_takes_nothing_from_the_generator_but_graph_and_operators():
    allowed = ("mbconv.generators.graph.", "mbconv.generators.operators.")
    for path in (ROOT / "sim/golden").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mbconv."):
                assert node.module.startswith(allowed), f"{path.name} imports {node.module}"
