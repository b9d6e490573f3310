"""The order of files."""

from pathlib import Path
from types import SimpleNamespace

import longest_first


def test_every_file_named_is_there():
    here = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert set(longest_first.FILES) <= here


def test_others_keep_their_order():
    last = longest_first.FILES[1]
    names = "test_b", last, "test_a", "test_b", longest_first.FILES[0], last
    items = [SimpleNamespace(path=Path(f"{name}.py"), number=number) for number, name in enumerate(names)]
    longest_first.pytest_collection_modifyitems(items)
    assert [item.number for item in items] == [4, 1, 5, 0, 2, 3]
