"""Fixtures that every test may use."""

from pathlib import Path

import pytest

pytest_plugins = ["resume"]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real models and pictures beside the checkout; the test is skipped where there is none."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs the real models of {SHARED}, which is not on this machine")
    return SHARED
