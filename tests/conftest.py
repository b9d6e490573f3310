"""Fixtures that every test may use."""

from pathlib import Path

import pytest

from mbconv.sim.simulation import verilator

pytest_plugins = ["resume", "longest_first"]

OPTIMIZATION = verilator.OPTIMIZATION

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(autouse=True)
def wide_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables have all their columns, on whatever terminal or none the tests run; those about widths set their own."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.hookimpl(tryfirst=True)  # before fixtures of a whole module are made
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Simulators are compiled without optimisation, which takes half of the time; slow tests simulate for longer."""
    verilator.OPTIMIZATION = "-O0" if item.get_closest_marker("slow") is None else OPTIMIZATION


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real models and pictures beside the checkout; the test is skipped where there is none."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"needs the real models of {SHARED}, which is not on this machine")
    return SHARED
