"""The built-in models, and the one way to get a network from what a user names: :func:`load`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mbconv.generators.graph.graph import Graph, GraphError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class BuiltinModel:
    """A network that we trained.

    Attributes:
        name: what a user calls it.
        description: one line.
        labels: the classes, by index of the output.
        accuracy: the share of held-out pictures that the int8 file classifies rightly, by LiteRT's reference kernels.
        accuracy_of: which pictures those are.
        recipe: the command that trains it again.
        document: where the recipe, the curve and the measurements are kept.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    accuracy: float
    accuracy_of: str
    recipe: str
    document: str

    @property
    def path(self) -> Path:
        """The ``.tflite`` file."""
        return FOLDER / f"{self.name}.tflite"


_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_BUILTIN = (
    BuiltinModel(
        name="digits",
        description="MobileNetV2 for digits of 8×8 pixels: 2,716 parameters, 67,296 MACs, requantisation by shifts",
        labels=tuple("0123456789"),
        accuracy=357 / 360,
        accuracy_of="360 held-out pictures of scikit-learn's digits",
        recipe="python -m mbconv.training.train_digits",
        document="docs/digits.md",
    ),
    BuiltinModel(
        name="cifar10",
        description="MobileNetV2 for CIFAR-10's classes, 32×32 pixels: 213,290 parameters, 16,976,384 MACs",
        labels=_CIFAR10,
        accuracy=4414 / 5000,
        accuracy_of="5,000 test pictures of CIFAR-10",
        recipe="python -m mbconv.training.train_cifar10 --data FILE --folder DIR",
        document="docs/cifar10.md",
    ),
    BuiltinModel(
        name="cifar10_v3",
        description="MobileNetV3 for CIFAR-10's classes, 32×32 pixels: 254,986 parameters, 16,767,584 MACs",
        labels=_CIFAR10,
        accuracy=4318 / 5000,
        accuracy_of="5,000 test pictures of CIFAR-10",
        recipe="python -m mbconv.training.train_cifar10 --network cifar10_v3 --data FILE --folder DIR",
        document="docs/cifar10_v3.md",
    ),
)


def builtin_models() -> tuple[BuiltinModel, ...]:
    """Every built-in model."""
    return _BUILTIN


def builtin(name: str) -> BuiltinModel | None:
    """The built-in model of that name, or None."""
    return next((model for model in _BUILTIN if model.name == name), None)


def load(model: str, layers: tuple[int, int] | None = None) -> Graph:
    """The network that a user names: a built-in model, a ``block:…`` description, or the path of a ``.tflite`` file.

    A built-in name wins over a file of the same name; ``./digits`` is the file.

    Args:
        layers: operators ``(first, last)`` (half open) alone; a file's other operators need not be supported.

    Raises:
        GraphError: no such model or file, or what is there cannot be used.
    """
    if model.startswith("block:"):
        from mbconv.generators.readers.block import parse_block

        graph = parse_block(model)
        return graph if layers is None else graph.layers(*layers)
    from mbconv.generators.readers.tflite_file import read_tflite

    known = builtin(model)
    if known is not None:
        return read_tflite(known.path, layers)
    path = Path(model)
    if not path.exists() and (close := get_close_matches(model.lower(), [one.name for one in _BUILTIN], n=1)):
        raise GraphError(f"{model!r} is no file and no built-in model; did you mean {close[0]}?")
    if not path.is_file():
        what = "is a folder" if model and path.is_dir() else "is no file"
        names = ", ".join(known.name for known in _BUILTIN)
        raise GraphError(f"{model!r} {what}; give a .tflite file, a built-in model ({names}) or block:…")
    return read_tflite(path, layers)


def load_part(model: str, layers: tuple[int, int] | None) -> tuple[Graph, Graph]:
    """A network and a range of it; errors as :func:`load`.

    Where other operators of the file are not supported, the range stands for the whole too: frames are then given at
    its own inputs.
    """
    if layers is None:
        whole = load(model)
        return whole, whole
    try:
        whole = load(model)
    except GraphError:
        part = load(model, layers)
        return part, part
    return whole, whole.layers(*layers)
