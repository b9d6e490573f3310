"""All operators, found in the files beside this one.

A file of this folder defines operators and, as ``TFLITE``, how they stand in ``.tflite`` files. Nothing is listed
twice: who adds a file has added its operators everywhere that walks this registry.
"""

from __future__ import annotations

from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

from ..graph.graph import Operator
from ..readers.tflite_reader import TfliteForm

_PACKAGE = __name__.rpartition(".")[0]


def _modules() -> list:
    package = import_module(_PACKAGE)
    names = {info.name for info in iter_modules(package.__path__)} - {"registry", "support"}
    return [import_module(f"{_PACKAGE}.{name}") for name in sorted(names)]


def _operators() -> tuple[type[Operator], ...]:
    return tuple(
        value
        for module in _modules()
        for value in vars(module).values()
        if isclass(value) and issubclass(value, Operator) and value.__module__ == module.__name__
    )


def _tflite_forms() -> dict[str, TfliteForm]:
    forms: dict[str, TfliteForm] = {}
    for module in _modules():
        for form in module.TFLITE:
            if form.code in forms:
                raise TypeError(f"{module.__name__} reads {form.code}, which another file reads too")
            forms[form.code] = form
    return dict(sorted(forms.items()))


OPERATORS: tuple[type[Operator], ...] = _operators()
"""Every operator's class."""

TFLITE_FORMS: dict[str, TfliteForm] = _tflite_forms()
"""Every operator code of TFLite that is read, in alphabetical order."""
