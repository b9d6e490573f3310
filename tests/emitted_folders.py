"""Small designs to emit, and what lies in a folder."""

from pathlib import Path

AFFINE = "block:inverted_residual,height=5,width=6,channels=4,expansion=2,stride=1"
FIXED = f"{AFFINE},numbers=fixed,activation_bits=6,weight_bits=5"


def contents(folder: Path) -> dict[str, str]:
    """The text of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
