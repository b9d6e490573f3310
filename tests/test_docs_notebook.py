"""The notebook of docs/, cell by cell."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "library.ipynb"


@pytest.mark.filterwarnings("ignore:.*created but never used")
def test_the_notebook_runs():
    """Its own assertions hold, and no output is kept in it that could grow old."""
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for number, cell in enumerate(cells):
        assert cell["outputs"] == [] and cell["execution_count"] is None
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    assert names["result"].mismatches == 0
