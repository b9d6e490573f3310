"""Fixtures that every test may use."""

from pathlib import Path

import pytest

pytest_plugins = ["resume"]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(autouse=True)
def wide_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables have all their columns, on whatever terminal or none the tests run; those about widths set their own."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real models and pictures beside the checkout; the test is skipped where there is none."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs the real models of {SHARED}, which is not on this machine")
    return SHARED
